//! Who may come without a token, and services with their API keys.

use sha2::{Digest, Sha256};

use super::{super::bearer, *};

async fn auth_with_keys(guests: Guests) -> Auth {
    let options = AuthOptions {
        guests,
        api_keys: vec![
            Sha256::digest("key of the shop").into(),
            Sha256::digest("key of the worker").into(),
        ],
        ..options()
    };
    start(options).await.unwrap()
}

#[tokio::test]
async fn without_a_token_one_is_a_guest_only_where_guests_are_allowed() {
    let open = auth_with_keys(Guests::Allowed).await;
    let closed = auth_with_keys(Guests::Refused).await;
    assert!(open.allows_guests() && !closed.allows_guests());
    for nothing in [None, Some("")] {
        assert!(matches!(open.identify(nothing).await, Ok(Identity::Guest)));
        assert!(matches!(
            open.identify_bearer(nothing).await,
            Ok(Identity::Guest)
        ));
        assert_eq!(
            closed.identify(nothing).await.unwrap_err(),
            Error::unauthenticated()
        );
        assert_eq!(
            closed.identify_bearer(nothing).await.unwrap_err(),
            Error::unauthenticated()
        );
    }
}

#[tokio::test]
async fn a_bad_token_makes_nobody_a_guest() {
    let open = auth_with_keys(Guests::Allowed).await;
    assert_eq!(refusal(&open, "x").await, Code::TokenMalformed);
}

#[tokio::test]
async fn an_api_key_identifies_a_service_by_the_start_of_its_digest() {
    let auth = auth_with_keys(Guests::Refused).await;
    for key in ["key of the shop", "key of the worker"] {
        let identity = auth.identify_bearer(Some(key)).await.unwrap();
        let Identity::Service(name) = &identity else {
            panic!("expected a service, got {identity:?}");
        };
        assert_eq!(**name, hex::encode(Sha256::digest(key))[..8]);
        assert!(identity.is_service());
    }
}

#[tokio::test]
async fn an_unknown_api_key_looks_like_a_malformed_token() {
    let auth = auth_with_keys(Guests::Allowed).await;
    let digest = hex::encode(Sha256::digest("key of the shop"));
    let long = "k".repeat(1 << 20);
    for key in ["key of the sho", "Key of the shop", &digest, &long] {
        let error = auth.identify_bearer(Some(key)).await.unwrap_err();
        assert_eq!(error.message(), "Invalid token");
        assert_eq!(error.code(), Code::TokenMalformed);
    }
}

#[tokio::test]
async fn a_bearer_may_be_a_token_but_a_token_never_an_api_key() {
    let auth = auth_with_keys(Guests::Refused).await;
    let token = hs256(&alice());
    let identity = auth.identify_bearer(Some(&token)).await.unwrap();
    assert_eq!(identity.user_id().unwrap().as_str(), "alice");
    assert_eq!(
        refusal(&auth, "key of the shop").await,
        Code::TokenMalformed
    );
}

#[test]
fn the_scheme_of_a_bearer_header_has_any_case() {
    assert_eq!(bearer("Bearer abc"), Some("abc"));
    assert_eq!(bearer("bearer   abc "), Some("abc"));
    assert_eq!(bearer("BEARER abc"), Some("abc"));
    for other in ["", "Bearer", "Bearer ", "Basic abc", "Bearerabc", "abc"] {
        assert_eq!(bearer(other), None, "{other:?}");
    }
}
