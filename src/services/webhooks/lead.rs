//! Finds what nobody could note, as nodes and stores stopped in between.

use std::{collections::HashSet, time::Duration};

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{Live, notes, writer};
use crate::{
    domain::{Room, RoomId, Status, Timestamp, UserId},
    ports::{HookNote, HookSubject, StoreResult, VERSIONS_PER_MS},
};

/// How many subjects are looked at in one read.
const PAGE: usize = 500;

/// How far back changes of presence are looked at that may not have been noted.
const HINDSIGHT: Duration = Duration::from_secs(3_600);

/// For how long a subject that has gone is remembered, so that late notes do not bring it back.
const MEMORY: Duration = Duration::from_secs(3_600);

/// How often those are forgotten that need not be remembered.
const FORGET_INTERVAL: Duration = Duration::from_secs(600);

/// For how long another node's sockets are ours to take.
const TAKE: Duration = Duration::from_secs(5);

/// What was seen on earlier looks.
struct Seen {
    /// The last change of presence.
    version: u64,
    /// Up to which user it was looked who is there.
    user: String,
    /// Users that were noted as there, and were not: on the look over all of them before, and so far.
    absent: [HashSet<UserId>; 2],
    /// Up to which room it was looked how it is.
    room: String,
    /// Rooms that were noted as occupied, and were not: on the look over all of them before, and so
    /// far. What Redis has lost, nodes say once more; only a room that is found empty twice is.
    empty: [HashSet<RoomId>; 2],
    forgot_at: Instant,
}

impl Live {
    pub(super) async fn look(&self) {
        let since = Timestamp::now().minus(HINDSIGHT).as_ms();
        let mut seen = Seen {
            version: u64::try_from(since).unwrap_or(0) * VERSIONS_PER_MS,
            user: String::new(),
            absent: Default::default(),
            room: String::new(),
            empty: Default::default(),
            forgot_at: Instant::now(),
        };
        let mut tick = interval(self.parts.rules.look);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = self.look_once(&mut seen).await {
                tracing::debug!(%error, "what webhooks may have missed could not be read");
            }
        }
    }

    /// Finds the sockets that went with their nodes, however long it takes to look at all else.
    pub(super) async fn look_for_lost(&self) {
        let mut tick = interval(self.parts.rules.look);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.tells_sockets() {
            tick.tick().await;
            if let Err(error) = self.take_lost_sockets().await {
                tracing::debug!(%error, "the sockets of lost nodes could not be taken");
            }
        }
    }

    async fn look_once(&self, seen: &mut Seen) -> StoreResult<()> {
        if self.parts.rules.told.presence {
            self.look_at_changes(seen).await?;
            self.look_at_users(seen).await?;
        }
        if self.tells_rooms() {
            self.look_at_rooms(seen).await?;
        }
        if seen.forgot_at.elapsed() > FORGET_INTERVAL {
            seen.forgot_at = Instant::now();
            let before = Timestamp::now().minus(MEMORY);
            self.parts.store.forget(before).await?;
        }
        Ok(())
    }

    /// Whether all found a place; what did not is found again on the next look.
    async fn note(&self, notes: Vec<HookNote>) -> StoreResult<bool> {
        if notes.is_empty() {
            return Ok(true);
        }
        let most = self.parts.rules.max_pending;
        let dropped = self.parts.store.note(notes, most).await?;
        self.due.notify_one();
        Ok(dropped == 0)
    }

    /// The sockets of nodes that do not say any more that they are alive.
    async fn take_lost_sockets(&self) -> StoreResult<()> {
        let (store, leases, run) = (&self.parts.store, &self.parts.leases, &self.parts.run);
        let nodes = store.nodes().await?;
        for node in nodes.into_iter().filter(|node| *node != **run) {
            let lease = writer::lease(&node);
            while leases.hold(&lease, run, TAKE).await? {
                let lost = store.of_node(&node, PAGE).await?;
                tracing::info!(node, sockets = lost.len(), "sockets went with a node");
                let is_all = lost.len() < PAGE;
                let gone = lost.into_iter().map(|one| self.lost(&node, one));
                if !self.note(gone.collect()).await? || is_all {
                    break;
                }
            }
            leases.release(&lease, run).await?;
        }
        Ok(())
    }

    async fn look_at_changes(&self, seen: &mut Seen) -> StoreResult<()> {
        loop {
            let changed = self
                .parts
                .presence
                .changed_since(seen.version, PAGE)
                .await?;
            let Some(last) = changed.last() else {
                return Ok(());
            };
            let version = last.version;
            let notes = changed.iter().map(|one| {
                let presence = &one.presence;
                let last_seen = presence.last_seen;
                let last_seen = last_seen.filter(|_| presence.status == Status::Offline);
                notes::user_note(&one.user, presence.status, last_seen, one.version)
            });
            if !self.note(notes.collect()).await? {
                return Ok(());
            }
            seen.version = version;
        }
    }

    /// Users that are noted as there, some of them each time: those of whom a run that was killed
    /// could note no more.
    async fn look_at_users(&self, seen: &mut Seen) -> StoreResult<()> {
        let store = &self.parts.store;
        let noted = store.there(notes::USER, &seen.user, PAGE).await?;
        let id = |one: &HookSubject| UserId::new(one.subject.strip_prefix(notes::USER)?).ok();
        let noted: Vec<_> = noted
            .iter()
            .filter_map(|one| Some((one, id(one)?)))
            .collect();
        let users: Vec<_> = noted.iter().map(|(_, user)| user.clone()).collect();
        // While other nodes cannot be asked, their users seem to be gone.
        self.parts.occupancy.state_of(&Room::nobody()).await?;
        let presences = self.parts.presence.get(&users).await?;
        self.parts.occupancy.state_of(&Room::nobody()).await?;
        let mut gone = Vec::new();
        let [before, now] = &mut seen.absent;
        for ((one, user), presence) in noted.iter().zip(presences) {
            if presence.status != Status::Offline {
                continue;
            }
            if before.contains(user) {
                // Another note since then is newer.
                let (last_seen, version) = (presence.last_seen, one.version + 1);
                gone.push(notes::user_note(user, Status::Offline, last_seen, version));
            }
            now.insert(user.clone());
        }
        let is_end = noted.len() < PAGE;
        let last = noted.last().map(|(one, _)| one.subject.clone());
        self.note(gone).await?;
        seen.user = last.filter(|_| !is_end).unwrap_or_default();
        if is_end {
            let [before, now] = &mut seen.absent;
            *before = std::mem::take(now);
        }
        Ok(())
    }

    /// Rooms that are noted as occupied, some of them each time.
    async fn look_at_rooms(&self, seen: &mut Seen) -> StoreResult<()> {
        let store = &self.parts.store;
        let rooms = store.there(notes::ROOM, &seen.room, PAGE).await?;
        let mut gone = Vec::new();
        for noted in &rooms {
            let name = noted.subject.strip_prefix(notes::ROOM).unwrap_or_default();
            let Ok(room) = RoomId::new(name) else {
                continue;
            };
            let note = self.room_note(&room).await?;
            if !note.state.is_empty() {
                continue;
            }
            let [before, now] = &mut seen.empty;
            if before.contains(&room) {
                gone.push(note);
            }
            now.insert(room);
        }
        self.note(gone).await?;
        let is_end = rooms.len() < PAGE;
        let last = rooms.into_iter().next_back().map(|one| one.subject);
        seen.room = last.filter(|_| !is_end).unwrap_or_default();
        if is_end {
            let [before, now] = &mut seen.empty;
            *before = std::mem::take(now);
        }
        Ok(())
    }
}
