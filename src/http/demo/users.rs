//! Whom the demo signs in.

use std::time::Duration;

use serde::Serialize;

use crate::{
    auth::{MintClaims, MintError, mint},
    config::Auth,
};

/// How long a sample user's token is valid.
const TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// Somebody's id, name and roles.
type Sample = (&'static str, &'static str, &'static [&'static str]);

/// People who chat and buy.
const PEOPLE: [Sample; 3] = [
    ("alice", "Alice", &[]),
    ("bob", "Bob", &[]),
    ("carol", "Carol", &[]),
];

/// Those behind the other pages: drivers, a vendor, and the shop's backend.
const STAFF: [Sample; 6] = [
    ("dan", "Dan", &["driver"]),
    ("erin", "Erin", &["driver"]),
    ("femi", "Femi", &["driver"]),
    ("gus", "Gus", &["driver"]),
    ("vera", "Vera", &["vendor"]),
    ("backend", "The shop's backend", &["service"]),
];

/// Somebody the demo can sign in. Has no `Debug`, so that no token gets into a log.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SampleUser {
    /// The token's `sub`.
    pub user_id: String,
    /// The name that others see.
    pub name: String,
    /// A token that may enter every room.
    pub token: String,
    /// The token's `roles`.
    pub roles: &'static [&'static str],
}

/// The sample users who have no role, with tokens that open every room. Nobody without a secret to
/// sign with.
pub fn sample_users(auth: &Auth) -> Result<Vec<SampleUser>, MintError> {
    sign_in(auth, &PEOPLE)
}

/// The same, and those who have a role: one of them is a backend.
pub fn everybody(auth: &Auth) -> Result<Vec<SampleUser>, MintError> {
    let mut everybody = sample_users(auth)?;
    everybody.extend(sign_in(auth, &STAFF)?);
    Ok(everybody)
}

fn sign_in(auth: &Auth, samples: &[Sample]) -> Result<Vec<SampleUser>, MintError> {
    let secret = &auth.jwt_secret;
    if secret.is_empty() {
        return Ok(Vec::new());
    }
    let user = |(id, name, roles): &Sample| {
        let claims = MintClaims {
            sub: (*id).to_owned(),
            name: Some((*name).to_owned()),
            rooms: vec!["*".to_owned()],
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            issuer: auth.issuer.clone(),
            audience: auth.audience.clone(),
            ttl: TTL,
        };
        Ok(SampleUser {
            user_id: claims.sub.clone(),
            name: (*name).to_owned(),
            token: mint(secret.expose().as_bytes(), &claims)?,
            roles,
        })
    };
    samples.iter().map(user).collect()
}
