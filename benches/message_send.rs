//! Durable `message:send` per second over WebSocket: what waits is committed as one transaction,
//! against the same work committed one by one.
//!
//! Each sender waits for its ack before it sends again; server and senders share this machine, so
//! only the ratios mean something. Both sides run in turns; medians of [`ROUNDS`] rounds.

#![allow(clippy::unwrap_used, clippy::expect_used)] // What panics here is a failed measurement.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

#[path = "../tests/specs/support.rs"]
#[allow(dead_code)] // The specifications use more of it.
mod support;

use support::{Client, TestApp};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(1);
const SENDERS: [usize; 3] = [1, 10, 200];

/// A server, and senders in a room each, so that fan-out plays no part.
struct Side {
    _app: TestApp,
    senders: Vec<Client>,
    rates: Vec<f64>,
}

impl Side {
    async fn new(group: usize, senders: usize) -> Self {
        let app = TestApp::with(|config| {
            config.store.group = group;
            config.limits.events_per_second = 0;
            config.limits.user_events_per_second = 0;
        })
        .await;
        let mut clients = Vec::new();
        for number in 0..senders {
            let name = format!("s{number}");
            clients.push(app.joined(&name, &name).await);
        }
        Self {
            _app: app,
            senders: clients,
            rates: Vec::new(),
        }
    }

    async fn round(&mut self) {
        let started = Instant::now();
        let sending = self.senders.iter_mut().enumerate();
        let acked = join_all(sending.map(|(number, sender)| send(sender, number, started)));
        let acked: usize = acked.await.into_iter().sum();
        #[allow(clippy::cast_precision_loss)] // Far fewer than 2^52.
        self.rates
            .push(acked as f64 / started.elapsed().as_secs_f64());
    }

    fn median(&mut self) -> f64 {
        self.rates.sort_by(f64::total_cmp);
        self.rates[ROUNDS / 2]
    }
}

async fn send(sender: &mut Client, number: usize, started: Instant) -> usize {
    let draft = json!({ "roomId": format!("s{number}"), "content": "a message of usual length" });
    let mut acked = 0;
    while started.elapsed() < ROUND {
        sender.ok("message:send", draft.clone()).await;
        acked += 1;
    }
    acked
}

#[tokio::main]
async fn main() {
    println!("durable message:send, synchronous = full, medians of {ROUNDS} rounds of 1 s");
    println!("senders  in groups/s  one by one/s  ratio");
    for senders in SENDERS {
        let mut groups = Side::new(1_024, senders).await;
        let mut single = Side::new(1, senders).await;
        for _ in 0..ROUNDS {
            groups.round().await;
            single.round().await;
        }
        let (groups, single) = (groups.median(), single.median());
        let ratio = groups / single;
        println!("{senders:>7}  {groups:>11.0}  {single:>12.0}  {ratio:>4.1}x");
    }
}
