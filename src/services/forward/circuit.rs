//! A circuit breaker: a backend that fails again and again is left alone for a while.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Lets requests through while they succeed. After so many failures in a row it lets none through
/// for a while, then a single one: it decides whether the others may follow.
pub(super) struct Circuit {
    now: Mutex<Now>,
    failures: u32,
    pause: Duration,
}

#[derive(Clone, Copy)]
struct Now {
    state: State,
    /// How often it has opened, closed or tried. An attempt of an earlier one says nothing of how the
    /// backend is now.
    generation: u64,
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

/// A request that may be made. Dropped without an outcome, as when its caller gave up, it has none.
pub(super) struct Attempt<'a> {
    circuit: &'a Circuit,
    generation: u64,
}

impl Now {
    fn turn(&mut self, state: State) {
        self.state = state;
        self.generation += 1;
    }
}

impl Circuit {
    pub(super) fn new(failures: u32, pause: Duration) -> Self {
        Self {
            now: Mutex::new(Now {
                state: State::Closed(0),
                generation: 0,
            }),
            failures,
            pause,
        }
    }

    /// An attempt, if one may be made now.
    pub(super) fn enter(&self) -> Option<Attempt<'_>> {
        let mut now = self.now.lock();
        match now.state {
            State::Closed(_) => {}
            State::Open(until) if until <= Instant::now() => now.turn(State::Probing),
            State::Open(_) | State::Probing => return None,
        }
        Some(Attempt {
            circuit: self,
            generation: now.generation,
        })
    }

    /// Whether requests may pass.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.now.lock().state, State::Closed(_))
    }
}

impl Attempt<'_> {
    pub(super) fn succeeded(self) {
        let mut now = self.circuit.now.lock();
        match now.state {
            _ if now.generation != self.generation => {}
            State::Closed(_) => now.state = State::Closed(0),
            State::Open(_) | State::Probing => now.turn(State::Closed(0)),
        }
    }

    pub(super) fn failed(self) {
        let mut now = self.circuit.now.lock();
        match now.state {
            _ if now.generation != self.generation => {}
            State::Closed(failures) if failures + 1 < self.circuit.failures => {
                now.state = State::Closed(failures + 1);
            }
            _ => now.turn(State::Open(Instant::now() + self.circuit.pause)),
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut now = self.circuit.now.lock();
        if now.generation == self.generation && matches!(now.state, State::Probing) {
            // A probe without an outcome: the next one may try.
            now.turn(State::Open(Instant::now()));
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

    /// The pause has passed.
    fn pass(circuit: &Circuit) {
        if let State::Open(until) = &mut circuit.now.lock().state {
            *until -= PAUSE;
        }
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_them_counts_anew() {
        let circuit = Circuit::new(3, PAUSE);
        fail(&circuit, 2);
        circuit.enter().unwrap().succeeded();
        fail(&circuit, 2);
        assert!(circuit.is_closed());
        fail(&circuit, 1);
        assert!(!circuit.is_closed() && circuit.enter().is_none());
    }

    #[test]
    fn after_the_pause_one_probe_decides() {
        let circuit = Circuit::new(1, PAUSE);
        fail(&circuit, 1);
        pass(&circuit);
        let probe = circuit.enter().unwrap();
        assert!(circuit.enter().is_none(), "one at a time");
        probe.failed();
        assert!(circuit.enter().is_none(), "the pause begins anew");
        pass(&circuit);
        circuit.enter().unwrap().succeeded();
        assert!(circuit.is_closed());
    }

    #[test]
    fn a_probe_that_is_given_up_leaves_its_place_to_the_next() {
        let circuit = Circuit::new(1, PAUSE);
        fail(&circuit, 1);
        pass(&circuit);
        drop(circuit.enter());
        circuit.enter().unwrap().succeeded();
        assert!(circuit.is_closed());
    }

    #[test]
    fn what_began_before_it_opened_does_not_close_it() {
        let circuit = Circuit::new(1, PAUSE);
        let early = circuit.enter().unwrap();
        let late = circuit.enter().unwrap();
        late.failed();
        early.succeeded();
        assert!(circuit.enter().is_none());
    }

    #[test]
    fn what_began_before_it_opened_does_not_count_once_it_has_closed_again() {
        let circuit = Circuit::new(2, PAUSE);
        let [early, late] = [circuit.enter().unwrap(), circuit.enter().unwrap()];
        fail(&circuit, 2);
        pass(&circuit);
        circuit.enter().unwrap().succeeded();
        early.failed();
        late.failed();
        assert!(circuit.is_closed());
        fail(&circuit, 1);
        assert!(circuit.is_closed());
        fail(&circuit, 1);
        assert!(!circuit.is_closed());
    }
}
