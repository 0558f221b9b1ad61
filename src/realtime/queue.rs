//! One socket's events, in the order in which it sent them.

mod run;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures::future::BoxFuture;
use parking_lot::Mutex;

pub use self::run::Runner;
use super::Order;
use crate::telemetry::series;

/// How much of one socket may wait or be under way.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// Events waiting.
    pub events: usize,
    /// Bytes of the events waiting.
    pub bytes: usize,
    /// Events under way at once, where their order allows it (see [`Order::FirstPoll`]).
    pub in_flight: usize,
}

/// One event's work, its ack included.
pub struct Job {
    /// What may run beside it.
    pub order: Order,
    /// The size of the event that caused it.
    pub bytes: usize,
    /// The work. It must not panic.
    pub work: BoxFuture<'static, Ending>,
}

/// What is left of a job when its work is done: it is called in the order of the jobs.
pub type Ending = Option<Box<dyn FnOnce() + Send>>;

impl Job {
    /// With nothing left to do in the end.
    pub fn plain(
        order: Order,
        bytes: usize,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let work = Box::pin(async move {
            work.await;
            None
        });
        Self { order, bytes, work }
    }
}

/// A job in the queue, counted for as long as it is there.
struct Waiting {
    job: Job,
    _counted: Counted,
}

impl Waiting {
    fn new(job: Job) -> Self {
        series::queued().increment(1);
        Self {
            job,
            _counted: Counted,
        }
    }
}

struct Counted;

impl Drop for Counted {
    fn drop(&mut self) {
        series::queued().decrement(1);
    }
}

/// Whether the next job may begin; wakes when it may.
pub type Ready = Box<dyn Fn(&mut Context<'_>) -> Poll<()> + Send + Sync>;

/// A bounded queue with a task of its own only while a job has to wait: an idle socket costs none.
pub struct EventQueue {
    limits: QueueLimits,
    /// While it is pending, nothing more begins.
    ready: Ready,
    state: Mutex<State>,
}

struct State {
    jobs: VecDeque<Waiting>,
    bytes: usize,
    phase: Phase,
    /// The running task, when it waits for more work.
    waiting: Option<Waker>,
}

#[derive(PartialEq)]
enum Phase {
    /// Jobs are kept until [`EventQueue::open`].
    Held,
    Idle,
    Running,
    /// Nothing is accepted any more; what was accepted still runs.
    Closed {
        running: bool,
    },
}

impl EventQueue {
    /// A queue that keeps its jobs until it is opened.
    pub fn held(limits: QueueLimits, ready: Ready) -> Arc<Self> {
        Arc::new(Self {
            limits,
            ready,
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                bytes: 0,
                phase: Phase::Held,
                waiting: None,
            }),
        })
    }

    /// Starts with `first`, then what has been kept, then what comes. A queue that was closed
    /// before does nothing.
    pub fn open(self: &Arc<Self>, first: Job) {
        let mut state = self.state.lock();
        if state.phase != Phase::Held {
            return;
        }
        state.bytes += first.bytes;
        state.jobs.push_front(Waiting::new(first));
        state.phase = Phase::Running;
        drop(Runner::new(self.clone()));
    }

    /// Whether an event of this size is within the limits.
    pub fn has_room(&self, bytes: usize) -> bool {
        let state = self.state.lock();
        matches!(state.phase, Phase::Closed { .. })
            || (state.jobs.len() < self.limits.events && state.bytes + bytes <= self.limits.bytes)
    }

    /// Adds a job at the end, whatever the limits (see [`EventQueue::has_room`]). After
    /// [`EventQueue::close`] it is dropped in silence: the socket that sent it has gone. What is
    /// returned does the jobs of a queue that was idle.
    pub fn push(self: &Arc<Self>, job: Job) -> Option<Runner> {
        let mut state = self.state.lock();
        if matches!(state.phase, Phase::Closed { .. }) {
            return None;
        }
        self.add(&mut state, job)
    }

    /// Adds a last job, whatever the limits, and accepts no more. `pending` says what becomes of
    /// the jobs before it. A queue that was never opened runs nothing.
    pub fn close(self: &Arc<Self>, pending: Pending, last: Job) {
        let mut state = self.state.lock();
        match state.phase {
            Phase::Closed { .. } => return,
            Phase::Held => {
                state.phase = Phase::Closed { running: false };
                state.jobs.clear();
                return;
            }
            Phase::Idle | Phase::Running => {}
        }
        if pending == Pending::Dropped {
            state.jobs.clear();
            state.bytes = 0;
        }
        drop(self.add(&mut state, last));
        state.phase = Phase::Closed { running: true };
    }

    fn add(self: &Arc<Self>, state: &mut State, job: Job) -> Option<Runner> {
        state.bytes += job.bytes;
        state.jobs.push_back(Waiting::new(job));
        if state.phase == Phase::Idle {
            state.phase = Phase::Running;
            return Some(Runner::new(self.clone()));
        }
        if let Some(waker) = state.waiting.take() {
            waker.wake();
        }
        None
    }
}

/// What becomes of jobs that wait when a queue closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// They still run: the client sent them before it left.
    Finished,
    /// They are dropped: the client is no longer trusted.
    Dropped,
}
