//! Logs and metrics: every metric's name stands here once.

mod samples;
pub mod series;

use std::io::IsTerminal;

pub use samples::Samples;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::{config, error::Code};

/// The names of metrics.
pub mod metric {
    /// Connected sockets of the namespace `/`.
    pub const CONNECTIONS: &str = "roomcast_connections";
    /// Handshakes by `outcome` (`ok` or an error code).
    pub const CONNECTS: &str = "roomcast_connects_total";
    /// Ended connections by `reason`.
    pub const DISCONNECTS: &str = "roomcast_disconnects_total";
    /// Client events by `event` and `outcome` (`ok` or an error code).
    pub const EVENTS: &str = "roomcast_events_total";
    /// Time from a client event's arrival to its answer, its wait in the socket's queue included. Of
    /// those that had their turn: what a limit refuses at once would hide how long the rest takes.
    pub const EVENT_SECONDS: &str = "roomcast_event_seconds";
    /// Events handed to sockets, by `class`.
    pub const DELIVERIES: &str = "roomcast_deliveries_total";
    /// What could not be handed over, by `class` and `reason`.
    pub const DROPS: &str = "roomcast_drops_total";
    /// What a limit stood against, by `code`.
    pub const LIMITED: &str = "roomcast_limited_total";
    /// Entries that slow readers were sent from their feeds later.
    pub const CAUGHT_UP: &str = "roomcast_caught_up_total";
    /// Open event streams.
    pub const STREAMS: &str = "roomcast_streams";
    /// Ended event streams by `reason`.
    pub const STREAM_ENDS: &str = "roomcast_stream_ends_total";
    /// Entries that retention has taken, by `kind` of feed.
    pub const TRIMMED: &str = "roomcast_trimmed_entries_total";
    /// Bytes that wait to be written to clients.
    pub const PENDING_BYTES: &str = "roomcast_pending_bytes";
    /// HTTP requests by `route`, `method` and `status`.
    pub const HTTP_REQUESTS: &str = "roomcast_http_requests_total";
    /// Time to answer HTTP requests, by `route`.
    pub const HTTP_SECONDS: &str = "roomcast_http_request_seconds";
    /// Time from an append to its commit.
    pub const APPEND_SECONDS: &str = "roomcast_feed_append_seconds";
    /// Writes per transaction.
    pub const GROUP_SIZE: &str = "roomcast_store_group_size";
    /// Events that wait in sockets' queues.
    pub const QUEUED_EVENTS: &str = "roomcast_queued_events";
    /// Committed entries that wait to be delivered.
    pub const UNDELIVERED: &str = "roomcast_undelivered_entries";
    /// Writes that wait.
    pub const QUEUE_DEPTH: &str = "roomcast_store_queue_depth";
    /// Attempts at pushes, by `target` and `outcome` (`delivered`, `failed`, `gone` or `dead`).
    pub const PUSHES: &str = "roomcast_push_deliveries_total";
    /// Pushes that wait to be sent or tried again.
    pub const PUSH_PENDING: &str = "roomcast_push_pending";
    /// Feeds from which retention took entries before they could be pushed.
    pub const PUSH_LOST: &str = "roomcast_push_lost_feeds_total";
    /// Time until backends have answered forwarded events, by `event`.
    pub const FORWARD_SECONDS: &str = "roomcast_forward_seconds";
    /// Forwarded events that wait for a backend, by `event`.
    pub const FORWARDS_IN_FLIGHT: &str = "roomcast_forwards_in_flight";
    /// Whether a backend is left alone as it failed, 1 or 0, by `event`.
    pub const FORWARD_OPEN: &str = "roomcast_forward_circuit_open";
    /// Attempts at webhooks, by `event` and `outcome` (`delivered`, `failed` or `given_up`), and those
    /// that found no place (`dropped`).
    pub const WEBHOOKS: &str = "roomcast_webhooks_total";
    /// Webhooks that wait to be sent or tried again.
    pub const WEBHOOKS_PENDING: &str = "roomcast_webhooks_pending";
    /// Failures of the store, by `kind`.
    pub const STORE_ERRORS: &str = "roomcast_store_errors_total";
    /// Commands to Redis that failed, by `command`.
    pub const REDIS_ERRORS: &str = "roomcast_redis_errors_total";
    /// Whether Redis can be used: 1 or 0.
    pub const REDIS_UP: &str = "roomcast_redis_up";
    /// Events that wait to be told to other nodes.
    pub const CLUSTER_QUEUE: &str = "roomcast_cluster_queue_depth";
    /// Events that were not told to other nodes, by `class` and `reason`.
    pub const CLUSTER_DROPS: &str = "roomcast_cluster_drops_total";
    /// Events of other nodes that came too fast for us, or could not be read, by `reason`.
    pub const CLUSTER_LOST: &str = "roomcast_cluster_lost_total";
    /// Time from another node's telling to our hearing, as far as clocks agree.
    pub const CLUSTER_LAG: &str = "roomcast_cluster_lag_seconds";
    /// Entries of other nodes by where we had them from: `redis` or `store`.
    pub const CLUSTER_ENTRIES: &str = "roomcast_cluster_entries_total";
    /// Packets of emitters and other servers, by `channel` (`broadcast`, `request` or `response`) and
    /// `outcome` (`done`, or why not).
    pub const SERVERS_HEARD: &str = "roomcast_servers_heard_total";
    /// What administrators were not shown, by `reason`.
    pub const ADMIN_LOST: &str = "roomcast_admin_lost_total";
    /// Messages of the bridge by `channel` and `outcome`.
    pub const BRIDGE: &str = "roomcast_bridge_messages_total";
}

