//! The tokens that the command line makes.

use super::{
    super::{MintClaims, MintError, mint},
    *,
};
use crate::domain::{Role, RoomId};

fn claims() -> MintClaims {
    MintClaims {
        sub: "alice".to_owned(),
        name: Some("Alice".to_owned()),
        rooms: vec!["*".to_owned()],
        roles: vec!["driver".to_owned()],
        ttl: Duration::from_secs(3600),
        ..MintClaims::default()
    }
}

#[tokio::test]
async fn a_minted_token_is_accepted_and_says_what_was_asked() {
    let token = mint(SECRET, &claims()).unwrap();
    let alice = user(&auth().await, &token).await;
    assert_eq!((alice.id.as_str(), &*alice.name), ("alice", "Alice"));
    assert!(alice.rooms.allow(&RoomId::new("lobby").unwrap()));
    assert_eq!(alice.roles, [Role::Driver]);
    assert!(alice.token.id.is_some());
    let (issued, expires) = alice.token.issued_at.zip(alice.token.expires_at).unwrap();
    assert_eq!(issued.plus(Duration::from_secs(3600)), expires);
}

#[test]
fn two_minted_tokens_never_share_their_id() {
    let tokens = [mint(SECRET, &claims()), mint(SECRET, &claims())].map(Result::unwrap);
    assert_ne!(tokens[0], tokens[1]);
}

#[test]
fn a_token_that_could_not_be_used_is_not_minted() {
    let no_secret = mint(b"", &claims()).unwrap_err();
    assert!(matches!(no_secret, MintError::EmptySecret));
    let nobody = MintClaims {
        sub: String::new(),
        ..claims()
    };
    assert_eq!(
        mint(SECRET, &nobody).unwrap_err().to_string(),
        "the user id must not be empty"
    );
    let typo = MintClaims {
        roles: vec!["drivr".to_owned()],
        ..claims()
    };
    assert_eq!(
        mint(SECRET, &typo).unwrap_err().to_string(),
        "the role \"drivr\" is none of driver, vendor, service"
    );
}
