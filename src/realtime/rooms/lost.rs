//! Sockets whose clients may come back.

use std::{collections::HashMap, sync::Arc, time::Instant};

use super::Rooms;
use crate::{
    domain::{Identity, Room, SocketId, UserId},
    realtime::Session,
};

/// A socket whose client may come back.
#[derive(Clone, Debug)]
pub struct Lost {
    /// Its id, which it keeps.
    pub id: SocketId,
    /// Who was behind it.
    pub identity: Identity,
    /// Its rooms, and the first packet of the log that is for it in each.
    pub rooms: HashMap<Room, u64>,
    /// When it was lost.
    pub at: Instant,
}

impl Rooms {
    /// The lost socket that its client knows by this secret.
    pub fn lost(&self, pid: &str) -> Option<Lost> {
        let inner = self.inner.lock();
        let recovery = inner.recovery.as_ref()?;
        let lost = recovery.lost.get(pid)?;
        (lost.at.elapsed() <= recovery.log.window()).then(|| lost.clone())
    }

    /// The secret of the user's one lost socket; none when there are several.
    pub fn only_lost_of(&self, user: &UserId) -> Option<Arc<str>> {
        let inner = self.inner.lock();
        let recovery = inner.recovery.as_ref()?;
        let is_its = |lost: &Lost| lost.identity.user_id() == Some(user);
        let mut its = recovery.lost.iter().filter(|(_, lost)| is_its(lost));
        match (its.next(), its.next()) {
            (Some((pid, _)), None) => Some(pid.clone()),
            _ => None,
        }
    }

    /// Forgets the lost sockets of those of whom `which` is true.
    pub fn forget_lost(&self, which: &dyn Fn(&Identity) -> bool) {
        let mut inner = self.inner.lock();
        let Some(recovery) = &mut inner.recovery else {
            return;
        };
        let changed = &mut recovery.changed;
        recovery.lost.retain(|pid, lost| {
            let keep = !which(&lost.identity);
            if !keep {
                changed.insert(pid.clone());
            }
            keep
        });
    }

    /// A socket that is still connected as far as we know.
    pub fn connected_as(&self, pid: &str) -> Option<Arc<Session>> {
        let inner = self.inner.lock();
        let id = inner.recovery.as_ref()?.connected.get(pid)?;
        inner.sockets.get(id).map(|member| member.session.clone())
    }
}