/// Upper bounds of the latency histograms, in seconds.
const SECONDS: [f64; 14] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];
/// Upper bounds of the group sizes.
const SIZES: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1000.0];

/// Counts what a limit stood against.
pub fn limited(code: Code) {
    counter!(metric::LIMITED, "code" => code.as_str()).increment(1);
}

/// Starts logging to standard error. Later calls change nothing.
pub fn init(log: &config::Log) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(&log.level))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second initialization (servers started in one process) keeps the first.
    let _ = match log.format {
        config::LogFormat::Text => builder.try_init(),
        config::LogFormat::Json => builder.json().try_init(),
    };
}

/// Libraries that write what they carry to the log at lower levels: frames with messages, headers
/// with tokens, statements with what they store.
const DISCREET: [&str; 6] = [
    "fred=error",
    "hyper=info",
    "hyper_util=info",
    "h2=info",
    "reqwest=info",
    "sqlx=warn",
];

/// What is logged at this level: never what clients say to each other, whatever the level.
fn filter(level: &str) -> EnvFilter {
    let configured = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    let caps = DISCREET.iter().filter_map(|cap| cap.parse().ok());
    caps.fold(configured, EnvFilter::add_directive)
}

/// A recorder for metrics and the handle that renders them.
pub fn recorder() -> Result<PrometheusHandle, BuildError> {
    static HANDLE: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let seconds = |name: &str| Matcher::Full(name.to_owned());
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(seconds(metric::APPEND_SECONDS), &SECONDS)?
        .set_buckets_for_metric(seconds(metric::EVENT_SECONDS), &SECONDS)?
        .set_buckets_for_metric(seconds(metric::HTTP_SECONDS), &SECONDS)?
        .set_buckets_for_metric(seconds(metric::FORWARD_SECONDS), &SECONDS)?
        .set_buckets_for_metric(seconds(metric::CLUSTER_LAG), &SECONDS)?
        .set_buckets_for_metric(seconds(metric::GROUP_SIZE), &SIZES)?
        .build_recorder();
    let handle = HANDLE.get_or_init(|| recorder.handle()).clone();
    // Servers of one process share the first one's recorder.
    if metrics::set_global_recorder(recorder).is_ok() {
        describe();
    }
    Ok(handle)
}

