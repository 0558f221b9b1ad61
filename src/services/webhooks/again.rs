//! Says once more how all is, where notes are missing: they found no place, or others took this node
//! for dead.

use std::{collections::HashSet, time::Duration};

use tokio::time::Instant;

use super::{Live, notes, writer};
use crate::ports::HookNote;

/// How long after a note found no place all is said again.
const PAUSE: Duration = Duration::from_secs(10);

/// How many sockets that have gone are found in one read, at least.
const PAGE: usize = 500;

impl Live {
    /// A note found no place.
    pub(super) fn is_missing(&self) {
        let mut at = self.again_at.lock();
        at.get_or_insert_with(|| Instant::now() + PAUSE);
    }

    /// Much may be missing.
    pub(super) fn is_doubted(&self) {
        *self.again_at.lock() = Some(Instant::now());
    }

    /// Notes all again where it is due; none where the store is away.
    pub(super) async fn note_again(&self) -> Option<()> {
        let due = self.again_at.lock().take_if(|at| *at <= Instant::now());
        if due.is_none() {
            return Some(());
        }
        match self.note_all().await {
            Some(true) => {}
            Some(false) => self.is_missing(),
            None => {
                self.is_doubted();
                return None;
            }
        }
        Some(())
    }

    /// Whether all found a place. It goes past the queue, which has no room for so much. As nothing
    /// else is written meanwhile, what changes is noted later.
    async fn note_all(&self) -> Option<bool> {
        let _one = self.writing.lock().await;
        if self.tells_sockets() && !(self.note_gone().await? && self.note_mine().await?) {
            return Some(false);
        }
        match self.tells_rooms() {
            true => self.note_occupied().await,
            false => Some(true),
        }
    }

    /// What is there by this node, as far as others know, and has gone.
    async fn note_gone(&self) -> Option<bool> {
        let run = &self.parts.run;
        loop {
            let most = self.mine.lock().len() + PAGE;
            let noted = self.parts.store.of_node(run, most).await.ok()?;
            let is_all = noted.len() < most;
            let mine: HashSet<_> = self.mine.lock().keys().map(notes::subject).collect();
            let gone = noted.into_iter().filter(|one| !mine.contains(&one.subject));
            let gone: Vec<_> = gone.map(|one| self.lost(run, one)).collect();
            // Why they went may wait to be written.
            self.write_waiting(writer::TURN).await?;
            if !self.put_all(gone).await? {
                return Some(false);
            }
            if is_all {
                return Some(true);
            }
        }
    }

    async fn note_mine(&self) -> Option<bool> {
        let ids: Vec<_> = self.mine.lock().keys().cloned().collect();
        for ids in ids.chunks(writer::GROUP) {
            let notes = {
                let mine = self.mine.lock();
                let still = ids.iter().filter_map(|id| mine.get(id));
                still.map(|note| self.connected(note)).collect()
            };
            if !self.put_all(notes).await? {
                return Some(false);
            }
        }
        Some(true)
    }

    async fn note_occupied(&self) -> Option<bool> {
        let rooms: Vec<_> = self.occupied.lock().iter().cloned().collect();
        for rooms in rooms.chunks(writer::GROUP) {
            let mut notes = Vec::new();
            for room in rooms {
                match self.room_note(room).await {
                    Ok(note) => notes.push(note),
                    Err(_) => {
                        self.unread.lock().insert(room.clone());
                    }
                }
            }
            if !self.put_all(notes).await? {
                return Some(false);
            }
        }
        Some(true)
    }

    /// Whether they found a place. What did not was counted when it was dropped.
    async fn put_all(&self, notes: Vec<HookNote>) -> Option<bool> {
        let most = self.parts.rules.max_pending;
        let dropped = self.parts.store.note(notes, most).await.ok()?;
        self.due.notify_one();
        Some(dropped == 0)
    }
}
