//! A server's figures, in the Admin UI's words.

use std::time::Instant;

use metrics_exporter_prometheus::PrometheusHandle;
use rmpv::Value;

use crate::{
    domain::Timestamp,
    realtime::namespace::Hub,
    telemetry::{Samples, metric},
};

/// What the Admin UI draws, and the metric that counts it.
const AGGREGATED: [(&str, &str); 4] = [
    ("rawConnection", metric::CONNECTS),
    ("rawDisconnection", metric::DISCONNECTS),
    ("packetsIn", metric::EVENTS),
    ("packetsOut", metric::DELIVERIES),
];

/// This server.
pub(super) struct Stats {
    id: String,
    host: String,
    began: Instant,
    metrics: PrometheusHandle,
    before: Option<Samples>,
}

impl Stats {
    /// `id`: what it is called; "" = by its machine and process.
    pub fn new(id: &str, metrics: PrometheusHandle) -> Self {
        let host = host();
        let id = match id {
            "" => format!("{host}#{}", std::process::id()),
            id => id.to_owned(),
        };
        Self {
            id,
            host,
            began: Instant::now(),
            metrics,
            before: None,
        }
    }

    /// The figures of now, and what has happened since the last ones.
    pub fn take(&mut self, hub: &Hub) -> Value {
        let samples = Samples::read(&self.metrics.render());
        let events = self.since(&samples);
        self.before = Some(samples);
        let (clients, polling) = hub.connection_counts();
        let namespaces = hub
            .socket_counts()
            .into_iter()
            .map(|(path, count)| map([("name", path.into()), ("socketsCount", count.into())]));
        map([
            ("serverId", self.id.as_str().into()),
            ("hostname", self.host.as_str().into()),
            ("pid", std::process::id().into()),
            ("uptime", self.began.elapsed().as_secs_f64().into()),
            ("clientsCount", clients.into()),
            ("pollingClientsCount", polling.into()),
            ("aggregatedEvents", Value::Array(events)),
            ("namespaces", Value::Array(namespaces.collect())),
        ])
    }

    /// Nobody wants to know of what happens now.
    pub fn forget(&mut self) {
        self.before = None;
    }

    fn since(&self, now: &Samples) -> Vec<Value> {
        let Some(before) = &self.before else {
            return Vec::new();
        };
        let counts = AGGREGATED.iter().map(|(kind, name)| {
            let more = now.sum(name) - before.sum(name);
            (*kind, more)
        });
        let events = counts.filter(|(_, more)| *more > 0.0).map(|(kind, more)| {
            map([
                ("timestamp", Timestamp::now().as_ms().into()),
                ("type", kind.into()),
                ("count", more.into()),
            ])
        });
        events.collect()
    }
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.map(|(key, value)| (key.into(), value)).into())
}

/// The name of the machine, as far as the system tells it.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.or_else(|| std::env::var("HOSTNAME").ok());
    let name = name.map(|name| name.trim().to_owned());
    name.filter(|name| !name.is_empty())
        .unwrap_or_else(|| "roomcast".into())
}
