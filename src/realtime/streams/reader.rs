//! What is written to one client: the greeting, what it missed, then what comes.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::{FutureExt, Stream, future::BoxFuture};

use super::{
    Inner, frame,
    live::{EndReason, Live, Taken},
};
use crate::{
    domain::{Cursor, Entry, EntryPage, Posted, Verdict},
    ports::StoreResult,
};

/// How many entries are read at a time.
pub const PAGE: usize = 16;

/// A page on its way from the store.
pub struct Reading {
    page: BoxFuture<'static, StoreResult<EntryPage>>,
    /// The newest `seq` that was known before: up to it the page must have what there is.
    known: u64,
}

/// A stream's bytes. Dropping it frees what the stream held.
pub struct Reader {
    pub(super) streams: Arc<Inner>,
    pub(super) live: Arc<Live>,
    /// The first `seq` that the client has not been sent.
    pub(super) next: u64,
    pub(super) greeting: Option<Bytes>,
    pub(super) page: VecDeque<Entry>,
    pub(super) reading: Option<Reading>,
}

impl Reader {
    /// The next entry that was read from the store.
    fn take_read(&mut self) -> Option<Bytes> {
        let entry = self.page.pop_front()?;
        self.next = entry.seq + 1;
        if self.page.is_empty() {
            self.page = VecDeque::new();
        }
        self.live.took(!self.page.is_empty());
        Some(encode(&Arc::new(entry)))
    }

    /// Reads the store; whether there is something to go on with.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let reading = self.reading.get_or_insert_with(|| {
            let (streams, feed) = (self.streams.clone(), self.live.feed.clone());
            let after = Cursor::AfterSeq(self.next - 1);
            Reading {
                page: async move { streams.feeds.page(&feed, after, PAGE).await }.boxed(),
                known: self.live.newest(),
            }
        });
        let page = std::task::ready!(reading.page.poll_unpin(cx));
        let known = reading.known;
        self.reading = None;
        match page {
            Ok(page) if page.verdict != Verdict::Complete => self.live.end(EndReason::Broken),
            Ok(page) if page.entries.is_empty() => {
                // What has been committed since the page was read is read next.
                if !self.live.caught_up(self.next) && known >= self.next {
                    self.live.end(EndReason::Broken);
                }
            }
            Ok(page) => self.page = page.entries.into(),
            Err(error) => {
                tracing::warn!(%error, "a stream could not be read on");
                self.live.end(EndReason::Broken);
            }
        }
        Poll::Ready(())
    }
}

/// An entry as an event of its feed's streams.
pub fn encode(entry: &Arc<Entry>) -> Bytes {
    match Posted::from_entry(entry.clone()) {
        Some(posted) => frame::event(Some(entry.id.as_str()), &entry.event, &posted),
        // Rooms and conversations have no streams.
        None => Bytes::new(),
    }
}

impl Stream for Reader {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if this.live.ended().is_some() {
                return Poll::Ready(None);
            }
            if let Some(greeting) = this.greeting.take() {
                this.live.took(!this.page.is_empty());
                return Poll::Ready(Some(Ok(greeting)));
            }
            if let Some(event) = this.take_read() {
                return Poll::Ready(Some(Ok(event)));
            }
            match this.live.take(this.next, cx) {
                Taken::Event(bytes, seq) => {
                    this.next = seq.map_or(this.next, |seq| seq + 1);
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Taken::Behind => std::task::ready!(this.read(cx)),
                Taken::Nothing => return Poll::Pending,
                Taken::Ended => return Poll::Ready(None),
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.streams.remove(&self.live);
    }
}
