//! What the claims of a token mean, and which make it useless.

use super::*;
use crate::domain::{Role, RoomId};

#[tokio::test]
async fn the_claims_say_who_the_user_is() {
    let (iat, exp) = (in_secs(-10), in_secs(60));
    let token = hs256(&json!({
        "sub": "alice", "name": "Alice", "rooms": ["lobby", "team-*"],
        "roles": ["driver", "astronaut", 7], "iat": iat, "exp": exp, "jti": "t-1",
    }));
    let alice = user(&auth().await, &token).await;
    assert_eq!(&*alice.name, "Alice");
    assert!(alice.rooms.allow(&RoomId::new("team-7").unwrap()));
    assert!(!alice.rooms.allow(&RoomId::new("attic").unwrap()));
    assert_eq!(alice.roles, [Role::Driver]);
    assert_eq!(alice.token.id.as_deref(), Some("t-1"));
    assert_eq!(alice.token.issued_at, Some(Timestamp::from_ms(iat * 1000)));
    assert_eq!(alice.token.expires_at, Some(Timestamp::from_ms(exp * 1000)));
    assert_eq!(alice.token.digest.len(), 64);
}

#[tokio::test]
async fn only_the_subject_is_required() {
    let bob = user(&auth().await, &hs256(&json!({ "sub": "bob" }))).await;
    assert_eq!(&*bob.name, "bob");
    assert!(!bob.rooms.allow(&RoomId::new("lobby").unwrap()));
    assert!(bob.roles.is_empty());
    assert_eq!(bob.token.expires_at, None);
}

#[tokio::test]
async fn one_room_may_stand_without_a_list() {
    let bob = user(
        &auth().await,
        &hs256(&json!({ "sub": "bob", "rooms": "*" })),
    )
    .await;
    assert!(bob.rooms.allow(&RoomId::new("lobby").unwrap()));
}

#[tokio::test]
async fn claims_of_the_wrong_type_are_refused() {
    let auth = auth().await;
    for claims in [
        json!({}),
        json!({ "sub": null }),
        json!({ "sub": 42 }),
        json!({ "sub": "" }),
        json!({ "sub": "ali\u{0}ce" }),
        json!({ "sub": "a".repeat(257) }),
        json!({ "sub": "alice", "name": 1 }),
        json!({ "sub": "alice", "rooms": 7 }),
        json!({ "sub": "alice", "rooms": null }),
        json!({ "sub": "alice", "rooms": ["lobby", 7] }),
        json!({ "sub": "alice", "roles": "service" }),
        json!({ "sub": "alice", "exp": "tomorrow" }),
        json!({ "sub": "alice", "exp": null }),
        json!({ "sub": "alice", "nbf": {} }),
        json!({ "sub": "alice", "iat": "now" }),
    ] {
        let code = refusal(&auth, &hs256(&claims)).await;
        assert_eq!(code, Code::TokenClaims, "{claims}");
    }
    for payload in [json!("alice"), json!(["alice"])] {
        let code = refusal(&auth, &hs256(&payload)).await;
        assert_eq!(code, Code::TokenMalformed, "{payload}");
    }
}

#[tokio::test]
async fn a_token_expires_once_the_leeway_is_over() {
    let auth = auth().await;
    let with_exp = |exp: Value| hs256(&json!({ "sub": "alice", "exp": exp }));
    user(&auth, &with_exp(json!(in_secs(-2)))).await;
    user(&auth, &with_exp(json!(in_secs(60) as f64 + 0.5))).await;
    user(&auth, &with_exp(json!(u64::MAX))).await;
    for exp in [
        json!(in_secs(-60)),
        json!(0),
        json!(-1e300),
        json!(i64::MIN),
    ] {
        let code = refusal(&auth, &with_exp(exp)).await;
        assert_eq!(code, Code::TokenExpired);
    }
}

#[tokio::test]
async fn a_token_is_not_valid_before_its_time() {
    let auth = auth().await;
    let with_nbf = |nbf: i64| hs256(&json!({ "sub": "alice", "nbf": nbf }));
    user(&auth, &with_nbf(in_secs(2))).await;
    let code = refusal(&auth, &with_nbf(in_secs(60))).await;
    assert_eq!(code, Code::TokenNotYetValid);
}

#[tokio::test]
async fn issuer_and_audience_count_where_they_are_configured() {
    let strict = AuthOptions {
        issuer: Some("https://id.example".to_owned()),
        audience: Some("roomcast".to_owned()),
        ..options()
    };
    let strict = start(strict).await.unwrap();
    let token = |iss: &str, aud: Value| hs256(&json!({ "sub": "alice", "iss": iss, "aud": aud }));
    let (right, wrong) = ("https://id.example", "https://evil.example");

    user(&strict, &token(right, json!("roomcast"))).await;
    user(&strict, &token(right, json!(["shop", "roomcast"]))).await;
    for refused in [
        token(wrong, json!("roomcast")),
        token(right, json!("shop")),
        token(right, json!(["shop"])),
        token(right, json!(null)),
        hs256(&alice()),
    ] {
        assert_eq!(refusal(&strict, &refused).await, Code::TokenClaims);
    }
    user(&auth().await, &token(wrong, json!("shop"))).await;
}
