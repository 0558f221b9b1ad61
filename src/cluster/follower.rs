//! Live delivery in a cluster: every entry in the order of its position, whichever node wrote it.

mod line;

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use metrics::{counter, gauge};
use tokio::sync::mpsc;

use self::line::{Line, Waiting};
use super::{Heard, Hearing, Outgoing};
use crate::{
    domain::{Entry, FeedId, PaymentId},
    ports::{Commit, Emitter, FeedStore, Notice, StoreResult},
    realtime::namespace::Hub,
    services::{Delivery, present},
    telemetry::metric,
};

/// The most entries that are read from the store at a time.
const PAGE: usize = 1_000;

/// The most commits that are taken up at a time.
const AT_ONCE: usize = 1_024;

/// The most entries of other nodes that wait for one that is due; what is more is read later.
const MAX_WAITING: usize = 65_536;

/// How long the store is left alone after it could not be read.
const RETRY: Duration = Duration::from_millis(250);

/// When the store is looked at.
#[derive(Clone, Copy, Debug)]
pub struct FollowerOptions {
    /// At least this often.
    pub poll: Duration,
    /// An entry that is due is waited for so long, while other nodes are heard.
    pub gap: Duration,
}

/// Delivers entries in the order of their positions.
pub struct Follower {
    /// The entries.
    pub feeds: Arc<dyn FeedStore>,
    /// Who gets them.
    pub delivery: Delivery,
    /// This node's sockets, for events of other nodes.
    pub hub: Arc<Hub>,
    /// The other nodes, if there are any.
    pub others: Option<(Outgoing, Hearing)>,
    /// Where it is said that a payment has its outcome, if there may be other nodes.
    pub notices: Option<mpsc::UnboundedSender<Notice>>,
    /// The way to Node's servers, if there may be any.
    pub servers: Option<Arc<dyn Emitter>>,
    /// When the store is looked at.
    pub options: FollowerOptions,
}

type Reading = Pin<Box<dyn Future<Output = StoreResult<Page>> + Send>>;

/// What the store has after the cursor.
struct Page {
    entries: Vec<Arc<Entry>>,
    /// The first entry that waited when the store was asked: what lies before it and is not here has
    /// been taken by retention.
    before: Option<u64>,
    /// Where there is nothing: the position of the newest entry, if the store has lost what was
    /// delivered.
    fallen_to: Option<u64>,
}

impl Follower {
    /// Delivers what comes after `cursor`, until the store has closed.
    pub async fn run(
        self,
        mut commits: mpsc::UnboundedReceiver<Commit>,
        mut heard: mpsc::Receiver<Heard>,
        cursor: u64,
    ) {
        let mut line = Line {
            cursor,
            waiting: BTreeMap::new(),
            gap_since: None,
            reading: None,
            look_at: Instant::now() + self.options.poll,
        };
        let mut taken = Vec::new();
        let undelivered = gauge!(metric::UNDELIVERED);
        loop {
            let look_at = self.next_look(&line);
            tokio::select! {
                count = commits.recv_many(&mut taken, AT_ONCE) => {
                    if count == 0 {
                        break;
                    }
                    self.committed(&mut taken, &mut line);
                }
                Some(one) = heard.recv() => self.hear(one, &mut line),
                page = read(&mut line.reading) => self.take_page(page, &mut line),
                () = tokio::time::sleep_until(look_at.into()), if line.reading.is_none() => {
                    line.reading = Some(self.read(&line));
                }
            }
            self.deliver_due(&mut line);
            #[allow(clippy::cast_precision_loss)] // Far fewer than 2^52.
            undelivered.set(line.waiting.len() as f64);
        }
        line.answer_all();
    }

    fn next_look(&self, line: &Line) -> Instant {
        let is_deaf = self
            .others
            .as_ref()
            .is_none_or(|(_, hearing)| hearing.is_deaf());
        let patience = if is_deaf {
            Duration::ZERO
        } else {
            self.options.gap
        };
        let gap = line.gap_since.map(|since| since + patience);
        gap.map_or(line.look_at, |gap| gap.min(line.look_at))
    }

