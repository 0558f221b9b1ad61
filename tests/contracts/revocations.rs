//! Revocations: kept over restarts, gone once they have expired.

use std::sync::Arc;

use roomcast::{
    domain::Timestamp,
    ports::{Revocation, RevocationStore},
};

use crate::backend::{Durable, at, user};

/// All cases, for `run!`.
macro_rules! revocations {
    ($backend:ty) => {
        run! { $backend, revocations:
            every_kind_of_revocation_stays_over_a_restart
            an_expired_revocation_is_removed_for_good
            revoking_again_never_shortens_a_revocation
            any_text_may_name_a_token
        }
    };
}
pub(crate) use revocations;

fn token() -> Revocation {
    Revocation::TokenId("jti-1".into())
}

async fn load(store: &Arc<dyn RevocationStore>, now: Timestamp) -> Vec<Revocation> {
    store.load(now).await.unwrap()
}

pub async fn every_kind_of_revocation_stays_over_a_restart(mut backend: impl Durable) {
    let all = [
        token(),
        Revocation::TokenDigest("00ff".into()),
        Revocation::User(user("alice"), at(5)),
    ];
    for revocation in &all {
        backend.revocations().add(revocation, None).await.unwrap();
    }
    backend.reopen().await;
    let loaded = load(&backend.revocations(), at(1_000)).await;
    assert_eq!(loaded.len(), all.len());
    assert!(all.iter().all(|revocation| loaded.contains(revocation)));
}

pub async fn an_expired_revocation_is_removed_for_good(backend: impl Durable) {
    let store = backend.revocations();
    store.add(&token(), Some(at(100))).await.unwrap();
    assert_eq!(load(&store, at(99)).await, [token()]);
    assert_eq!(load(&store, at(100)).await, []);
    assert_eq!(load(&store, at(99)).await, []);
}

pub async fn revoking_again_never_shortens_a_revocation(backend: impl Durable) {
    let store = backend.revocations();
    store.add(&token(), Some(at(100))).await.unwrap();
    store.add(&token(), Some(at(50))).await.unwrap();
    assert_eq!(load(&store, at(99)).await, [token()]);
    store.add(&token(), None).await.unwrap();
    store.add(&token(), Some(at(50))).await.unwrap();
    assert_eq!(load(&store, at(1_000)).await, [token()]);

    let alice = |until| Revocation::User(user("alice"), at(until));
    store.add(&alice(10), None).await.unwrap();
    store.add(&alice(5), None).await.unwrap();
    assert!(load(&store, at(1_000)).await.contains(&alice(10)));
}

pub async fn any_text_may_name_a_token(backend: impl Durable) {
    let store = backend.revocations();
    let token = Revocation::TokenId("\0\u{1f600}".repeat(2_000));
    for _ in 0..2 {
        store.add(&token, Some(at(100))).await.unwrap();
    }
    assert_eq!(load(&store, at(99)).await, [token]);
}
