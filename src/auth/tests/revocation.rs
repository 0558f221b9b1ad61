//! Tokens and users that are refused although the signature fits.

use super::{super::revocations::Revocations, *};
use crate::domain::UserId;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_ms(secs * 1000)
}

#[tokio::test]
async fn a_token_is_revoked_by_its_id() {
    let auth = auth().await;
    let [first, second] = ["t-1", "t-2"].map(|jti| hs256(&json!({ "sub": "alice", "jti": jti })));
    let alice = user(&auth, &first).await;
    assert!(!auth.is_revoked(&alice));

    auth.revoke(Revocation::TokenId("t-1".to_owned()), None)
        .await
        .unwrap();
    assert!(auth.is_revoked(&alice));
    assert_eq!(refusal(&auth, &first).await, Code::TokenRevoked);
    user(&auth, &second).await;
}

#[tokio::test]
async fn a_token_without_an_id_is_revoked_by_its_digest() {
    let auth = auth().await;
    let token = hs256(&alice());
    let digest = user(&auth, &token).await.token.digest.clone();
    auth.revoke(Revocation::TokenDigest(digest), None)
        .await
        .unwrap();
    assert_eq!(refusal(&auth, &token).await, Code::TokenRevoked);
}

#[tokio::test]
async fn a_revoked_user_needs_a_token_issued_later() {
    let auth = auth().await;
    let now = in_secs(0);
    let issued = |sub: &str, iat: i64| hs256(&json!({ "sub": sub, "iat": iat }));
    let revocation = Revocation::User(UserId::new("alice").unwrap(), at(now));
    auth.revoke(revocation, None).await.unwrap();

    let undated = hs256(&json!({ "sub": "alice" }));
    for refused in [issued("alice", now - 60), issued("alice", now), undated] {
        assert_eq!(refusal(&auth, &refused).await, Code::TokenRevoked);
    }
    user(&auth, &issued("alice", now + 1)).await;
    user(&auth, &issued("bob", now - 60)).await;
}

#[tokio::test]
async fn an_earlier_revocation_of_a_user_does_not_undo_a_later_one() {
    let auth = auth().await;
    let now = in_secs(0);
    for secs in [now, now - 3600] {
        let revocation = Revocation::User(UserId::new("alice").unwrap(), at(secs));
        auth.revoke(revocation, None).await.unwrap();
    }
    let token = hs256(&json!({ "sub": "alice", "iat": now - 60 }));
    assert_eq!(refusal(&auth, &token).await, Code::TokenRevoked);
}

#[tokio::test]
async fn revocations_outlive_a_restart() {
    let store = Arc::new(StoredRevocations::default());
    let token = hs256(&json!({ "sub": "alice", "jti": "t-1" }));
    let before = Auth::new(options(), store.clone()).await.unwrap();
    before
        .revoke(Revocation::TokenId("t-1".to_owned()), None)
        .await
        .unwrap();
    let after = Auth::new(options(), store).await.unwrap();
    assert_eq!(refusal(&after, &token).await, Code::TokenRevoked);
}

#[tokio::test]
async fn a_revocation_is_kept_until_the_token_cannot_be_used_any_more() {
    let store = Arc::new(StoredRevocations::default());
    let auth = Auth::new(options(), store.clone()).await.unwrap();
    // Expired, but within the leeway of five seconds.
    let exp = in_secs(-1);
    let token = hs256(&json!({ "sub": "alice", "jti": "t-1", "exp": exp }));
    user(&auth, &token).await;
    auth.revoke(Revocation::TokenId("t-1".to_owned()), Some(at(exp)))
        .await
        .unwrap();
    assert_eq!(refusal(&auth, &token).await, Code::TokenRevoked);
    assert_eq!(store.kept.lock()[0].1, Some(at(exp + 5)));
}

#[tokio::test]
async fn what_could_not_be_stored_is_not_revoked() {
    let store = Arc::new(StoredRevocations::default());
    let auth = Auth::new(options(), store.clone()).await.unwrap();
    *store.away.lock() = Some(StoreError);
    let error = auth
        .revoke(Revocation::TokenId("t-1".to_owned()), None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::StoreUnavailable);
    user(&auth, &hs256(&json!({ "sub": "alice", "jti": "t-1" }))).await;
}

#[tokio::test]
async fn what_has_expired_is_dropped_when_more_is_revoked() {
    let [first, second] = ["t-1", "t-2"].map(|jti| json!({ "sub": "alice", "jti": jti }));
    let first = user(&auth().await, &hs256(&first)).await;
    let second = user(&auth().await, &hs256(&second)).await;
    let by_id = |id: &str| Revocation::TokenId(id.to_owned());
    let revocations = Revocations::new(Vec::new());

    revocations.add(by_id("t-1"), Some(at(1000)), at(900));
    assert!(revocations.cover(&first));
    revocations.add(by_id("t-2"), None, at(1000));
    assert!(!revocations.cover(&first));
    assert!(revocations.cover(&second));
}
