//! Event streams (SSE): each reads one feed, from where its client was, and goes on live.
//!
//! A stream keeps a cursor. A committed entry that is the next one goes straight to it; a stream
//! that is not there yet reads the store, at its client's pace. So an entry comes once and in
//! order, whether it was stored before the stream began, while, or after.

mod frame;
mod live;
mod open;
mod reader;

use std::{
    collections::HashMap,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use metrics::{counter, gauge};
use parking_lot::Mutex;
use tokio::sync::Notify;

use self::live::{EndReason, Live};
use crate::{
    domain::{ChannelId, Entry, FeedId, User, UserId},
    error::{Code, Error, Result},
    ports::{DisconnectReason, FeedStore, Streams},
    sparse,
    telemetry::{self, metric},
};

pub use open::{Opening, Source};
pub use reader::Reader;

/// How many streams there may be, and how each is treated.
#[derive(Clone, Copy, Debug)]
pub struct StreamLimits {
    /// The most in all; 0 for any number.
    pub streams: usize,
    /// The most of one user; 0 for any number.
    pub per_user: usize,
    /// The most bytes that wait for one reader.
    pub pending_bytes: usize,
    /// How long a reader may take nothing of what waits.
    pub stall: Duration,
    /// The longest silence; then comes a comment.
    pub keep_alive: Duration,
    /// How long clients wait before they come back.
    pub retry_ms: u64,
    /// How long a token is good after its end.
    pub leeway: Duration,
    /// How often all of this is looked at.
    pub tick: Duration,
}

/// Ends the connection under a request, whatever it is doing.
#[derive(Clone, Default)]
pub struct Hangup(Arc<Notify>);

impl Hangup {
    /// Ends it.
    pub fn now(&self) {
        self.0.notify_one();
    }

    /// Waits until somebody wants it ended.
    pub async fn wanted(&self) {
        self.0.notified().await;
    }
}

/// What is below a stream.
#[derive(Clone)]
pub enum Connection {
    /// A connection of its own.
    Own(Hangup),
    /// One that other answers share.
    Shared(Hangup),
}

impl Connection {
    fn hangup(&self) -> &Hangup {
        match self {
            Self::Own(hangup) | Self::Shared(hangup) => hangup,
        }
    }
}

/// The open streams.
pub struct StreamHub(Arc<Inner>);

/// What streams share.
pub struct Inner {
    feeds: Arc<dyn FeedStore>,
    limits: StreamLimits,
    open: Mutex<Open>,
    closing: AtomicBool,
}

#[derive(Default)]
struct Open {
    by_feed: HashMap<FeedId, Vec<Arc<Live>>>,
    by_user: HashMap<UserId, usize>,
    count: usize,
    /// Streams that have ended and whose readers have not noticed yet.
    ended: Vec<Weak<Live>>,
    /// The newest values of channels that are stored nowhere.
    latest: HashMap<ChannelId, Bytes>,
}

impl StreamHub {
    /// No streams yet.
    pub fn new(feeds: Arc<dyn FeedStore>, limits: StreamLimits) -> Self {
        Self(Arc::new(Inner {
            feeds,
            limits,
            open: Mutex::default(),
            closing: AtomicBool::new(false),
        }))
    }

    /// Ends streams whose time has come, and lets none be silent for too long, for ever.
    pub async fn run(&self) {
        let mut tick = tokio::time::interval(self.0.limits.tick);
        let streams = gauge!(metric::STREAMS);
        loop {
            let now = tick.tick().await.into_std();
            let open = self.all();
            #[allow(clippy::cast_precision_loss)] // Far fewer than 2^52.
            streams.set(open.len() as f64);
            for live in open {
                if live.check(now, &self.0.limits) {
                    self.0.remove(&live);
                }
            }
            self.0.hang_up_ended(now);
        }
    }

    /// Lets nobody in any more and ends all streams, so many a second, within the deadline: their
    /// clients come back, elsewhere.
    pub async fn close(&self, per_second: u32, deadline: Duration) {
        self.0.closing.store(true, Ordering::Relaxed);
        let mut tick = tokio::time::interval(self.0.limits.tick);
        let mut open = self.all();
        // The last ones must be ended well before the deadline.
        let steps = deadline.as_millis() / 2 / self.0.limits.tick.as_millis().max(1);
        let in_time = open
            .len()
            .div_ceil(usize::try_from(steps.max(1)).unwrap_or(1));
        let paced = self.0.limits.tick.mul_f64(f64::from(per_second)).as_secs();
        let at_once = usize::try_from(paced).unwrap_or(1).max(1).max(in_time);
        while !open.is_empty() {
            tick.tick().await;
            let left = open.len().saturating_sub(at_once);
            for live in open.drain(left..) {
                live.end(EndReason::Shutdown);
            }
        }
    }

    fn all(&self) -> Vec<Arc<Live>> {
        let open = self.0.open.lock();
        open.by_feed.values().flatten().cloned().collect()
    }
}

impl Inner {
    /// Counts a stream in. Fails with `too_many_streams` and `too_many_streams_per_user`.
    fn add(&self, live: &Arc<Live>) -> Result<()> {
        let mut open = self.open.lock();
        let refused = |code, message| {
            telemetry::limited(code);
            Err(Error::new(code, message))
        };
        if self.limits.streams > 0 && open.count >= self.limits.streams {
            return refused(Code::TooManyStreams, "Too many streams");
        }
        let of_user = open.by_user.get(&live.user.id).copied().unwrap_or(0);
        if self.limits.per_user > 0 && of_user >= self.limits.per_user {
            return refused(Code::TooManyStreamsPerUser, "Too many streams of this user");
        }
        open.count += 1;
        open.by_user.insert(live.user.id.clone(), of_user + 1);
        let of_feed = open.by_feed.entry(live.feed.clone());
        of_feed
            .or_insert_with(|| Vec::with_capacity(1))
            .push(live.clone());
        Ok(())
    }

    /// Hangs up on readers who do not notice that their stream has ended.
    fn hang_up_ended(&self, now: Instant) {
        let mut open = self.open.lock();
        open.ended.retain(|live| match live.upgrade() {
            Some(live) => live.check(now, &self.limits),
            None => false,
        });
        open.ended.shrink_to(64);
    }

    /// Counts a stream out that has ended, whether or not its reader has noticed.
    fn remove(&self, live: &Arc<Live>) {
        if !live.leave() {
            return;
        }
        let reason = live.ended().map_or("client_gone", EndReason::as_str);
        counter!(metric::STREAM_ENDS, "reason" => reason).increment(1);
        let mut open = self.open.lock();
        open.count -= 1;
        if let Some(of_feed) = open.by_feed.get_mut(&live.feed) {
            if let Some(at) = of_feed.iter().position(|one| Arc::ptr_eq(one, live)) {
                of_feed.swap_remove(at);
            }
            if of_feed.is_empty() {
                open.by_feed.remove(&live.feed);
            }
        }
        if let Some(of_user) = open.by_user.get_mut(&live.user.id) {
            *of_user -= 1;
            if *of_user == 0 {
                open.by_user.remove(&live.user.id);
            }
        }
        if live.ended().is_some() {
            open.ended.push(Arc::downgrade(live));
        }
        sparse::shrink(&mut open.by_feed);
        sparse::shrink(&mut open.by_user);
    }
}

impl Streams for StreamHub {
    fn deliver(&self, entry: &Arc<Entry>) {
        let open = self.0.open.lock();
        let Some(readers) = open.by_feed.get(&entry.feed) else {
            return;
        };
        let mut encoded = None;
        for live in readers {
            let bytes = || encoded.get_or_insert_with(|| reader::encode(entry)).clone();
            live.push(entry.seq, bytes, &self.0.limits);
        }
    }

    fn publish(&self, channel: &ChannelId, event: &str, value: &serde_json::Value) {
        let bytes = frame::event(None, event, value);
        let mut open = self.0.open.lock();
        let initial = frame::event(None, open::INITIAL, value);
        open.latest.insert(channel.clone(), initial);
        let readers = open.by_feed.get(&FeedId::Channel(channel.clone()));
        for live in readers.into_iter().flatten() {
            live.replace(bytes.clone());
        }
    }

    fn is_read(&self, feed: &FeedId) -> bool {
        self.0.open.lock().by_feed.contains_key(feed)
    }

    fn end(&self, which: &dyn Fn(&User) -> bool, reason: DisconnectReason) {
        for live in self.all() {
            if which(&live.user) {
                live.end(EndReason::Server(reason));
            }
        }
    }
}

#[cfg(test)]
#[path = "streams/tests.rs"]
mod tests;