    fn committed(&self, taken: &mut Vec<Commit>, line: &mut Line) {
        for Commit { entry, done } in taken.drain(..) {
            if let Some((outgoing, _)) = &self.others {
                outgoing.entry(&entry);
            }
            let position = entry.position;
            let waiting = Waiting::own(entry, done);
            if position > line.cursor {
                line.waiting.insert(position, waiting);
            } else {
                // It was found in the store before we were told.
                self.tell_servers(&waiting);
                waiting.answer();
            }
        }
    }

    fn hear(&self, heard: Heard, line: &mut Line) {
        match heard {
            Heard::Entry(entry) => {
                let position = entry.position;
                if position > line.cursor && line.waiting.len() < MAX_WAITING {
                    counter!(metric::CLUSTER_ENTRIES, "from" => "redis").increment(1);
                    let waiting = line.waiting.entry(position);
                    waiting.or_insert(Waiting::of_others(entry));
                }
            }
            Heard::Event(event) => event.0.read(|emit, body| self.hub.send_encoded(emit, body)),
            Heard::Missed | Heard::Back => line.look_at = Instant::now(),
        }
    }

    fn read(&self, line: &Line) -> Reading {
        let feeds = self.feeds.clone();
        let (after, before) = (line.cursor, line.waiting.keys().next().copied());
        Box::pin(async move {
            let entries = feeds.log(after, PAGE).await?;
            let fallen_to = match entries.is_empty() {
                true => Some(feeds.last_position().await?).filter(|newest| *newest < after),
                false => None,
            };
            Ok(Page {
                entries,
                before,
                fallen_to,
            })
        })
    }

    fn take_page(&self, page: StoreResult<Page>, line: &mut Line) {
        line.reading = None;
        let now = Instant::now();
        let Ok(Page {
            entries,
            before,
            fallen_to,
        }) = page
        else {
            line.look_at = now + RETRY;
            line.gap_since = line.gap_since.map(|_| now + RETRY);
            // They are stored, and will be delivered.
            line.answer_all();
            return;
        };
        if entries.is_empty() {
            line.look_at = now + self.options.poll;
            line.gap_since = line.gap_since.map(|_| now);
            if let Some(newest) = fallen_to {
                tracing::error!(newest, cursor = line.cursor, "the store has lost entries");
                line.cursor = newest;
                line.answer_all();
                line.waiting.clear();
            }
            if let (Some(first), None) = (before, fallen_to) {
                line.cursor = line.cursor.max(first - 1);
            }
            return;
        }
        // There may be more.
        line.look_at = now;
        for entry in entries {
            if entry.position <= line.cursor {
                continue;
            }
            line.cursor = entry.position;
            let known = line.waiting.remove(&entry.position);
            if known.is_none() {
                counter!(metric::CLUSTER_ENTRIES, "from" => "store").increment(1);
            }
            self.deliver(match known {
                Some(known) => Waiting { entry, ..known },
                None => Waiting::of_others(entry),
            });
        }
        let after = line.waiting.split_off(&(line.cursor + 1));
        let passed = std::mem::replace(&mut line.waiting, after);
        passed.into_values().for_each(Waiting::answer);
    }

    fn deliver_due(&self, line: &mut Line) {
        while let Some(next) = line.waiting.remove(&(line.cursor + 1)) {
            line.cursor += 1;
            line.gap_since = None;
            self.deliver(next);
        }
        if line.waiting.is_empty() {
            line.gap_since = None;
        } else if line.gap_since.is_none() {
            line.gap_since = Some(Instant::now());
        }
    }

    /// Node's servers hear of an entry from the node that has committed it.
    fn tell_servers(&self, waiting: &Waiting) {
        if let Some(servers) = self.servers.as_ref().filter(|_| waiting.is_own) {
            present(&waiting.entry, |emit| servers.emit(emit));
        }
    }

    fn deliver(&self, waiting: Waiting) {
        let entry = &waiting.entry;
        self.delivery.deliver(entry);
        self.tell_servers(&waiting);
        if let Some(notices) = &self.notices
            && let (FeedId::User(_), Some(subject)) = (&entry.feed, &entry.subject)
            && let Ok(payment) = PaymentId::new(subject.as_str())
        {
            // The socket that asked may be one of ours.
            let _ = notices.send(Notice::PaymentSettled { payment });
        }
        waiting.answer();
    }
}

/// The page, once it has been read; never when nothing is read.
async fn read(reading: &mut Option<Reading>) -> StoreResult<Page> {
    match reading {
        Some(reading) => reading.await,
        None => std::future::pending().await,
    }
}
