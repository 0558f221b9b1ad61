//! Tokens and users that are refused although their signature still fits.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::StoreResult;
use crate::domain::{Timestamp, UserId};

/// What is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Revocation {
    /// The token with this `jti`.
    TokenId(String),
    /// The token whose signed part has this SHA-256, in hex.
    TokenDigest(String),
    /// Every token of the user issued up to this time, and those that do not say when.
    User(UserId, Timestamp),
}

/// Revocations, kept over restarts.
#[async_trait]
pub trait RevocationStore: Send + Sync + 'static {
    /// Stores a revocation; `until` is when the token expires by itself, if it does.
    async fn add(&self, revocation: &Revocation, until: Option<Timestamp>) -> StoreResult<()>;

    /// All revocations that have not expired; expired ones are removed.
    async fn load(&self, now: Timestamp) -> StoreResult<Vec<Revocation>>;
}
