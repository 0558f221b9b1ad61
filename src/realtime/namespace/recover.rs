//! A client that returns: its socket is brought back where nothing that it missed is lost.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{
    connect::{Gate, Knock},
    credentials::Credentials,
};
use crate::{
    domain::{Entry, FeedId, Identity, Room, SocketId, UserId},
    realtime::{
        connection::CloseReason,
        log::Offset,
        rooms::{Known, Resumed, Stored},
        wire::Packet,
    },
    services::present,
};

/// How long the events of a socket whose client has returned may take to finish.
const EARLIER_TIMEOUT: Duration = Duration::from_secs(5);

/// How often it is looked whether they have.
const EARLIER_POLL: Duration = Duration::from_millis(5);

/// The most entries that are looked at in the store for one client.
const MAX_ENTRIES: usize = 10_000;

/// The socket that a client wants back.
struct Wanted {
    pid: Arc<str>,
    id: SocketId,
    user: Option<UserId>,
    rooms: Vec<Room>,
}

/// From where it gets what it missed.
enum Missed {
    Log,
    Store(Stored),
}

impl Gate {
    /// Brings back the client's socket; whether that was possible. Where it was not, the client
    /// gets a new one, and knows it by its new secret.
    pub(super) async fn recover(
        &self,
        knock: &Knock,
        credentials: &Credentials,
        identity: &Identity,
    ) -> bool {
        let Some(offset) = &credentials.offset else {
            return false;
        };
        let Ok(offset) = offset.parse::<Offset>() else {
            return false;
        };
        let pid = credentials.pid.as_deref();
        let Some(wanted) = self.wanted(pid, identity, &offset).await else {
            return false;
        };
        if !self.may_return(&wanted, identity).await {
            return false;
        }
        let most_bytes = knock.sockets.connection().relaxed_bytes();
        let Some(missed) = self.missed(&wanted, &offset, most_bytes).await else {
            return false;
        };
        let (id, pid) = (wanted.id, Some(wanted.pid));
        let context = self.context(knock, id, pid, identity.clone());
        let (session, rooms) = (&context.session, self.scope.namespace.rooms());
        let welcome = self.welcome_packet(session);
        let enter = || {
            let resumed = match &missed {
                Missed::Log => rooms.resume(session, &offset, &welcome),
                Missed::Store(stored) => {
                    rooms.resume_stored(session, &wanted.rooms, stored, &welcome)
                }
            };
            let Some(Resumed { entered }) = resumed else {
                return false;
            };
            self.arrive(knock, &context, entered);
            true
        };
        self.connect(knock, &context, enter)
    }

    /// The position up to which entries are not for a socket that comes new: its client may have heard
    /// them on another node, which is ahead of this one. A node alone is ahead of nobody.
    pub(super) async fn committed(&self) -> u64 {
        if !self.scope.namespace.is_root() || !self.scope.namespace.has_peers() {
            return 0;
        }
        let newest = self.scope.services.chat.feeds.last_position().await;
        newest.unwrap_or_else(|error| {
            tracing::warn!(%error, "what is committed is not known: a client may hear it twice");
            0
        })
    }

    /// The socket of the user that the client wants back, or the only one that was lost.
    async fn wanted(
        &self,
        pid: Option<&str>,
        identity: &Identity,
        offset: &Offset,
    ) -> Option<Wanted> {
        let rooms = self.scope.namespace.rooms();
        if let Some(pid) = pid {
            self.end_earlier(pid, identity).await?;
        }
        // What another run has stored is newer than what we lost before.
        if let Some(stored) = self.stored(pid, identity, offset).await {
            return (stored.user.as_ref() == identity.user_id()).then_some(stored);
        }
        let wanted = match pid {
            Some(pid) => rooms.lost(pid).map(|lost| (pid.into(), lost)),
            None => {
                let pid = rooms.only_lost_of(identity.user_id()?);
                pid.and_then(|pid| Some((pid.clone(), rooms.lost(&pid)?)))
            }
        };
        let (pid, lost) = wanted?;
        let wanted = Wanted {
            pid,
            id: lost.id,
            user: lost.identity.user_id().cloned(),
            rooms: lost.rooms.into_keys().collect(),
        };
        (wanted.user.as_ref() == identity.user_id()).then_some(wanted)
    }

