//! Live delivery: every committed entry goes to its readers in `seq` order, then its sender is told.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use metrics::gauge;
use tokio::sync::mpsc::UnboundedReceiver;

use super::Push;
use crate::{
    domain::{DirectMessage, Entry, FeedId, Message, Posted, Room},
    ports::{Appended, Class, Commit, Emit, Emitter, EntryRef, Streams},
    telemetry::metric,
};

/// Who gets an entry live.
#[derive(Clone)]
pub struct Delivery {
    /// The sockets of this node.
    pub emitter: Arc<dyn Emitter>,
    /// Its event streams.
    pub streams: Arc<dyn Streams>,
    /// What sends pushes to users who are away.
    pub push: Arc<Push>,
}

impl Delivery {
    /// Delivers an entry. To be called in the order of positions.
    pub fn deliver(&self, entry: &Arc<Entry>) {
        // A fault in one emit must not end delivery for everybody.
        let emitted = catch_unwind(AssertUnwindSafe(|| {
            present(entry, |emit| self.emitter.emit(emit));
            self.streams.deliver(entry);
        }));
        if emitted.is_err() {
            tracing::error!(entry = %entry.id, "an entry could not be delivered");
        }
        self.push.committed(entry);
    }

    /// Delivers commits until the store has closed, where all entries are this node's. One task does
    /// all of it, so the order of commits is the order of emits; what waits here is bounded by the
    /// store's queue, whose senders wait too.
    pub async fn run(self, mut commits: UnboundedReceiver<Commit>) {
        let waiting = gauge!(metric::UNDELIVERED);
        while let Some(Commit { entry, done }) = commits.recv().await {
            #[allow(clippy::cast_precision_loss)] // Far fewer than 2^52.
            waiting.set(commits.len() as f64);
            self.deliver(&entry);
            let duplicate = false;
            // A sender that no longer waits has nobody to tell.
            let _ = done.send(Ok(Appended { entry, duplicate }));
        }
    }
}

/// Makes of an entry the event that its readers hear, whether live or later.
pub fn present(entry: &Arc<Entry>, mut emit: impl FnMut(Emit<'_>)) {
    let reference = EntryRef {
        feed: &entry.feed,
        seq: entry.seq,
        position: entry.position,
    };
    match &entry.feed {
        FeedId::Room(room) => {
            let Some(message) = Message::from_entry(entry.clone()) else {
                return;
            };
            let to = [Room::chat(room)];
            let event = Emit::new(Class::Durable, &to, &entry.event, &message);
            emit(event.of_entry(reference));
        }
        FeedId::Direct(one, other) => {
            let Some(message) = DirectMessage::from_entry(entry.clone()) else {
                return;
            };
            let to = [Room::user(one), Room::user(other)];
            let event = Emit::new(Class::Durable, &to, &entry.event, &message);
            emit(event.of_entry(reference).from_socket(entry.origin.as_ref()));
        }
        // The outcome of a payment goes to the socket that asked for it: see `Payments`.
        FeedId::User(_) if entry.subject.is_some() => {}
        FeedId::User(user) => posted(entry, reference, &Room::user(user), emit),
        FeedId::Vendor(vendor) => posted(entry, reference, &Room::vendor(vendor), emit),
        // Sockets do not follow channels.
        FeedId::Channel(_) => {}
    }
}

fn posted(entry: &Arc<Entry>, reference: EntryRef<'_>, to: &Room, mut emit: impl FnMut(Emit<'_>)) {
    if let Some(posted) = Posted::from_entry(entry.clone()) {
        let event = Emit::new(
            Class::Durable,
            std::slice::from_ref(to),
            &entry.event,
            &posted,
        );
        emit(event.of_entry(reference));
    }
}
