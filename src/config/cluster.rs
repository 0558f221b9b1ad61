//! Several nodes that act as one.

use super::{
    Secret,
    error::{ConfigError, ensure},
    schema::section,
};

section! {
    /// Several nodes that act as one. This version runs on one node.
    pub struct Cluster = "cluster" {
        /// Must be "": a Redis server is not used by this version.
        #[env("REDIS_URL")]
        pub redis_url: Secret = Secret::default(),
    }
}

impl Cluster {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        ensure(self.redis_url.is_empty(), || {
            "cluster.redis_url (REDIS_URL) is set, but this version runs on one node; unset it"
                .into()
        })
    }
}
