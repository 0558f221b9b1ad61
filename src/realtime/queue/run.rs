//! Doing a queue's jobs: in place as far as none has to wait, then in a task.

use std::{
    future::{poll_fn, ready},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{FuturesOrdered, Stream},
};

use super::{Ending, EventQueue, Job, Phase, Waiting};
use crate::realtime::Order;

/// The jobs of a queue that was idle. Dropped, they are done in a task.
pub struct Runner(Option<Arc<EventQueue>>);

impl Runner {
    pub(super) fn new(queue: Arc<EventQueue>) -> Self {
        Self(Some(queue))
    }

    /// Does the jobs in place until one has to wait: most events need no task. To be called where no
    /// lock is held that a handler may take.
    pub fn run_here(mut self) {
        if let Some(queue) = self.0.take() {
            queue.run_here();
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        if let Some(queue) = self.0.take() {
            tokio::spawn(queue.run(None));
        }
    }
}

type UnderWay = FuturesOrdered<BoxFuture<'static, Ending>>;

enum Step {
    Start(Job),
    Finished(Ending),
}

impl EventQueue {
    fn run_here(self: Arc<Self>) {
        let cx = &mut Context::from_waker(Waker::noop());
        let begun = loop {
            match self.poll_job(0, cx) {
                Poll::Ready(Some(mut job)) if job.order == Order::Serial => {
                    match job.work.poll_unpin(cx) {
                        Poll::Ready(ending) => end(ending),
                        Poll::Pending => break Some(job),
                    }
                }
                // It will wait, for a commit for example.
                Poll::Ready(Some(job)) => break Some(job),
                Poll::Ready(None) => return,
                Poll::Pending => break None,
            }
        };
        tokio::spawn(self.run(begun));
    }

    /// Does `begun` and what comes after it.
    async fn run(self: Arc<Self>, begun: Option<Job>) {
        let mut under_way = FuturesOrdered::new();
        let mut next = begun.map(Step::Start);
        loop {
            let step = match next.take() {
                Some(step) => step,
                None => match self.next_step(&mut under_way).await {
                    Some(step) => step,
                    None => return,
                },
            };
            // A burst lets others have their turn.
            tokio::task::consume_budget().await;
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
                    while let Some(ending) = under_way.next().await {
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
        if let Poll::Ready(Some(ending)) = Pin::new(&mut *under_way).poll_next(cx) {
            return Poll::Ready(Some(Step::Finished(ending)));
        }
        let job = self.poll_job(under_way.len(), cx);
        job.map(|job| job.map(Step::Start))
    }

    /// The next job that may begin beside so many; none when everything is done.
    fn poll_job(&self, under_way: usize, cx: &mut Context<'_>) -> Poll<Option<Job>> {
        let is_ready = (self.ready)(cx).is_ready();
        let mut state = self.state.lock();
        if is_ready
            && under_way < self.limits.in_flight
            && let Some(Waiting { job, .. }) = state.jobs.pop_front()
        {
            state.bytes -= job.bytes;
            return Poll::Ready(Some(job));
        }
        if under_way > 0 || !state.jobs.is_empty() {
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

fn end(ending: Ending) {
    if let Some(end) = ending {
        end();
    }
}
