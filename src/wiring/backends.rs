//! The parts that ask the operator's backends.

use std::{sync::Arc, time::Duration};

use super::{Known, WiringError, options::key};
use crate::{
    config::{Config, ForwardRule},
    domain::EntryId,
    outgoing::{HttpBackend, Reads, Webhook},
    ports::Sockets,
    services::{
        ConnectRules, Emits, Forward, ForwardOptions, Told, WebhookParts, WebhookRules, Webhooks,
    },
    stores::Durable,
};

/// How much of a refusal is read, in bytes, for its text; of other answers the status alone counts.
const ANSWER_BYTES: usize = 65_536;

/// How often one node alone looks for what webhooks have missed.
const LOOK: Duration = Duration::from_secs(1);

/// The ways of events that backends answer.
pub(super) fn forwards(
    rules: &[ForwardRule],
    emits: &Arc<Emits>,
) -> Result<Vec<Arc<Forward>>, WiringError> {
    let way = |rule: &ForwardRule| {
        let webhook = Webhook::new(rule.url.clone(), key(&rule.secret), rule.timeout())?;
        let backend = HttpBackend {
            webhook,
            answer_bytes: rule.response_bytes,
            reads: Reads::Whole,
        };
        let options = ForwardOptions {
            event: rule.event.clone(),
            who: rule.who,
            max_in_flight: rule.max_in_flight,
            failures: rule.failures,
            pause: rule.pause(),
        };
        let way = Forward::new(options, Arc::new(backend), emits.clone());
        Ok(Arc::new(way))
    };
    rules.iter().map(way).collect()
}

/// Webhooks as configured; without an address nothing is told.
pub(super) fn webhooks(
    config: &Config,
    store: &Arc<dyn Durable>,
    known: &Known,
    sockets: &Arc<dyn Sockets>,
) -> Result<Webhooks, WiringError> {
    let hooks = &config.webhooks;
    if !hooks.is_on() {
        return Ok(Webhooks::default());
    }
    let backend = |timeout| -> Result<_, WiringError> {
        let webhook = Webhook::new(hooks.url.clone(), key(&hooks.secret), timeout)?;
        Ok(Arc::new(HttpBackend {
            webhook,
            answer_bytes: ANSWER_BYTES,
            reads: Reads::Refusals,
        }))
    };
    let connect = match hooks.tells("connect") {
        true => Some(ConnectRules {
            backend: backend(hooks.connect_timeout())?,
            in_flight: hooks.connects_in_flight,
            patience: hooks.connect_timeout(),
        }),
        false => None,
    };
    Ok(Webhooks::new(WebhookParts {
        run: EntryId::generate().as_str().into(),
        backend: backend(hooks.timeout())?,
        store: store.clone(),
        leases: store.clone(),
        presence: known.presence.clone(),
        occupancy: known.occupancy.clone(),
        sockets: sockets.clone(),
        rules: WebhookRules {
            told: Told {
                connected: hooks.tells("connected"),
                disconnected: hooks.tells("disconnected"),
                occupied: hooks.tells("room:occupied"),
                vacated: hooks.tells("room:vacated"),
                presence: hooks.tells("presence:changed"),
            },
            in_flight: hooks.in_flight,
            backoff: hooks.backoff(),
            backoff_max: hooks.backoff_max(),
            give_up: hooks.give_up(),
            max_pending: hooks.max_pending,
            look: match config.cluster.is_on() {
                true => config.cluster.lease(),
                false => LOOK,
            },
        },
        connect,
    }))
}
