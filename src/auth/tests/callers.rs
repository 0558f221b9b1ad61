//! Callers who show the same token again and again: it is verified once, and refused as soon as it is
//! not good any more.

use super::*;

async fn call(auth: &Auth, token: &str) -> Result<Arc<User>, Code> {
    match auth.identify_bearer(Some(token)).await {
        Ok(Identity::User(user)) => Ok(user),
        Ok(other) => panic!("expected a user, got {other:?}"),
        Err(error) => Err(error.code()),
    }
}

#[tokio::test]
async fn a_token_that_comes_again_is_the_same_user_s() {
    let auth = auth().await;
    let token = hs256(&alice());
    let first = call(&auth, &token).await.unwrap();
    let again = call(&auth, &token).await.unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    let bob = hs256(&json!({ "sub": "bob", "exp": in_secs(3600) }));
    let (claims, signature) = (
        token.rsplit_once('.').unwrap().0,
        bob.rsplit_once('.').unwrap().1,
    );
    let forged = format!("{claims}.{signature}");
    assert_eq!(
        call(&auth, &forged).await.unwrap_err(),
        Code::TokenSignature
    );
}

#[tokio::test]
async fn a_token_that_is_revoked_meanwhile_is_refused() {
    let auth = auth().await;
    let token = hs256(&alice());
    let digest = call(&auth, &token).await.unwrap().token.digest.clone();
    let revocation = Revocation::TokenDigest(digest);
    auth.revoke(revocation, None).await.unwrap();
    assert_eq!(call(&auth, &token).await.unwrap_err(), Code::TokenRevoked);
}

#[tokio::test]
async fn a_token_that_expires_meanwhile_is_refused() {
    let leeway = Duration::from_secs(2);
    let auth = start(AuthOptions {
        leeway,
        ..options()
    })
    .await
    .unwrap();
    let token = hs256(&json!({ "sub": "alice", "exp": in_secs(0) }));
    call(&auth, &token).await.unwrap();
    let expires = call(&auth, &token).await.unwrap().token.expires_at.unwrap();
    let left = Timestamp::now().age(expires.plus(leeway));
    tokio::time::sleep(left).await;
    assert_eq!(call(&auth, &token).await.unwrap_err(), Code::TokenExpired);
}