fn describe() {
    describe_gauge!(metric::CONNECTIONS, "Connected sockets of the namespace /");
    describe_counter!(metric::CONNECTS, "Handshakes by outcome");
    describe_counter!(metric::DISCONNECTS, "Ended connections by reason");
    describe_counter!(metric::EVENTS, "Client events by name and outcome");
    describe_histogram!(
        metric::EVENT_SECONDS,
        "Time from a client event's arrival to its answer"
    );
    describe_counter!(metric::DELIVERIES, "Events handed to sockets by class");
    describe_counter!(metric::DROPS, "Events that could not be handed over");
    describe_counter!(metric::LIMITED, "What a limit stood against, by its code");
    describe_counter!(
        metric::CAUGHT_UP,
        "Entries that slow readers were sent from their feeds later"
    );
    describe_gauge!(metric::STREAMS, "Open event streams");
    describe_counter!(metric::STREAM_ENDS, "Ended event streams by reason");
    describe_counter!(metric::TRIMMED, "Entries that retention has taken");
    describe_gauge!(
        metric::PENDING_BYTES,
        "Bytes that wait to be written to clients"
    );
    describe_counter!(metric::HTTP_REQUESTS, "HTTP requests by route and status");
    describe_histogram!(metric::HTTP_SECONDS, "Time to answer HTTP requests");
    describe_histogram!(metric::APPEND_SECONDS, "Time from an append to its commit");
    describe_histogram!(metric::GROUP_SIZE, "Writes per transaction");
    describe_gauge!(metric::QUEUED_EVENTS, "Events that wait in sockets' queues");
    describe_gauge!(
        metric::UNDELIVERED,
        "Committed entries that wait to be delivered"
    );
    describe_gauge!(metric::QUEUE_DEPTH, "Writes that wait for the store");
    describe_counter!(metric::PUSHES, "Attempts at pushes by target and outcome");
    describe_gauge!(metric::PUSH_PENDING, "Pushes that wait to be sent");
    describe_counter!(
        metric::PUSH_LOST,
        "Feeds from which retention took entries before they could be pushed"
    );
    describe_counter!(metric::STORE_ERRORS, "Failures of the store by kind");
    describe_cluster();
}

fn describe_cluster() {
    describe_counter!(metric::REDIS_ERRORS, "Commands to Redis that failed");
    describe_gauge!(metric::REDIS_UP, "Whether Redis can be used");
    describe_gauge!(
        metric::CLUSTER_QUEUE,
        "Events that wait to be told to other nodes"
    );
    describe_counter!(
        metric::CLUSTER_DROPS,
        "Events that were not told to other nodes"
    );
    describe_counter!(
        metric::CLUSTER_LOST,
        "Events of other nodes that were not heard"
    );
    describe_histogram!(
        metric::CLUSTER_LAG,
        "Time from another node's telling to our hearing"
    );
    describe_counter!(
        metric::CLUSTER_ENTRIES,
        "Entries of other nodes by where they came from"
    );
    describe_counter!(
        metric::SERVERS_HEARD,
        "Packets of emitters and other servers by channel and outcome"
    );
    describe_counter!(metric::ADMIN_LOST, "What administrators were not shown");
    describe_counter!(
        metric::BRIDGE,
        "Messages of the bridge by channel and outcome"
    );
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The names of metrics that stand alone between two of these marks.
    fn named(text: &str, mark: char) -> BTreeSet<&str> {
        let is_name = |part: &&str| {
            let name = part.strip_prefix("roomcast_").unwrap_or_default();
            !name.is_empty() && name.bytes().all(|c| c == b'_' || c.is_ascii_lowercase())
        };
        text.split(mark).filter(is_name).collect()
    }

    #[test]
    fn the_guide_has_every_metric_and_no_other() {
        let code = named(include_str!("telemetry.rs"), '"');
        let page = named(include_str!("guide/operations.md"), '`');
        assert!(code.len() > 20, "{code:?}");
        assert_eq!(code, page);
    }

    #[test]
    fn no_level_lets_libraries_log_what_they_carry() {
        for level in ["trace", "off,h2=trace", "hyper=debug"] {
            let filter = filter(level).to_string();
            for cap in DISCREET {
                let name = cap.split('=').next().unwrap();
                assert!(filter.contains(cap), "{filter}");
                assert!(!filter.contains(&format!("{name}=trace")), "{filter}");
            }
        }
    }
}
