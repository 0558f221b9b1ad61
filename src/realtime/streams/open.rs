//! Opening a stream: where its client was, and what it is told first.

use std::sync::{Arc, atomic::Ordering};

use serde::Serialize;

use super::{
    Connection, Inner, Reader, StreamHub, frame,
    live::{EndReason, Live},
    reader::PAGE,
};
use crate::{
    domain::{ChannelId, Cursor, EntryId, EntryPage, FeedId, Posted, User, UserId, Verdict},
    error::{Error, Result},
};

/// The event that carries a channel's last value.
pub const INITIAL: &str = "initial";

const CONNECTED: &str = "connected";

/// What a stream reads.
#[derive(Clone, Debug)]
pub enum Source {
    /// A feed, from where its client was; a new client gets what comes.
    Feed(FeedId),
    /// A channel: a new client gets its last value first.
    Channel(ChannelId),
    /// A channel whose values are stored nowhere.
    Unstored(ChannelId),
}

/// Who wants a stream.
pub struct Opening {
    /// The reader.
    pub user: Arc<User>,
    /// The last event that its client has seen: an entry's id or `seq`.
    pub last_event_id: Option<String>,
    /// The reader's connection.
    pub connection: Connection,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connected<'a> {
    user_id: &'a UserId,
    verdict: Verdict,
}

/// Where a stream begins.
struct Start {
    verdict: Verdict,
    page: EntryPage,
    /// Whether the client goes on from where it was.
    resumed: bool,
}

impl StreamHub {
    /// Opens a stream. Fails with `too_many_streams`, `too_many_streams_per_user`, and with
    /// `store_unavailable`. While the server goes down the stream ends at once: its client comes back
    /// after that, which it would not after any other answer.
    pub async fn open(&self, source: Source, opening: Opening) -> Result<Reader> {
        let streams = &self.0;
        let feed = match &source {
            Source::Feed(feed) => feed.clone(),
            Source::Channel(channel) | Source::Unstored(channel) => {
                FeedId::Channel(channel.clone())
            }
        };
        // Before the store is looked at: what is committed from now on is noted.
        let live = Arc::new(Live::new(feed, opening.user, opening.connection));
        streams.add(&live)?;
        let mut reader = Reader {
            streams: streams.clone(),
            live,
            next: 1,
            greeting: None,
            page: Default::default(),
            reading: None,
        };
        if streams.closing.load(Ordering::Relaxed) {
            reader.live.end(EndReason::Shutdown);
            return Ok(reader);
        }
        match source {
            Source::Feed(_) => reader.begin(opening.last_event_id, false).await?,
            Source::Channel(_) => reader.begin(opening.last_event_id, true).await?,
            Source::Unstored(channel) => reader.begin_unstored(&channel),
        }
        Ok(reader)
    }
}

impl Inner {
    async fn start(
        &self,
        feed: &FeedId,
        last_event_id: Option<String>,
        shows_latest: bool,
    ) -> Result<Start> {
        let latest = |verdict| async move {
            let page = self.feeds.page(feed, Cursor::Latest, 1).await?;
            Ok(Start {
                verdict,
                page,
                resumed: false,
            })
        };
        let Some(text) = last_event_id else {
            return latest(Verdict::Complete).await;
        };
        let (page, malformed) = match EntryId::new(text) {
            Ok(id) => (self.feeds.page(feed, Cursor::after(id), PAGE).await?, false),
            Err(_) => (
                self.feeds.page(feed, Cursor::AfterSeq(0), PAGE).await?,
                true,
            ),
        };
        let verdict = if malformed {
            Verdict::Reset
        } else {
            page.verdict
        };
        if verdict == Verdict::Reset && shows_latest {
            return latest(verdict).await;
        }
        Ok(Start {
            verdict,
            page,
            resumed: true,
        })
    }
}

impl Reader {
    /// The greeting and the first page of what the client missed.
    async fn begin(&mut self, last_event_id: Option<String>, shows_latest: bool) -> Result<()> {
        let feed = self.live.feed.clone();
        let start = self
            .streams
            .start(&feed, last_event_id, shows_latest)
            .await?;
        let mut text = frame::retry(self.streams.limits.retry_ms);
        let (last, before) = (start.page.entries.last(), start.page.after.to_string());
        let id = match last {
            // It has an id from before.
            _ if start.resumed && start.verdict == Verdict::Complete => None,
            _ if start.resumed => Some(before.as_str()),
            // The event with the channel's last value brings it.
            Some(_) if shows_latest => None,
            Some(last) => Some(last.id.as_str()),
            None => Some(before.as_str()),
        };
        self.connected(&mut text, id, start.verdict);
        if start.resumed {
            self.next = start.page.after + 1;
            self.page = start.page.entries.into();
        } else {
            self.next = last.map_or(start.page.after, |last| last.seq) + 1;
            if let (Some(last), true) = (last, shows_latest) {
                let id = last.id.as_str().to_owned();
                let posted = Posted::from_entry(Arc::new(last.clone()));
                let value = serde_json::to_string(&posted).map_err(|_| Error::internal())?;
                frame::add(&mut text, Some(&id), INITIAL, &value);
            }
            self.live.caught_up(self.next);
        }
        self.greeting = Some(text.into());
        Ok(())
    }

    fn begin_unstored(&mut self, channel: &ChannelId) {
        let mut text = frame::retry(self.streams.limits.retry_ms);
        self.connected(&mut text, None, Verdict::Complete);
        if let Some(latest) = self.streams.open.lock().latest.get(channel) {
            text.push_str(&String::from_utf8_lossy(latest));
        }
        self.live.caught_up(self.next);
        self.greeting = Some(text.into());
    }

    fn connected(&self, text: &mut String, id: Option<&str>, verdict: Verdict) {
        let connected = Connected {
            user_id: &self.live.user.id,
            verdict,
        };
        // Text only: this cannot fail.
        let data = serde_json::to_string(&connected).unwrap_or_default();
        frame::add(text, id, CONNECTED, &data);
    }
}
