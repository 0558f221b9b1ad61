//! What a slow reader is not sent yet.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use super::{Connection, Turn};
use crate::{
    domain::FeedId,
    realtime::{
        outbox::{Behind, Pushed, Treatment},
        wire::Packet,
    },
};

impl Connection {
    /// How many bytes may wait without anything giving way.
    pub fn relaxed_bytes(&self) -> usize {
        self.shared.options.budget.pressure()
    }

    /// Whether so much waits that what can give way should.
    pub fn is_pressed(&self) -> bool {
        self.pending_bytes() > self.shared.options.budget.pressure()
    }

    /// Ready while not so much waits for the client that its next events should wait, too.
    pub fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut wire = self.wire.lock();
        if wire.ended || wire.outbox.bytes() <= self.shared.options.budget.pressure() {
            return Poll::Ready(());
        }
        if !wire
            .pressed
            .iter()
            .any(|waker| waker.will_wake(context.waker()))
        {
            wire.pressed.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// Makes [`relieved`](crate::realtime::engine::Incoming::relieved) be called when the reader has caught up, which may be at once.
    pub fn ask_for_relief(self: &Arc<Self>) {
        let mut wire = self.wire.lock();
        wire.relief_wanted = true;
        self.make_dirty(&mut wire);
    }

    /// A feed of which entries are kept back for this client.
    pub fn any_behind(&self) -> Option<(FeedId, Behind)> {
        self.wire.lock().outbox.any_behind()
    }

    /// Adds the next entry that was kept back; none where it is not for this client. After the
    /// newest one the feed goes on live. Dropped when another entry is the next one: the client no
    /// longer follows the feed, or the feed has gone on live since the entry was read.
    pub fn catch_up(self: &Arc<Self>, feed: &FeedId, seq: u64, packet: Option<&Packet>) -> Pushed {
        if self.wire.lock().outbox.next_behind(feed) != Some(seq) {
            return Pushed::Dropped;
        }
        // Only here entries that are kept back are taken, and by one task at a time.
        let pushed = match packet {
            Some(packet) => self.push(packet, Treatment::Must),
            None => Pushed::Queued,
        };
        if pushed == Pushed::Queued {
            self.wire.lock().outbox.caught_up(feed, seq);
        }
        pushed
    }

    /// Begins to read what was kept back, unless that is being done.
    pub(in crate::realtime) fn begin_catch_up(self: &Arc<Self>) -> Option<Turn> {
        Turn::take(self, |connection| &connection.catching_up)
    }

    /// The client follows no feed any more.
    pub fn forget_feeds(&self) {
        self.wire.lock().outbox.forget_all();
    }

    /// The client no longer follows the feed: nothing more of it is kept back.
    pub fn forget_feed(&self, feed: &FeedId) {
        self.wire.lock().outbox.forget(feed);
    }
}
