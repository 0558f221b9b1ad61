//! The server's own figures, for the channel `dashboard:metrics`.

use std::{sync::Arc, time::Duration};

use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    domain::{ChannelId, Timestamp},
    ports::Streams,
    realtime::{namespace::Hub, streams::StreamHub},
    services::DASHBOARD,
    telemetry::{Samples, metric},
};

/// How often figures are published.
const INTERVAL: Duration = Duration::from_secs(5);

/// The event that carries them.
const EVENT: &str = "update";

/// The figures of one moment, of this node alone. Rates are per second since the moment before,
/// totals since the start; percentiles are of what there was since the moment before.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    at: Timestamp,
    uptime_seconds: u64,
    /// Connected sockets of the namespace `/`.
    connections: usize,
    /// Open event streams.
    streams: f64,
    /// What waits to be written to clients.
    pending_bytes: usize,
    /// Client events that wait for their turn.
    queued_events: f64,
    /// Client events, whatever became of them.
    events_per_second: f64,
    /// Events handed to sockets.
    deliveries_per_second: f64,
    /// HTTP requests that were answered.
    requests_per_second: f64,
    /// Entries stored.
    appends_per_second: f64,
    /// Events that could not be handed over: of readers who were too slow, or had gone.
    drops_total: f64,
    /// What limits stood against.
    limited_total: f64,
    /// Failures of the store.
    errors_total: f64,
    /// Time from a client event's arrival to its answer; null while there are none.
    event_ms: Option<Percentiles>,
    /// Time from an append to its commit; null while nothing is appended.
    append_ms: Option<Percentiles>,
    /// Time to answer HTTP requests; null while there are none.
    request_ms: Option<Percentiles>,
    /// Null where the system does not tell it.
    memory_bytes: Option<u64>,
}

/// Milliseconds that this share of an interval's operations took at most, as an estimate.
#[derive(Debug, Serialize)]
struct Percentiles {
    p50: f64,
    p95: f64,
    p99: f64,
}

/// Publishes figures again and again, for ever.
pub async fn run(hub: Arc<Hub>, streams: Arc<StreamHub>, metrics: PrometheusHandle) {
    let Ok(channel) = ChannelId::new(DASHBOARD) else {
        return;
    };
    let began = Instant::now();
    let mut before = Samples::read(&metrics.render());
    let mut at = began;
    let mut tick = tokio::time::interval(INTERVAL);
    loop {
        let now = tick.tick().await;
        let samples = Samples::read(&metrics.render());
        let since = Change {
            before: &before,
            now: &samples,
            seconds: (now - at).as_secs_f64(),
        };
        let figures = figures(&hub, &since, now - began);
        match serde_json::to_value(&figures) {
            Ok(value) => streams.publish(&channel, EVENT, &value),
            Err(error) => tracing::error!(%error, "figures cannot be written as JSON"),
        }
        (before, at) = (samples, now);
    }
}

/// What two moments say of the time between them.
struct Change<'a> {
    before: &'a Samples,
    now: &'a Samples,
    seconds: f64,
}

impl Change<'_> {
    fn rate(&self, name: &str) -> f64 {
        let more = self.now.sum(name) - self.before.sum(name);
        if self.seconds > 0.0 {
            (more / self.seconds * 10.0).round() / 10.0
        } else {
            0.0
        }
    }

    fn percentiles(&self, name: &str) -> Option<Percentiles> {
        let ms = |share| {
            let seconds = self.now.percentile_since(self.before, name, share)?;
            // To the microsecond; more than that an estimate does not tell.
            Some((seconds * 1_000_000.0).round() / 1_000.0)
        };
        Some(Percentiles {
            p50: ms(0.50)?,
            p95: ms(0.95)?,
            p99: ms(0.99)?,
        })
    }
}

fn figures(hub: &Hub, change: &Change<'_>, uptime: Duration) -> Figures {
    let now = change.now;
    Figures {
        at: Timestamp::now(),
        uptime_seconds: uptime.as_secs(),
        connections: hub.connected(),
        streams: now.sum(metric::STREAMS),
        pending_bytes: hub.pending_bytes(),
        queued_events: now.sum(metric::QUEUED_EVENTS),
        events_per_second: change.rate(metric::EVENTS),
        deliveries_per_second: change.rate(metric::DELIVERIES),
        requests_per_second: change.rate(metric::HTTP_REQUESTS),
        appends_per_second: change.rate(&format!("{}_count", metric::APPEND_SECONDS)),
        drops_total: now.sum(metric::DROPS),
        limited_total: now.sum(metric::LIMITED),
        errors_total: now.sum(metric::STORE_ERRORS),
        event_ms: change.percentiles(metric::EVENT_SECONDS),
        append_ms: change.percentiles(metric::APPEND_SECONDS),
        request_ms: change.percentiles(metric::HTTP_SECONDS),
        memory_bytes: memory_bytes(),
    }
}

/// Resident memory, as the system tells it in KiB.
fn memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1_024)
}
