//! Who of several nodes does what only one of them has to do.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreResult;

/// Named leases, each of which one holder has at a time. The store's clock tells when they lapse. A
/// store that only one process can open gives it every lease.
#[async_trait]
pub trait Leases: Send + Sync + 'static {
    /// Whether the holder has the lease from now on for `ttl`: nobody had it, the last holder's has
    /// lapsed, or it was this holder's before.
    async fn hold(&self, name: &str, holder: &str, ttl: Duration) -> StoreResult<bool>;

    /// Gives the lease up, if it is this holder's.
    async fn release(&self, name: &str, holder: &str) -> StoreResult<()>;
}
