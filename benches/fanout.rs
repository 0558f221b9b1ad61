//! Server CPU time for each delivery of a room's messages, and for each answered event.
//!
//! 1,000 members, messages with 8 and with 1 in flight; then one client that asks and waits for
//! its ack. Every member checks order and completeness. Linux only: it reads `/proc`. To compare
//! two builds, run it with `ROOMCAST_BIN` set to either in turns.

#![allow(clippy::unwrap_used, clippy::expect_used)] // What panics here is a failed measurement.

use std::time::Duration;

#[path = "server.rs"]
#[allow(dead_code)] // Each benchmark uses some of it.
mod server;

use server::{RawClient, ServerProcess, scaled};

const MEMBERS: usize = 1_000;
const MESSAGES: usize = 400;
const ROUNDS: usize = 5;
const ASKED: usize = 20_000;

#[tokio::main]
async fn main() {
    let server = ServerProcess::start(&[("ROOMCAST_STORE__SYNCHRONOUS", "normal")]);
    let (count, messages, asked) = (scaled(MEMBERS), scaled(MESSAGES), scaled(ASKED));
    let mut members = Vec::new();
    for number in 0..count {
        let token = server.token(&format!("member-{number}"));
        let mut client = server.connect(token).await;
        client.send("420[\"join:room\",\"hall\"]").await;
        client.until("430[").await;
        members.push(tokio::spawn(read(client)));
    }
    let mut sender = server.connect(server.token("sender")).await;
    sender.send("420[\"join:room\",\"hall\"]").await;
    sender.until("430[").await;
    println!("{count} members, {messages} messages a round, medians of {ROUNDS} rounds");
    for in_flight in [8, 1] {
        let mut costs = Vec::new();
        for _ in 0..ROUNDS {
            let before = server.cpu();
            send(&mut sender, messages, in_flight).await;
            costs.push(micros(server.cpu() - before, count * messages));
        }
        println!(
            "{in_flight} in flight: {:.2} µs of CPU per delivery",
            median(costs)
        );
    }
    for member in members {
        member.abort();
        if let Err(error) = member.await {
            assert!(error.is_cancelled(), "a member missed something: {error}");
        }
    }
    let mut costs = Vec::new();
    for _ in 0..ROUNDS {
        let before = server.cpu();
        for _ in 0..asked {
            sender.send("427[\"presence:get\",[]]").await;
            sender.until("437[").await;
        }
        costs.push(micros(server.cpu() - before, asked));
    }
    println!("ack round trip: {:.2} µs of CPU", median(costs));
}

/// Sends messages with so many unacknowledged, and waits for all acks.
async fn send(sender: &mut RawClient, messages: usize, in_flight: usize) {
    let message =
        "421[\"message:send\",{\"roomId\":\"hall\",\"content\":\"of usual length, more or less\"}]";
    let (mut sent, mut acked) = (0, 0);
    while acked < messages {
        while sent < messages && sent - acked < in_flight {
            sender.send(message).await;
            sent += 1;
        }
        sender.until("431[").await;
        acked += 1;
    }
}

/// Reads a room's messages for ever; panics when one is missing or out of order.
async fn read(mut client: RawClient) {
    let mut last = 0;
    loop {
        let frame = client.next().await;
        if frame == "2" {
            client.send("3").await;
        }
        if !frame.contains("message:new") {
            continue;
        }
        let seq = frame.split_once("\"seq\":").unwrap().1;
        let seq: u64 = seq.split_once(',').unwrap().0.parse().unwrap();
        assert_eq!(seq, last + 1);
        last = seq;
    }
}

#[allow(clippy::cast_precision_loss)] // Far fewer than 2^52.
fn micros(cpu: Duration, count: usize) -> f64 {
    cpu.as_secs_f64() * 1e6 / count as f64
}

fn median(mut costs: Vec<f64>) -> f64 {
    costs.sort_by(f64::total_cmp);
    costs[costs.len() / 2]
}
