//! How whoever connects is identified: what the specifications of this module share.

mod callers;
mod claims;
mod guests_and_keys;
mod mint;
mod revocation;
mod rotation;
mod signatures;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{Auth, AuthOptions, AuthSetupError, Guests, JwksSource, fixtures};
use crate::{
    domain::{Identity, Timestamp, User},
    error::{Code, Error, Result},
    ports::{Revocation, RevocationStore, StoreError, StoreResult},
};

const SECRET: &[u8] = b"a secret of the tests, long enough";

/// Keeps revocations as a store does; can be told to fail.
#[derive(Default)]
struct StoredRevocations {
    kept: Mutex<Vec<(Revocation, Option<Timestamp>)>>,
    away: Mutex<Option<StoreError>>,
}

#[async_trait]
impl RevocationStore for StoredRevocations {
    async fn add(&self, revocation: &Revocation, until: Option<Timestamp>) -> StoreResult<()> {
        if let Some(error) = *self.away.lock() {
            return Err(error);
        }
        self.kept.lock().push((revocation.clone(), until));
        Ok(())
    }

    async fn load(&self, now: Timestamp) -> StoreResult<Vec<Revocation>> {
        let mut kept = self.kept.lock();
        kept.retain(|(_, until)| until.is_none_or(|until| until > now));
        Ok(kept.iter().map(|(one, _)| one.clone()).collect())
    }
}

fn options() -> AuthOptions {
    AuthOptions {
        jwt_secret: Some(SECRET.to_vec()),
        jwks: None,
        jwks_refresh: Duration::from_secs(300),
        issuer: None,
        audience: None,
        leeway: Duration::from_secs(5),
        guests: Guests::Refused,
        api_keys: Vec::new(),
    }
}

fn with_file(path: &std::path::Path) -> AuthOptions {
    AuthOptions {
        jwks: Some(JwksSource::File(path.to_owned())),
        ..options()
    }
}

async fn start(options: AuthOptions) -> Result<Auth, AuthSetupError> {
    Auth::new(options, Arc::<StoredRevocations>::default()).await
}

async fn auth() -> Auth {
    start(options()).await.unwrap()
}

/// A JWKS of these keys.
fn set(keys: &[&str]) -> String {
    format!("{{\"keys\":[{}]}}", keys.join(","))
}

/// Seconds since the epoch, this far from now.
fn in_secs(offset: i64) -> i64 {
    Timestamp::now().as_secs() + offset
}

fn alice() -> Value {
    json!({ "sub": "alice", "exp": in_secs(3600) })
}

fn sign(algorithm: Algorithm, kid: Option<&str>, key: &EncodingKey, claims: &Value) -> String {
    let header = Header {
        kid: kid.map(str::to_owned),
        ..Header::new(algorithm)
    };
    encode(&header, claims, key).unwrap()
}

fn hs256(claims: &Value) -> String {
    let key = EncodingKey::from_secret(SECRET);
    sign(Algorithm::HS256, None, &key, claims)
}

fn rs256(kid: Option<&str>) -> String {
    let key = EncodingKey::from_rsa_pem(fixtures::RSA_PEM.as_bytes()).unwrap();
    sign(Algorithm::RS256, kid, &key, &alice())
}

fn es256(pem: &str, kid: Option<&str>) -> String {
    let key = EncodingKey::from_ec_pem(pem.as_bytes()).unwrap();
    sign(Algorithm::ES256, kid, &key, &alice())
}

fn eddsa(kid: Option<&str>) -> String {
    let key = EncodingKey::from_ed_pem(fixtures::ED_PEM.as_bytes()).unwrap();
    sign(Algorithm::EdDSA, kid, &key, &alice())
}

async fn user(auth: &Auth, token: &str) -> Arc<User> {
    match auth.identify(Some(token)).await {
        Ok(Identity::User(user)) => user,
        other => panic!("expected a user, got {other:?}"),
    }
}

/// Why the token is refused; the message must not say.
async fn refusal(auth: &Auth, token: &str) -> Code {
    let error: Error = auth.identify(Some(token)).await.unwrap_err();
    assert_eq!(error.message(), "Invalid token");
    error.code()
}
