//! Resident memory of an idle connection: 10,000 WebSocket connections that have signed in and
//! say nothing, and what is left when they have gone.
//!
//! The server is a process of its own, so that nothing of the clients is counted. Linux only: it
//! reads `/proc`.

#![allow(clippy::unwrap_used, clippy::expect_used)] // What panics here is a failed measurement.

use std::time::{Duration, Instant};

#[path = "server.rs"]
#[allow(dead_code)] // Each benchmark uses some of it.
mod server;

use server::{RawClient, ServerProcess};

const CONNECTIONS: usize = 10_000;
/// How many connect at the same time.
const AT_ONCE: usize = 100;
/// How long memory may take to come back.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() {
    let server = ServerProcess::start(&[]);
    // What the first connections bring with them stays: tables, buffers, threads.
    drop(connect(&server, AT_ONCE).await);
    server.until_connections(0).await;
    let start = server.resident_kib();
    let clients = connect(&server, CONNECTIONS).await;
    server.until_connections(CONNECTIONS).await;
    let full = server.resident_kib();
    #[allow(clippy::cast_precision_loss)] // Far fewer than 2^52.
    let each = (full - start) as f64 / CONNECTIONS as f64;
    println!("{CONNECTIONS} idle connections: {start} KiB before, {full} KiB with them");
    println!("{each:.1} KiB resident per connection");
    drop(clients);
    server.until_connections(0).await;
    let began = Instant::now();
    let mut end = server.resident_kib();
    while end > start + start / 10 && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(250)).await;
        end = server.resident_kib();
    }
    #[allow(clippy::cast_precision_loss)]
    let left = 100.0 * (end as f64 / start as f64 - 1.0);
    println!(
        "{end} KiB {:.1} s after they have gone: {left:+.1}% of the start",
        began.elapsed().as_secs_f64()
    );
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
