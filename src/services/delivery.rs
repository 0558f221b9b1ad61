//! Live delivery: every committed entry goes to its readers in `seq` order, then its sender is told.

use std::panic::{AssertUnwindSafe, catch_unwind};

use metrics::gauge;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::{
    domain::{DirectMessage, FeedId, Message, Room},
    ports::{Appended, Class, Commit, Emit, Emitter},
    telemetry::metric,
};

/// Delivers commits until the store has closed. One task does all of it, so the order of commits
/// is the order of emits; what waits here is bounded by the store's queue, whose senders wait too.
pub async fn deliver_commits(mut commits: UnboundedReceiver<Commit>, emitter: &dyn Emitter) {
    let waiting = gauge!(metric::UNDELIVERED);
    while let Some(commit) = commits.recv().await {
        #[allow(clippy::cast_precision_loss)] // Far fewer than 2^52.
        waiting.set(commits.len() as f64);
        // A fault in one emit must not end delivery for everybody.
        let emitted = catch_unwind(AssertUnwindSafe(|| emit(&commit, emitter)));
        if emitted.is_err() {
            tracing::error!(entry = %commit.entry.id, "an entry could not be delivered");
        }
        let appended = Appended {
            entry: commit.entry,
            duplicate: false,
        };
        // A sender that no longer waits has nobody to tell.
        let _ = commit.done.send(Ok(appended));
    }
}

fn emit(commit: &Commit, emitter: &dyn Emitter) {
    let entry = &commit.entry;
    match &entry.feed {
        FeedId::Room(room) => {
            let Some(message) = Message::from_entry(entry.clone()) else {
                return;
            };
            let to = [Room::chat(room)];
            emitter.emit(Emit::new(Class::Durable, &to, &entry.event, &message));
        }
        FeedId::Direct(one, other) => {
            let Some(message) = DirectMessage::from_entry(entry.clone()) else {
                return;
            };
            let to = [Room::user(one), Room::user(other)];
            let emit = Emit::new(Class::Durable, &to, &entry.event, &message);
            emitter.emit(emit.from_socket(commit.origin.as_ref()));
        }
    }
}
