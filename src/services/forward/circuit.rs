//! A circuit breaker: a backend that fails again and again is left alone for a while.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Lets requests through while they succeed. After so many failures in a row it lets none through
/// for a while, then a single one: it decides whether the others may follow.
pub(super) struct Circuit {
    state: Mutex<State>,
    failures: u32,
    pause: Duration,
}

#[derive(Clone, Copy)]
enum State {
    /// All may pass; so many have failed in a row.
    Closed(u32),
    /// None may pass until then.
    Open(Instant),
    /// One is under way, which decides.
    Probing,
}

/// Whether the attempt is the one that decides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Probe,
}

/// A request that may be made. Dropped without an outcome, as when its caller gave up, it has none.
pub(super) struct Attempt<'a> {
    circuit: &'a Circuit,
    kind: Kind,
    is_settled: bool,
}

impl Circuit {
    pub(super) fn new(failures: u32, pause: Duration) -> Self {
        Self {
            state: Mutex::new(State::Closed(0)),
            failures,
            pause,
        }
    }

    /// An attempt, if one may be made now.
    pub(super) fn enter(&self) -> Option<Attempt<'_>> {
        let mut state = self.state.lock();
        let kind = match *state {
            State::Closed(_) => Kind::Plain,
            State::Open(until) if until <= Instant::now() => {
                *state = State::Probing;
                Kind::Probe
            }
            State::Open(_) | State::Probing => return None,
        };
        Some(Attempt {
            circuit: self,
            kind,
            is_settled: false,
        })
    }

    /// Whether requests may pass.
    pub(super) fn is_closed(&self) -> bool {
        matches!(*self.state.lock(), State::Closed(_))
    }
}

impl Attempt<'_> {
    pub(super) fn succeeded(mut self) {
        self.is_settled = true;
        let mut state = self.circuit.state.lock();
        match (*state, self.kind) {
            // One that began before the circuit opened says nothing of the backend now.
            (State::Open(_) | State::Probing, Kind::Plain) => {}
            _ => *state = State::Closed(0),
        }
    }

    pub(super) fn failed(mut self) {
        self.is_settled = true;
        let mut state = self.circuit.state.lock();
        *state = match (*state, self.kind) {
            (State::Closed(failures), _) if failures + 1 < self.circuit.failures => {
                State::Closed(failures + 1)
            }
            (State::Open(_) | State::Probing, Kind::Plain) => return,
            _ => State::Open(Instant::now() + self.circuit.pause),
        };
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.is_settled && self.kind == Kind::Probe {
            // The next one may try.
            *self.circuit.state.lock() = State::Open(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(5);

    fn fail(circuit: &Circuit, times: usize) {
        for _ in 0..times {
            circuit.enter().unwrap().failed();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_open_it_and_a_success_between_them_counts_anew() {
        let circuit = Circuit::new(3, PAUSE);
        fail(&circuit, 2);
        circuit.enter().unwrap().succeeded();
        fail(&circuit, 2);
        assert!(circuit.is_closed());
        fail(&circuit, 1);
        assert!(!circuit.is_closed() && circuit.enter().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_pause_one_probe_decides() {
        let circuit = Circuit::new(1, PAUSE);
        fail(&circuit, 1);
        tokio::time::advance(PAUSE).await;
        let probe = circuit.enter().unwrap();
        assert!(circuit.enter().is_none(), "one at a time");
        probe.failed();
        assert!(circuit.enter().is_none(), "the pause begins anew");
        tokio::time::advance(PAUSE).await;
        circuit.enter().unwrap().succeeded();
        assert!(circuit.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_given_up_leaves_its_place_to_the_next() {
        let circuit = Circuit::new(1, PAUSE);
        fail(&circuit, 1);
        tokio::time::advance(PAUSE).await;
        drop(circuit.enter());
        circuit.enter().unwrap().succeeded();
        assert!(circuit.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_began_before_it_opened_does_not_close_it() {
        let circuit = Circuit::new(1, PAUSE);
        let early = circuit.enter().unwrap();
        let late = circuit.enter().unwrap();
        late.failed();
        early.succeeded();
        assert!(circuit.enter().is_none());
    }
}
