//! Who is there: several devices a user, a grace window for those that vanish.

mod keeper;
mod telling;

pub use keeper::PresenceKeeper;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use serde::Serialize;

use super::{Webhooks, deadlines::Deadlines, locks::KeyedLocks};
use crate::{
    domain::{Presence, Room, SocketId, Status, Timestamp, UserId},
    error::{Error, Result},
    ports::{
        Announcements, Arrival, ChangedUser, Departure, Emitter, Known, MemberStore, Occupancy,
        PresenceStore, Sockets, VERSIONS_PER_MS,
    },
};

/// The most users in one `presence:get`.
pub const MAX_USERS: usize = 100;

/// Who hears of a user's presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every signed-in user.
    Everyone,
    /// Those who share a room with the user, and the user's own devices.
    Roommates,
}

/// How a device went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// It said goodbye, or we ended it: gone at once.
    Goodbye,
    /// Its transport ended: it may come back within the grace window.
    Vanished,
}

/// A change of presence, as those who were away get it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PresenceChange {
    /// Whose.
    #[schema(value_type = String)]
    pub user_id: UserId,
    /// The status now.
    pub status: Status,
    /// When the user was last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen: Option<Timestamp>,
}

/// Changes of presence after a version.
#[derive(Debug)]
pub struct PresenceChanges {
    /// The changes.
    pub changes: Vec<PresenceChange>,
    /// The version to go on from.
    pub version: u64,
    /// Whether there are more.
    pub has_more: bool,
}

/// What presence needs.
pub struct PresencePorts {
    /// How users are.
    pub store: Arc<dyn PresenceStore>,
    /// The way out.
    pub emitter: Arc<dyn Emitter>,
    /// Who is connected.
    pub sockets: Arc<dyn Sockets>,
    /// Who is in which room.
    pub occupancy: Arc<dyn Occupancy>,
    /// Who else is told.
    pub announcements: Arc<dyn Announcements>,
    /// The backend that is told, if one is.
    pub webhooks: Arc<Webhooks>,
}

/// Presence.
pub struct PresenceService {
    store: Arc<dyn PresenceStore>,
    emitter: Arc<dyn Emitter>,
    sockets: Arc<dyn Sockets>,
    occupancy: Arc<dyn Occupancy>,
    announcements: Arc<dyn Announcements>,
    webhooks: Arc<Webhooks>,
    audience: Audience,
    grace: Duration,
    /// Devices in their grace window, with the rooms they were in.
    vanished: Deadlines<(UserId, SocketId), Vec<Room>>,
    changes: KeyedLocks,
}

impl PresenceService {
    /// `grace`: how long a vanished device still counts.
    pub fn new(ports: PresencePorts, audience: Audience, grace: Duration) -> Self {
        let PresencePorts {
            store,
            emitter,
            sockets,
            occupancy,
            announcements,
            webhooks,
        } = ports;
        Self {
            store,
            emitter,
            sockets,
            occupancy,
            announcements,
            webhooks,
            audience,
            grace,
            vanished: Deadlines::new(),
            changes: KeyedLocks::default(),
        }
    }

    /// A device has connected. The audience hears of the first one.
    pub async fn connected(&self, user: &UserId, device: &SocketId) -> Result<()> {
        let _order = self.changes.lock(user).await;
        // One that has come back within its grace window is as if it had not gone.
        self.vanished.cancel(&(user.clone(), device.clone()));
        self.arrived(user, device).await
    }

    /// A device has gone, leaving these rooms.
    pub async fn disconnected(
        &self,
        user: &UserId,
        device: &SocketId,
        farewell: Farewell,
        rooms: Vec<Room>,
    ) -> Result<()> {
        match farewell {
            Farewell::Goodbye => self.departed(user, device, &rooms).await,
            Farewell::Vanished => {
                self.store.waver(device);
                let key = (user.clone(), device.clone());
                self.vanished.set(key, rooms, self.grace);
                Ok(())
            }
        }
    }

