//! What is told of presence, and to whom.

use serde::Serialize;

use super::{Audience, PresenceService};
use crate::{
    domain::{Room, Status, Timestamp, UserId},
    error::Result,
    ports::{ChangedUser, Class, Emit, Emitter, Known},
};

const EVENT: &str = "presence:changed";

/// How many changes are read at a time.
const AT_ONCE: usize = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PresenceChanged<'a> {
    user_id: &'a UserId,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<Timestamp>,
}

impl PresenceService {
    /// The user's first device has entered a room: where only roommates hear of presence, these
    /// are new ones.
    pub async fn entered(&self, user: &UserId, room: &Room) -> Result<()> {
        if self.audience == Audience::Everyone {
            return Ok(());
        }
        let presence = self.store.known(user).await?.presence;
        let (to, own) = ([room.clone()], [Room::user(user)]);
        let payload = PresenceChanged {
            user_id: user,
            status: presence.status,
            last_seen: presence.last_seen,
        };
        let emit = Emit::new(Class::Latest, &to, EVENT, &payload).except(&own);
        self.emitter.emit(emit.keyed(user.as_str()));
        Ok(())
    }

    /// A node found that the user is there, or has another status, as nobody has told.
    /// `shows_when`: whether the audience hears when the user was last seen, as after a change of
    /// status.
    pub(in crate::services) async fn is_there_after_all(&self, user: &UserId, shows_when: bool) {
        let _order = self.changes.lock(user).await;
        match self.store.known(user).await {
            Ok(Known { presence, version }) if presence.status != Status::Offline => {
                let last_seen = presence.last_seen.filter(|_| shows_when);
                let now = (presence.status, last_seen);
                self.tell(user, now, version, &[], true).await;
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "a user's presence could not be told"),
        }
    }

    /// A node found that the user has gone with another. `rooms`: those they were in.
    pub(in crate::services) async fn has_gone(
        &self,
        user: &UserId,
        last_seen: Timestamp,
        rooms: &[Room],
    ) {
        let _order = self.changes.lock(user).await;
        match self.store.known(user).await {
            Ok(Known { presence, version }) if presence.status == Status::Offline => {
                let now = (Status::Offline, Some(last_seen));
                self.tell(user, now, version, rooms, true).await;
            }
            // They are back, as the audience has heard.
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "a user's presence could not be told"),
        }
    }

    /// Tells this node's sockets, by `own`, whose presence has changed since. Without a time it is
    /// only learnt how everybody is: what nobody has heard of a node that has just begun, they have
    /// heard of others.
    pub(in crate::services) async fn tell_since(
        &self,
        since: Option<Timestamp>,
        own: &dyn Emitter,
    ) -> Result<()> {
        let mut version = since.map_or(0, Self::version_at);
        loop {
            let changed = self.store.changed_since(version, AT_ONCE).await?;
            let Some(last) = changed.last() else {
                return Ok(());
            };
            version = last.version;
            for ChangedUser {
                user,
                presence,
                version,
            } in changed
            {
                let payload = PresenceChanged {
                    user_id: &user,
                    status: presence.status,
                    last_seen: presence.last_seen,
                };
                let (to, except) = match self.audience {
                    _ if since.is_none() => (vec![Room::nobody()], Vec::new()),
                    Audience::Everyone => (Vec::new(), vec![Room::guests()]),
                    Audience::Roommates => {
                        let mut to = self.occupancy.rooms_of(&user).await?;
                        to.push(Room::user(&user));
                        (to, Vec::new())
                    }
                };
                let emit = Emit::new(Class::Latest, &to, EVENT, &payload).except(&except);
                let emit = emit.saying(presence.status as u8, true);
                own.emit(emit.keyed(user.as_str()).numbered(Some(version)));
            }
        }
    }

    /// `version`: of the change; one that others have told of since is newer, and stands. `rooms`:
    /// those the user has just left, whose members are roommates still. `is_news`: it is told where
    /// the last that was told of the user was something else; several nodes may find out the same.
    pub(super) async fn tell(
        &self,
        user: &UserId,
        (status, last_seen): (Status, Option<Timestamp>),
        version: u64,
        rooms: &[Room],
        is_news: bool,
    ) {
        self.announcements.presence(user, status, last_seen);
        self.webhooks.presence(user, status, last_seen, version);
        let number = Some(version).filter(|version| *version > 0);
        let payload = PresenceChanged {
            user_id: user,
            status,
            last_seen,
        };
        match self.audience {
            Audience::Everyone => {
                let guests = [Room::guests()];
                let emit = Emit::new(Class::Latest, &[], EVENT, &payload).keyed(user.as_str());
                let emit = emit.saying(status as u8, is_news).numbered(number);
                self.emitter.emit(emit.except(&guests));
            }
            Audience::Roommates => {
                let mut to = self.occupancy.rooms_of(user).await.unwrap_or_else(|_| {
                    // Those that this node knows are better than none.
                    self.sockets.chat_rooms_of(user)
                });
                to.extend_from_slice(rooms);
                to.push(Room::user(user));
                let emit = Emit::new(Class::Latest, &to, EVENT, &payload);
                let emit = emit.saying(status as u8, is_news).numbered(number);
                self.emitter.emit(emit.keyed(user.as_str()));
            }
        }
    }
}