    /// A socket that another run has stored, where that run sent the last that the client knows.
    async fn stored(
        &self,
        pid: Option<&str>,
        identity: &Identity,
        offset: &Offset,
    ) -> Option<Wanted> {
        let sessions = self.sessions.as_ref()?;
        let Known::AnotherRun { .. } = self.scope.namespace.rooms().knows(offset) else {
            return None;
        };
        let path = self.path();
        let saved = match pid {
            Some(pid) => sessions.load(path, pid).await,
            None => sessions.only_one_of(path, identity.user_id()?).await,
        };
        let saved = saved.unwrap_or_else(|error| {
            tracing::warn!(%error, "a stored session could not be read");
            None
        })?;
        Some(Wanted {
            pid: saved.pid,
            id: saved.id,
            user: saved.user,
            rooms: saved.rooms,
        })
    }

    /// Ends the socket where its old transport has not ended yet, and waits until what it sent is
    /// done. Nothing comes of it when the socket is another user's.
    async fn end_earlier(&self, pid: &str, identity: &Identity) -> Option<()> {
        let rooms = self.scope.namespace.rooms();
        let Some(earlier) = rooms.connected_as(pid) else {
            return Some(());
        };
        if earlier.user_id() != identity.user_id() {
            return None;
        }
        earlier.connection().end(CloseReason::TransportClose);
        let gone = async {
            let mut poll = tokio::time::interval(EARLIER_POLL);
            while rooms.connected_as(pid).is_some() {
                poll.tick().await;
            }
        };
        timeout(EARLIER_TIMEOUT, gone).await.ok()
    }

    /// Whether all of its rooms would let it in now.
    async fn may_return(&self, wanted: &Wanted, identity: &Identity) -> bool {
        let chats: Vec<_> = wanted.rooms.iter().filter_map(Room::chat_id).collect();
        let Ok(user) = identity.user() else {
            return chats.is_empty();
        };
        for room in &chats {
            if let Err(error) = self.scope.services.chat.access.check(user, room).await {
                tracing::debug!(%error, "a socket may not return to a room");
                return false;
            }
        }
        true
    }

    async fn missed(&self, wanted: &Wanted, offset: &Offset, most_bytes: usize) -> Option<Missed> {
        match self.scope.namespace.rooms().knows(offset) {
            Known::Whole => Some(Missed::Log),
            Known::TooOld => None,
            // Feeds are those of `/`; of what else another namespace sent nothing is left.
            Known::AnotherRun { .. } if !self.scope.namespace.is_root() => None,
            Known::AnotherRun { now } => {
                let stored = self.missed_in_store(wanted, offset, now).await?;
                // More than may wait at a time would end the connection again and again.
                let bytes: usize = stored.packets.iter().map(Packet::size).sum();
                (bytes <= most_bytes).then_some(Missed::Store(stored))
            }
        }
    }

    async fn missed_in_store(
        &self,
        wanted: &Wanted,
        offset: &Offset,
        log_from: u64,
    ) -> Option<Stored> {
        let (rooms, user) = (wanted.rooms.clone(), wanted.user.clone());
        let of = Box::new(move |feed: &FeedId| is_of(feed, &rooms, user.as_ref()));
        let feeds = &self.scope.services.chat.feeds;
        let since = feeds.since(offset.position, MAX_ENTRIES, of).await;
        let since = since.unwrap_or_else(|error| {
            tracing::warn!(%error, "missed entries could not be read");
            None
        })?;
        let is_its_own = |entry: &Entry| entry.origin.as_ref() == Some(&wanted.id);
        let its = since.entries.iter().filter(|entry| !is_its_own(entry));
        let packets = its.filter_map(|entry| self.packet(entry));
        Some(Stored {
            packets: packets.collect::<Option<_>>()?,
            position: since.position,
            log_from,
        })
    }

    /// The packet of an entry, with an offset that leads to the store again; none of an entry that
    /// sockets are not sent. A packet that cannot be encoded is absent within.
    fn packet(&self, entry: &Arc<Entry>) -> Option<Option<Packet>> {
        let offset = Offset {
            run: String::new(),
            index: 0,
            position: entry.position,
        };
        let mut packet = None;
        present(entry, |emit| {
            packet = Some(
                self.scope
                    .namespace
                    .encode(&emit, Some(&offset.to_string())),
            );
        });
        packet
    }
}

/// Whether a feed's entries are for a user's socket in these rooms.
fn is_of(feed: &FeedId, rooms: &[Room], user: Option<&UserId>) -> bool {
    match feed {
        FeedId::Room(room) => rooms.contains(&Room::chat(room)),
        FeedId::Direct(one, other) => user == Some(one) || user == Some(other),
        FeedId::User(whose) => user == Some(whose),
        FeedId::Vendor(vendor) => user.is_some_and(|user| user.as_str() == vendor.as_str()),
        // Sockets do not follow channels.
        FeedId::Channel(_) => false,
    }
}
