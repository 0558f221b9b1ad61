//! The parts that ask the operator's backends.

use std::sync::Arc;

use super::{WiringError, options::key};
use crate::{
    config::ForwardRule,
    outgoing::{HttpBackend, Webhook},
    services::{Emits, Forward, ForwardOptions},
};

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
