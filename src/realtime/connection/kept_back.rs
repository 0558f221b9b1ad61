//! What a slow reader is not sent yet.

use std::sync::Arc;

use super::{Connection, Turn};
use crate::{
    domain::FeedId,
    realtime::{
        outbox::{Behind, Pushed, Treatment},
        wire::Packet,
    },
};

impl Connection {
    /// Whether so much waits that what can give way should.
    pub fn is_pressed(&self) -> bool {
        self.pending_bytes() > self.shared.options.budget.pressure()
    }

    /// Makes [`Incoming::relieved`] be called when the reader has caught up, which may be at once.
    pub fn ask_for_relief(self: &Arc<Self>) {
        let mut wire = self.wire.lock();
        wire.relief_wanted = true;
        self.make_dirty(&mut wire);
    }

    /// A feed of which entries are kept back for this client.
    pub fn any_behind(&self) -> Option<(FeedId, Behind)> {
        self.wire.lock().outbox.any_behind()
    }

    /// Adds an entry that was kept back; none where it is not for this client. Entries come in
    /// `seq` order; after the newest one the feed goes on live. Dropped when the client no longer
    /// follows the feed.
    pub fn catch_up(self: &Arc<Self>, feed: &FeedId, seq: u64, packet: Option<&Packet>) -> Pushed {
        if !self.wire.lock().outbox.is_behind(feed) {
            return Pushed::Dropped;
        }
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

    /// The client no longer follows the feed: nothing more of it is kept back.
    pub fn forget_feed(&self, feed: &FeedId) {
        self.wire.lock().outbox.forget(feed);
    }
}
