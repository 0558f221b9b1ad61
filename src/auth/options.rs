//! What decides who is accepted.

use std::{path::PathBuf, time::Duration};

use super::JwksError;
use crate::ports::StoreError;

/// Where public keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwksSource {
    /// A JWKS file.
    File(PathBuf),
    /// The `http` or `https` address of a JWKS.
    Url(String),
}

/// Whether somebody without a token may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guests {
    /// They may, and are [`Identity::Guest`](crate::domain::Identity::Guest).
    Allowed,
    /// They get `Authentication required`.
    Refused,
}

/// What decides who is accepted.
pub struct AuthOptions {
    /// The shared secret of HS256; without it HS256 is refused.
    pub jwt_secret: Option<Vec<u8>>,
    /// The public keys of RS256, ES256 and EdDSA; without them these are refused.
    pub jwks: Option<JwksSource>,
    /// How old the keys may grow before they are read again in the background.
    pub jwks_refresh: Duration,
    /// The `iss` that a token must have.
    pub issuer: Option<String>,
    /// The audience that a token's `aud` must name.
    pub audience: Option<String>,
    /// How far the issuer's clock may be from ours, for `exp` and `nbf`.
    pub leeway: Duration,
    /// Whether no token means a guest.
    pub guests: Guests,
    /// SHA-256 of each API key.
    pub api_keys: Vec<[u8; 32]>,
}

/// Why nobody can be identified at all.
#[derive(Debug, thiserror::Error)]
pub enum AuthSetupError {
    /// An empty secret, which would let anybody sign.
    #[error("the JWT secret is empty")]
    EmptySecret,
    /// The JWKS cannot be used.
    #[error("the JWKS {source_name} {error}")]
    Jwks {
        /// The file or address.
        source_name: String,
        /// What is wrong with it.
        error: JwksError,
    },
    /// The revocations cannot be read.
    #[error("the revoked tokens cannot be loaded: {0}")]
    Revocations(#[from] StoreError),
}
