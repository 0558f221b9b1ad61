//! The claims of a JWT whose signature fits, and who they make its bearer.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

use crate::{
    domain::{Role, RoomPatterns, Timestamp, Token, User, UserId},
    error::Code,
};

/// What the operator demands of the claims.
pub struct Expectations {
    pub issuer: Option<String>,
    pub audience: Option<String>,
    pub leeway: Duration,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    name: Option<String>,
    #[serde(default)]
    rooms: Texts,
    #[serde(default)]
    roles: Vec<Value>,
    #[serde(default, deserialize_with = "present")]
    exp: Option<NumericDate>,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<NumericDate>,
    #[serde(default, deserialize_with = "present")]
    iat: Option<NumericDate>,
    jti: Option<String>,
    #[serde(default)]
    iss: Value,
    #[serde(default)]
    aud: Value,
}

/// A list of texts, or one text that stands for such a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Default for Texts {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Texts {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

/// Seconds since the epoch, possibly with a fraction (RFC 7519, section 2).
#[derive(Clone, Copy, Deserialize)]
#[serde(from = "Number")]
struct NumericDate(Timestamp);

impl From<Number> for NumericDate {
    fn from(seconds: Number) -> Self {
        let ms = match seconds.as_i64() {
            Some(whole) => whole.saturating_mul(1000),
            // The cast saturates, which is far enough in either direction.
            None => (seconds.as_f64().unwrap_or(f64::MAX) * 1000.0) as i64,
        };
        Self(Timestamp::from_ms(ms))
    }
}

/// A claim that is there must have its type: a `null` as `exp` does not make a token eternal.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl Expectations {
    /// Who the payload says the bearer is, if it may be relied on at this time. `digest` is the
    /// SHA-256 of the whole token, in hex.
    pub fn check(&self, payload: &[u8], digest: String, now: Timestamp) -> Result<User, Code> {
        let object: Map<String, Value> =
            serde_json::from_slice(payload).map_err(|_| Code::TokenMalformed)?;
        let claims: Claims =
            serde_json::from_value(Value::Object(object)).map_err(|_| Code::TokenClaims)?;
        self.check_expiry(claims.exp.map(|exp| exp.0), now)?;
        self.check_begin(&claims, now)?;
        self.check_parties(&claims)?;
        claims.into_user(digest)
    }

    /// Whether a token that was verified before may still be relied on. What else is demanded of it
    /// does not change.
    pub fn check_expiry(&self, expiry: Option<Timestamp>, now: Timestamp) -> Result<(), Code> {
        if expiry.is_some_and(|expiry| expiry.plus(self.leeway) <= now) {
            return Err(Code::TokenExpired);
        }
        Ok(())
    }

    fn check_begin(&self, claims: &Claims, now: Timestamp) -> Result<(), Code> {
        if claims.nbf.is_some_and(|nbf| nbf.0 > now.plus(self.leeway)) {
            return Err(Code::TokenNotYetValid);
        }
        Ok(())
    }

    fn check_parties(&self, claims: &Claims) -> Result<(), Code> {
        let from_issuer = self
            .issuer
            .as_ref()
            .is_none_or(|issuer| claims.iss == issuer.as_str());
        let for_us = self
            .audience
            .as_ref()
            .is_none_or(|audience| match &claims.aud {
                Value::Array(all) => all.iter().any(|one| one == audience.as_str()),
                one => one == audience.as_str(),
            });
        if from_issuer && for_us {
            Ok(())
        } else {
            Err(Code::TokenClaims)
        }
    }
}

impl Claims {
    fn into_user(self, digest: String) -> Result<User, Code> {
        let id = UserId::new(self.sub).map_err(|_| Code::TokenClaims)?;
        let name: Arc<str> = match self.name {
            Some(name) if !name.trim().is_empty() => name.into(),
            _ => id.as_str().into(),
        };
        let roles = self.roles.iter().filter_map(Value::as_str);
        Ok(User {
            id,
            name,
            rooms: RoomPatterns::new(self.rooms.as_slice().iter().map(String::as_str)),
            roles: roles.filter_map(role).collect(),
            token: Token {
                id: self.jti,
                digest,
                issued_at: self.iat.map(|iat| iat.0),
                expires_at: self.exp.map(|exp| exp.0),
            },
        })
    }
}

/// The role that a token's `roles` mean by this text.
pub fn role(text: &str) -> Option<Role> {
    match text {
        "driver" => Some(Role::Driver),
        "vendor" => Some(Role::Vendor),
        "service" => Some(Role::Service),
        _ => None,
    }
}
