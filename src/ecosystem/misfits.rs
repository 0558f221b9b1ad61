//! Packets that do not fit: counted, and logged once in a while.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use metrics::counter;
use parking_lot::Mutex;

use super::{channels::Place, value::Unfit};
use crate::telemetry::metric;

/// How often it is logged that packets do not fit, for one reason.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// When each reason was last complained of.
#[derive(Default)]
pub(super) struct Misfits(Mutex<HashMap<(Place, Unfit), Instant>>);

impl Misfits {
    /// Counts what became of a packet, and says why it does not fit.
    pub fn note(&self, place: Place, outcome: Result<(), Unfit>) {
        let word = outcome.err().map_or("done", Unfit::as_str);
        counter!(metric::SERVERS_HEARD, "channel" => place.as_str(), "outcome" => word)
            .increment(1);
        let Err(unfit) = outcome else {
            return;
        };
        let now = Instant::now();
        let mut logged = self.0.lock();
        let is_due = |at: &Instant| now.duration_since(*at) > LOG_INTERVAL;
        if logged.get(&(place, unfit)).is_none_or(is_due) {
            logged.insert((place, unfit), now);
            drop(logged);
            tracing::warn!(
                channel = place.as_str(),
                reason = word,
                "a packet of another server does not fit"
            );
        }
    }
}
