//! One open stream: what waits for its reader, and when it must end.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Waker},
    time::{Duration, Instant},
};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{Connection, StreamLimits, frame};
use crate::{
    domain::{FeedId, Timestamp, User},
    ports::DisconnectReason,
};

/// How long a connection that a stream shares goes on after its end at a shutdown: other answers
/// are under way over it.
const SHARED_PATIENCE: Duration = Duration::from_secs(2);

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// More waits than may.
    OverBudget,
    /// The reader has taken nothing for too long.
    Stalled,
    /// The server ended it.
    Server(DisconnectReason),
    /// The server goes down.
    Shutdown,
    /// The feed cannot be read on: its reader learns why when it comes back.
    Broken,
}

impl EndReason {
    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OverBudget => "over_budget",
            Self::Stalled => "stalled",
            Self::Server(reason) => reason.as_str(),
            Self::Shutdown => "shutdown",
            Self::Broken => "broken",
        }
    }
}

/// An event that waits.
struct Waiting {
    /// Its `seq`; none for a value that a newer one replaces.
    seq: Option<u64>,
    bytes: Bytes,
}

/// What a reader finds.
pub enum Taken {
    /// The next event, and its `seq`.
    Event(Bytes, Option<u64>),
    /// The feed must be read from the store.
    Behind,
    /// Nothing; the reader is woken.
    Nothing,
    /// The end.
    Ended,
}

/// An open stream.
pub struct Live {
    pub feed: FeedId,
    pub user: Arc<User>,
    connection: Connection,
    left: AtomicBool,
    state: Mutex<State>,
}

struct State {
    queue: VecDeque<Waiting>,
    bytes: usize,
    /// The newest `seq` that was committed while the reader read the store; none once it has caught
    /// up.
    behind: Option<u64>,
    ended: Option<(EndReason, Instant)>,
    keep_alive: bool,
    /// Since when the reader has taken nothing of what waits.
    waiting_since: Option<Instant>,
    written_at: Instant,
    waker: Option<Waker>,
}

impl Live {
    pub fn new(feed: FeedId, user: Arc<User>, connection: Connection) -> Self {
        Self {
            feed,
            user,
            connection,
            left: AtomicBool::new(false),
            state: Mutex::new(State {
                queue: VecDeque::new(),
                bytes: 0,
                behind: Some(0),
                ended: None,
                keep_alive: false,
                waiting_since: None,
                written_at: Instant::now(),
                waker: None,
            }),
        }
    }

    /// A new entry of the feed. One that reads the store will find it there.
    pub fn push(&self, seq: u64, bytes: impl FnOnce() -> Bytes, limits: &StreamLimits) {
        let mut state = self.state.lock();
        if state.ended.is_some() {
            return;
        }
        if let Some(newest) = &mut state.behind {
            *newest = seq.max(*newest);
            return;
        }
        let bytes = bytes();
        // What waits may be within the budget and the event alone beyond it.
        if state.bytes >= limits.pending_bytes {
            state.end(EndReason::OverBudget);
            return;
        }
        let seq = Some(seq);
        state.add(Waiting { seq, bytes });
    }

    /// A newer value than what waits.
    pub fn replace(&self, bytes: Bytes) {
        let mut state = self.state.lock();
        if state.ended.is_none() {
            state.clear();
            state.add(Waiting { seq: None, bytes });
        }
    }

    /// What comes next for a reader that has had all before `next`.
    pub fn take(&self, next: u64, cx: &Context<'_>) -> Taken {
        let mut state = self.state.lock();
        state.waiting_since = None;
        if state.ended.is_some() {
            return Taken::Ended;
        }
        if state.behind.is_some() {
            return Taken::Behind;
        }
        while let Some(waiting) = state.queue.pop_front() {
            state.bytes -= waiting.bytes.len();
            match waiting.seq {
                Some(seq) if seq < next => {}
                Some(seq) if seq > next => {
                    let newest = state.queue.back().and_then(|last| last.seq);
                    state.clear();
                    state.behind = Some(newest.unwrap_or(seq));
                    return Taken::Behind;
                }
                seq => {
                    state.written();
                    return Taken::Event(waiting.bytes, seq);
                }
            }
        }
        if std::mem::take(&mut state.keep_alive) {
            state.written();
            return Taken::Event(frame::KEEP_ALIVE, None);
        }
        state.queue.shrink_to(0);
        state.waker = Some(cx.waker().clone());
        Taken::Nothing
    }

    /// The reader takes something that it has read itself; `more` of it waits.
    pub fn took(&self, more: bool) {
        let mut state = self.state.lock();
        state.written();
        if more {
            state.waiting_since = Some(Instant::now());
        }
    }

    /// The newest `seq` that is known while the reader reads the store.
    pub fn newest(&self) -> u64 {
        self.state.lock().behind.unwrap_or(0)
    }

    /// The reader has read the store to its end, up to before `next`; whether that is all there is.
    pub fn caught_up(&self, next: u64) -> bool {
        let mut state = self.state.lock();
        let all = state.behind.is_none_or(|newest| newest < next);
        if all {
            state.behind = None;
        }
        all
    }

    pub fn end(&self, reason: EndReason) {
        self.state.lock().end(reason);
    }

    pub fn ended(&self) -> Option<EndReason> {
        self.state.lock().ended.map(|(reason, _)| reason)
    }

    /// Ends the stream when its time has come, and hangs up where its reader does not even take
    /// that; whether it has ended.
    pub fn check(&self, now: Instant, limits: &StreamLimits) -> bool {
        let mut state = self.state.lock();
        if let Some((reason, at)) = state.ended {
            let patience = match (&self.connection, reason) {
                (Connection::Own(_), _) => limits.tick,
                (Connection::Shared(_), EndReason::Shutdown) => SHARED_PATIENCE,
                // Other answers come over it: it stays, and this one waits for its reader.
                (Connection::Shared(_), _) => return true,
            };
            if now.duration_since(at) >= patience {
                self.connection.hangup().now();
            }
            return true;
        }
        let expires_at = self.user.token.expires_at;
        if expires_at.is_some_and(|end| Timestamp::now() >= end.plus(limits.leeway)) {
            state.end(EndReason::Server(DisconnectReason::TokenExpired));
        } else if state.waited(now) >= limits.stall {
            state.end(EndReason::Stalled);
        } else if now.duration_since(state.written_at) >= limits.keep_alive {
            state.keep_alive = true;
            state.wake(now);
        }
        state.ended.is_some()
    }

    /// Marks the stream as counted out; whether it was counted in.
    pub fn leave(&self) -> bool {
        !self.left.swap(true, Ordering::Relaxed)
    }
}

impl State {
    fn add(&mut self, waiting: Waiting) {
        self.bytes += waiting.bytes.len();
        self.queue.push_back(waiting);
        self.wake(Instant::now());
    }

    fn clear(&mut self) {
        self.queue.clear();
        self.bytes = 0;
    }

    fn written(&mut self) {
        let now = Instant::now();
        self.written_at = now;
        self.keep_alive = false;
        if !self.queue.is_empty() {
            self.waiting_since = Some(now);
        }
    }

    fn waited(&self, now: Instant) -> Duration {
        self.waiting_since
            .map_or(Duration::ZERO, |since| now.duration_since(since))
    }

    fn wake(&mut self, now: Instant) {
        self.waiting_since.get_or_insert(now);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn end(&mut self, reason: EndReason) {
        if self.ended.is_none() {
            let now = Instant::now();
            self.ended = Some((reason, now));
            self.clear();
            self.wake(now);
        }
    }
}