    /// Sets the status of a connected user: `online`, `away` or `busy`.
    pub async fn update(&self, user: &UserId, status: Status) -> Result<()> {
        if status == Status::Offline {
            return Err(Error::invalid_payload(
                "status must be online, away or busy",
            ));
        }
        let _order = self.changes.lock(user).await;
        let known = self.store.set(user, status, Timestamp::now()).await?;
        if let Some(Known { presence, version }) = known {
            let now = (presence.status, presence.last_seen);
            self.tell(user, now, version, &[], false).await;
        }
        Ok(())
    }

    /// The presence of up to [`MAX_USERS`] users, by id.
    pub async fn get(&self, users: &[UserId]) -> Result<HashMap<UserId, Presence>> {
        if users.len() > MAX_USERS {
            return Err(Error::invalid_payload(format!(
                "at most {MAX_USERS} users can be asked for"
            )));
        }
        let presences = self.store.get(users).await?;
        Ok(users.iter().cloned().zip(presences).collect())
    }

    /// The presence of the users in a room, by id.
    pub async fn in_room(&self, room: &Room) -> Result<HashMap<UserId, Presence>> {
        let users = self.occupancy.users_in(room).await?;
        let presences = self.store.get(&users).await?;
        Ok(users.into_iter().zip(presences).collect())
    }

    /// The version of the changes of presence at this time.
    pub fn version_at(time: Timestamp) -> u64 {
        u64::try_from(time.as_ms())
            .unwrap_or(0)
            .saturating_mul(VERSIONS_PER_MS)
    }

    /// The users whose status has changed after a version and of whom this one hears, from at most
    /// `limit` changes.
    pub async fn changed_since(
        &self,
        user: &UserId,
        version: u64,
        limit: usize,
        members: &dyn MemberStore,
    ) -> Result<PresenceChanges> {
        let changed = self.store.changed_since(version, limit).await?;
        let has_more = changed.len() == limit;
        let version = changed.last().map_or(version, |last| last.version);
        let heard_of = match self.audience {
            Audience::Everyone => None,
            Audience::Roommates => {
                let users = changed.iter().map(|change| change.user.clone()).collect();
                let roommates = members.roommates(user, users).await?;
                Some(roommates.into_iter().collect::<HashSet<_>>())
            }
        };
        let hears_of = |other: &UserId| match &heard_of {
            None => true,
            Some(roommates) => other == user || roommates.contains(other),
        };
        let heard = changed.into_iter().filter(|one| hears_of(&one.user));
        let changes = heard.map(|ChangedUser { user, presence, .. }| PresenceChange {
            user_id: user,
            status: presence.status,
            last_seen: presence.last_seen,
        });
        Ok(PresenceChanges {
            changes: changes.collect(),
            version,
            has_more,
        })
    }

    /// Ends the grace windows that lapse, for ever.
    pub async fn run(&self) {
        loop {
            let ((user, device), rooms) = self.vanished.next().await;
            if let Err(error) = self.departed(&user, &device, &rooms).await {
                tracing::warn!(%error, "a vanished device could not be removed from presence");
            }
        }
    }

    async fn arrived(&self, user: &UserId, device: &SocketId) -> Result<()> {
        let arrival = self.store.arrive(user, device, Timestamp::now()).await?;
        if let Arrival::CameOnline { version } = arrival {
            self.tell(user, (Status::Online, None), version, &[], true)
                .await;
        }
        Ok(())
    }

    async fn departed(&self, user: &UserId, device: &SocketId, rooms: &[Room]) -> Result<()> {
        let _order = self.changes.lock(user).await;
        if self.sockets.identity(device).is_some() {
            // It has come back as it was about to be given up.
            return Ok(());
        }
        // Another one may have connected and not been noted yet: the user does not go between the two.
        for other in self.sockets.devices_of(user) {
            self.arrived(user, &other).await?;
        }
        let departure = self.store.depart(user, device, Timestamp::now()).await?;
        if let Departure::WentOffline(Known { presence, version }) = departure {
            let now = (Status::Offline, presence.last_seen);
            self.tell(user, now, version, rooms, true).await;
        }
        Ok(())
    }
}
