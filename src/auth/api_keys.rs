//! API keys of backends, known by their digests only.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// How many hex digits of a key's digest name its service in logs.
const NAME_DIGITS: usize = 8;

/// SHA-256 of each key.
pub struct ApiKeys(Vec<[u8; 32]>);

impl ApiKeys {
    pub fn new(digests: Vec<[u8; 32]>) -> Self {
        Self(digests)
    }

    /// The name of the service whose key this is. Takes the same time whichever key fits.
    pub fn service(&self, key: &str) -> Option<Arc<str>> {
        let digest: [u8; 32] = Sha256::digest(key).into();
        let known = self
            .0
            .iter()
            .fold(Choice::from(0), |known, one| known | one.ct_eq(&digest));
        bool::from(known).then(|| hex::encode(&digest[..NAME_DIGITS / 2]).into())
    }
}
