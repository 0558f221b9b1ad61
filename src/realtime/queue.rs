//! One socket's events, in the order in which it sent them.

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    future::{poll_fn, ready},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures::{
    future::BoxFuture,
    stream::{FuturesOrdered, Stream},
};
use metrics::gauge;
use parking_lot::Mutex;

use super::Order;
use crate::telemetry::metric;

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
        gauge!(metric::QUEUED_EVENTS).increment(1);
        Self {
            job,
            _counted: Counted,
        }
    }
}

struct Counted;

impl Drop for Counted {
    fn drop(&mut self) {
        gauge!(metric::QUEUED_EVENTS).decrement(1);
    }
}

/// Whether the next job may begin; wakes when it may.
pub type Ready = Box<dyn Fn(&mut Context<'_>) -> Poll<()> + Send + Sync>;

/// The queue has no room for the event.
#[derive(Debug)]
pub struct QueueFull;

/// A bounded queue with a task of its own only while there is work: an idle socket costs none.
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
        tokio::spawn(self.clone().run());
    }

    /// Adds a job at the end. After [`EventQueue::close`] it is dropped in silence: the socket
    /// that sent it has gone.
    pub fn push(self: &Arc<Self>, job: Job) -> Result<(), QueueFull> {
        let mut state = self.state.lock();
        if matches!(state.phase, Phase::Closed { .. }) {
            return Ok(());
        }
        if state.jobs.len() >= self.limits.events || state.bytes + job.bytes > self.limits.bytes {
            return Err(QueueFull);
        }
        self.add(&mut state, job);
        Ok(())
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
        self.add(&mut state, last);
        state.phase = Phase::Closed { running: true };
    }

    fn add(self: &Arc<Self>, state: &mut State, job: Job) {
        state.bytes += job.bytes;
        state.jobs.push_back(Waiting::new(job));
        if state.phase == Phase::Idle {
            state.phase = Phase::Running;
            tokio::spawn(self.clone().run());
        } else if let Some(waker) = state.waiting.take() {
            waker.wake();
        }
    }

    async fn run(self: Arc<Self>) {
        let mut under_way = FuturesOrdered::new();
        while let Some(step) = self.next_step(&mut under_way).await {
            match step {
                Step::Finished(ending) => end(ending),
                Step::Start(job) if job.order == Order::FirstPoll => {
                    let mut work = job.work;
                    match futures::poll!(&mut work) {
                        Poll::Pending => under_way.push_back(work),
                        Poll::Ready(ending) if under_way.is_empty() => end(ending),
                        Poll::Ready(ending) => under_way.push_back(Box::pin(ready(ending))),
                    }
                }
                Step::Start(job) => {
                    while let Some(ending) = futures::StreamExt::next(&mut under_way).await {
                        end(ending);
                    }
                    end(job.work.await);
                }
            }
        }
    }

    /// The next job, or the end of one that is under way; none when everything is done.
    async fn next_step(&self, under_way: &mut UnderWay) -> Option<Step> {
        poll_fn(|cx| self.poll_step(under_way, cx)).await
    }

    fn poll_step(&self, under_way: &mut UnderWay, cx: &mut Context<'_>) -> Poll<Option<Step>> {
        let running = match Pin::new(&mut *under_way).poll_next(cx) {
            Poll::Ready(Some(ending)) => return Poll::Ready(Some(Step::Finished(ending))),
            Poll::Ready(None) => false,
            Poll::Pending => true,
        };
        let is_ready = (self.ready)(cx).is_ready();
        let mut state = self.state.lock();
        if is_ready
            && under_way.len() < self.limits.in_flight
            && let Some(Waiting { job, .. }) = state.jobs.pop_front()
        {
            state.bytes -= job.bytes;
            return Poll::Ready(Some(Step::Start(job)));
        }
        if running || !state.jobs.is_empty() {
            state.waiting = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.waiting = None;
        state.phase = match state.phase {
            Phase::Closed { .. } => Phase::Closed { running: false },
            Phase::Held | Phase::Idle | Phase::Running => Phase::Idle,
        };
        // What a burst needed is given back.
        state.jobs.shrink_to_fit();
        Poll::Ready(None)
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

type UnderWay = FuturesOrdered<BoxFuture<'static, Ending>>;

enum Step {
    Start(Job),
    Finished(Ending),
}

fn end(ending: Ending) {
    if let Some(end) = ending {
        end();
    }
}
