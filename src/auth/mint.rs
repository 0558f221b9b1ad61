//! Tokens made here, for development and for operators without an issuer of their own.

use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header, encode};
use serde::Serialize;

use super::claims::role;
use crate::domain::{IdError, Timestamp, UserId};

/// What a token is to say.
#[derive(Clone, Debug, Default)]
pub struct MintClaims {
    /// The user id.
    pub sub: String,
    /// The username; the user id where absent.
    pub name: Option<String>,
    /// Room ids or `*` globs.
    pub rooms: Vec<String>,
    /// `driver`, `vendor`, `service`.
    pub roles: Vec<String>,
    /// `iss`; empty: left out.
    pub issuer: String,
    /// `aud`; empty: left out.
    pub audience: String,
    /// How long the token is valid, in whole seconds; a part of one is left out.
    pub ttl: Duration,
}

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// An empty secret, which would let anybody sign.
    #[error("the JWT secret is empty")]
    EmptySecret,
    /// The user id cannot be one.
    #[error("the user id {0}")]
    Subject(#[from] IdError),
    /// A role that grants nothing.
    #[error("the role {0:?} is none of driver, vendor, service")]
    UnknownRole(String),
    /// The signature failed.
    #[error("the token cannot be signed: {0}")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

#[derive(Serialize)]
struct Payload<'a> {
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    rooms: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    roles: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    iss: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
}

/// Signs a token with HS256, valid from now, with a `jti` of its own so that it can be revoked.
pub fn mint(secret: &[u8], claims: &MintClaims) -> Result<String, MintError> {
    if secret.is_empty() {
        return Err(MintError::EmptySecret);
    }
    let sub = UserId::new(claims.sub.as_str())?;
    if let Some(unknown) = claims.roles.iter().find(|text| role(text).is_none()) {
        return Err(MintError::UnknownRole(unknown.clone()));
    }
    let now = Timestamp::now();
    let payload = Payload {
        sub: sub.as_str(),
        name: claims.name.as_deref(),
        rooms: &claims.rooms,
        roles: &claims.roles,
        iss: &claims.issuer,
        aud: &claims.audience,
        iat: now.as_secs(),
        exp: now.plus(claims.ttl).as_secs(),
        jti: uuid::Uuid::now_v7().to_string(),
    };
    let key = EncodingKey::from_secret(secret);
    Ok(encode(&Header::default(), &payload, &key)?)
}
