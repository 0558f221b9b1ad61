//! What every backend of a store port must do: one suite per port, run against each backend.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

/// Runs each case of a suite on a backend of its own.
macro_rules! run {
    ($backend:ty, $suite:ident: $($case:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            crate::$suite::$case(<$backend>::open().await).await;
        }
    )+};
}

#[path = "contracts/appending.rs"]
mod appending;
#[path = "contracts/backend.rs"]
mod backend;
#[path = "contracts/changes.rs"]
mod changes;
#[path = "contracts/changing.rs"]
mod changing;
#[path = "contracts/hooks.rs"]
mod hooks;
#[path = "contracts/members.rs"]
mod members;
#[path = "contracts/memory.rs"]
mod memory;
#[path = "contracts/occupancy.rs"]
mod occupancy;
#[path = "contracts/paging.rs"]
mod paging;
#[path = "contracts/payments.rs"]
mod payments;
#[path = "contracts/positions.rs"]
mod positions;
#[path = "contracts/postgres.rs"]
mod postgres;
#[path = "contracts/postgres_faults.rs"]
mod postgres_faults;
#[path = "contracts/postgres_nodes.rs"]
mod postgres_nodes;
#[path = "contracts/postgres_server.rs"]
mod postgres_server;
#[path = "contracts/presence.rs"]
mod presence;
#[path = "contracts/push.rs"]
mod push;
#[path = "contracts/reading.rs"]
mod reading;
#[path = "contracts/redis.rs"]
mod redis;
#[path = "services/redis.rs"]
mod redis_server;
#[path = "contracts/retention.rs"]
mod retention;
#[path = "contracts/revocations.rs"]
mod revocations;
#[path = "contracts/seen.rs"]
mod seen;
#[path = "contracts/sessions.rs"]
mod sessions;
#[path = "contracts/since.rs"]
mod since;
#[path = "contracts/sqlite.rs"]
mod sqlite;
#[path = "contracts/stock.rs"]
mod stock;
