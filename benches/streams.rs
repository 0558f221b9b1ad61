//! Resident memory of an idle event stream: 5,000 readers of their notifications to whom nothing
//! happens, and what is left when they have gone. Linux only: it reads `/proc`.

#![allow(clippy::unwrap_used, clippy::expect_used)] // What panics here is a failed measurement.
#![allow(clippy::cast_precision_loss)] // Far fewer than 2^52.

use std::time::{Duration, Instant};

#[path = "server.rs"]
#[allow(dead_code)] // Each benchmark uses some of it.
mod server;

use server::{ServerProcess, StreamClient, scaled};

const STREAMS: usize = 5_000;
/// How many connect at the same time.
const AT_ONCE: usize = 100;
/// How long memory may take to come back.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() {
    let server = ServerProcess::start(&[]);
    let count = scaled(STREAMS);
    // What the first streams bring with them stays: tables, buffers, threads.
    drop(connect(&server, AT_ONCE).await);
    server.until("roomcast_streams", 0).await;
    let start = server.resident_kib();
    let streams = connect(&server, count).await;
    server.until("roomcast_streams", count).await;
    let full = server.resident_kib();
    println!("{count} streams: {start} KiB before, {full} KiB with them");
    let each = (full - start) as f64 * 1_024.0 / count as f64;
    println!("{each:.0} bytes resident per stream");
    drop(streams);
    server.until("roomcast_streams", 0).await;
    let began = Instant::now();
    let mut end = server.resident_kib();
    while end > start + start / 10 && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(250)).await;
        end = server.resident_kib();
    }
    let left = 100.0 * (end as f64 / start as f64 - 1.0);
    println!("{end} KiB after they have gone: {left:+.1}% of what it was before");
}

async fn connect(server: &ServerProcess, count: usize) -> Vec<StreamClient> {
    let mut streams = Vec::with_capacity(count);
    while streams.len() < count {
        let batch = AT_ONCE.min(count - streams.len());
        let first = streams.len();
        let connecting = (0..batch).map(|number| {
            let token = server.token(&format!("user-{}", first + number));
            server.stream("/events/notifications", token)
        });
        streams.extend(futures_util::future::join_all(connecting).await);
    }
    streams
}
