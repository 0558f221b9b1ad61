//! What is to be stored of the sockets that can be recovered.

use std::sync::Arc;

use super::{Inner, Rooms};
use crate::{domain::Room, ports::SavedSession};

/// What has changed of the sessions since it was last asked for.
#[derive(Debug, Default)]
pub struct Changes {
    /// Sessions as they are now.
    pub saved: Vec<SavedSession>,
    /// Those that are no more.
    pub gone: Vec<Arc<str>>,
}

impl Rooms {
    /// What was told as changed could not be stored.
    pub fn note_unsaved(&self, pids: Vec<Arc<str>>) {
        if let Some(recovery) = &mut self.inner.lock().recovery {
            recovery.changed.extend(pids);
        }
    }

    /// Forgets what is too old, and tells what is to be stored.
    pub fn changes(&self) -> Changes {
        let mut inner = self.inner.lock();
        let mut changes = Changes::default();
        let Inner {
            recovery: Some(recovery),
            sockets,
            ..
        } = &mut *inner
        else {
            return changes;
        };
        let window = recovery.log.window();
        recovery.log.sweep();
        let changed = &mut recovery.changed;
        recovery.lost.retain(|pid, lost| {
            let keep = lost.at.elapsed() <= window;
            if !keep {
                changed.insert(pid.clone());
            }
            keep
        });
        for pid in changed.drain() {
            let lost = recovery.lost.get(&pid);
            let connected = recovery.connected.get(&pid).and_then(|id| sockets.get(id));
            let is_connected = connected.is_some();
            let (id, user, rooms): (_, _, Vec<Room>) = match (connected, lost) {
                (Some(member), _) => {
                    let session = &member.session;
                    let rooms = member.rooms.rooms();
                    (session.id().clone(), session.user_id().cloned(), rooms)
                }
                (None, Some(lost)) => {
                    let rooms = lost.rooms.keys().cloned().collect();
                    (lost.id.clone(), lost.identity.user_id().cloned(), rooms)
                }
                (None, None) => {
                    changes.gone.push(pid);
                    continue;
                }
            };
            changes.saved.push(SavedSession {
                pid,
                id,
                user,
                rooms,
                is_connected,
            });
        }
        changes
    }
}
