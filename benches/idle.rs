//! Resident memory of an idle connection: 10,000 WebSocket connections that have signed in and
//! say nothing, and what is left when they have gone. Twice, by the same users: what the server
//! remembers of users who have left, when they were last seen, stays from the first time.
//!
//! The server is a process of its own, so that nothing of the clients is counted. Linux only: it
//! reads `/proc`.

#![allow(clippy::unwrap_used, clippy::expect_used)] // What panics here is a failed measurement.
#![allow(clippy::cast_precision_loss)] // Far fewer than 2^52.

use std::time::{Duration, Instant};

#[path = "server.rs"]
#[allow(dead_code)] // Each benchmark uses some of it.
mod server;

use server::{RawClient, ServerProcess, scaled};

const CONNECTIONS: usize = 10_000;
/// How many connect at the same time.
const AT_ONCE: usize = 100;
/// How long memory may take to come back.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() {
    let server = ServerProcess::start(&[]);
    let count = scaled(CONNECTIONS);
    // What the first connections bring with them stays: tables, buffers, threads.
    drop(connect(&server, AT_ONCE).await);
    server.until_connections(0).await;
    for crowd in ["first", "second"] {
        measure(&server, crowd, count).await;
    }
}

async fn measure(server: &ServerProcess, crowd: &str, count: usize) {
    let start = server.resident_kib();
    let clients = connect(server, count).await;
    server.until_connections(count).await;
    let full = server.resident_kib();
    let each = (full - start) as f64 / count as f64;
    println!("{crowd} crowd of {count}: {start} KiB before, {full} KiB with it");
    println!("{each:.1} KiB resident per connection");
    drop(clients);
    server.until_connections(0).await;
    let began = Instant::now();
    let mut end = server.resident_kib();
    while end > start + start / 10 && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(250)).await;
        end = server.resident_kib();
    }
    let left = 100.0 * (end as f64 / start as f64 - 1.0);
    let seconds = began.elapsed().as_secs_f64();
    println!("{end} KiB {seconds:.1} s after it has gone: {left:+.1}% of what it was before");
}

async fn connect(server: &ServerProcess, count: usize) -> Vec<RawClient> {
    let mut clients = Vec::with_capacity(count);
    while clients.len() < count {
        let batch = AT_ONCE.min(count - clients.len());
        let first = clients.len();
        let connecting = (0..batch).map(|number| {
            let token = server.token(&format!("user-{}", first + number));
            server.connect(token)
        });
        clients.extend(futures_util::future::join_all(connecting).await);
    }
    clients
}
