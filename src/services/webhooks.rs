//! Webhooks: what the operator's backend is told of sockets, rooms and users, and asked about clients.
//!
//! What a node sees it notes in the store: how a socket, room or user is by now, with a version that
//! orders such notes whatever way they took. The store puts what is news into an outbox, from which
//! one node sends, again and again until it is taken. The same node finds what nobody could note: it
//! compares what was noted with how things are, and takes what nodes had that have gone.

mod again;
mod gate;
mod lead;
mod notes;
mod queue;
mod sender;
mod writer;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

use self::{gate::Gate, queue::Queue};
use super::seldom::Seldom;
use crate::{
    domain::{Identity, RoomId, SocketId},
    error::Result,
    ports::{Backend, HookStore, Leases, Occupancy, PresenceStore, Sockets},
};

/// How long to wait for a store that failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// What is told. The names stand on the wire and in the configuration.
pub(crate) mod kind {
    pub(crate) const CONNECT: &str = "connect";
    pub(crate) const CONNECTED: &str = "connected";
    pub(crate) const DISCONNECTED: &str = "disconnected";
    pub(crate) const OCCUPIED: &str = "room:occupied";
    pub(crate) const VACATED: &str = "room:vacated";
    pub(crate) const PRESENCE: &str = "presence:changed";
}

/// What is told, of all that could be.
pub struct Told {
    /// `connected`.
    pub connected: bool,
    /// `disconnected`.
    pub disconnected: bool,
    /// `room:occupied`.
    pub occupied: bool,
    /// `room:vacated`.
    pub vacated: bool,
    /// `presence:changed`.
    pub presence: bool,
}

/// How it is told.
pub struct WebhookRules {
    /// What.
    pub told: Told,
    /// The most under way at a time.
    pub in_flight: usize,
    /// The wait after the first failure; it doubles each time.
    pub backoff: Duration,
    /// The longest wait.
    pub backoff_max: Duration,
    /// After how long one is given up.
    pub give_up: Duration,
    /// How many may wait.
    pub max_pending: u64,
    /// How often what was noted is compared with how things are.
    pub look: Duration,
}

/// Who is asked about clients that connect.
pub struct ConnectRules {
    /// The backend.
    pub backend: Arc<dyn Backend>,
    /// The most clients at a time.
    pub in_flight: usize,
    /// How long one may wait for its turn.
    pub patience: Duration,
}

/// What webhooks are made of, where there are any.
pub struct WebhookParts {
    /// This run of this node.
    pub run: Arc<str>,
    /// Who is told.
    pub backend: Arc<dyn Backend>,
    /// What is noted.
    pub store: Arc<dyn HookStore>,
    /// Which nodes are alive.
    pub leases: Arc<dyn Leases>,
    /// How users are.
    pub presence: Arc<dyn PresenceStore>,
    /// Who is in rooms.
    pub occupancy: Arc<dyn Occupancy>,
    /// The sockets of this node.
    pub sockets: Arc<dyn Sockets>,
    /// How it is told.
    pub rules: WebhookRules,
    /// Who is asked first, if anybody is.
    pub connect: Option<ConnectRules>,
}

/// Webhooks. Without parts they do nothing.
#[derive(Default)]
pub struct Webhooks(Option<Box<Live>>);

struct Live {
    parts: WebhookParts,
    gate: Option<Gate>,
    queue: Queue,
    /// The sockets of this node that are noted, with what was. Who changes it queues the note within
    /// the lock, so that notes of one socket stay in their order.
    mine: Mutex<HashMap<SocketId, notes::SocketNote>>,
    /// The rooms that this node has noted as occupied.
    occupied: Mutex<HashSet<RoomId>>,
    /// Rooms of which it could not be asked how they are.
    unread: Mutex<HashSet<RoomId>>,
    /// One write at a time, so that notes stay in their order.
    writing: tokio::sync::Mutex<()>,
    /// When all is to be noted again, as notes are missing.
    again_at: Mutex<Option<Instant>>,
    /// Tells the sender that there may be something to send.
    due: Notify,
    /// Webhooks that were not taken.
    failures: Seldom,
    /// Notes that found no place.
    drops: Seldom,
}

impl Webhooks {
    /// Webhooks that are told.
    pub fn new(parts: WebhookParts) -> Self {
        let gate = parts.connect.as_ref().map(Gate::new);
        Self(Some(Box::new(Live {
            parts,
            gate,
            queue: Queue::default(),
            mine: Mutex::default(),
            occupied: Mutex::default(),
            unread: Mutex::default(),
            writing: tokio::sync::Mutex::new(()),
            again_at: Mutex::default(),
            due: Notify::new(),
            failures: Seldom::default(),
            drops: Seldom::default(),
        })))
    }

    /// Whether anything is told.
    pub fn is_on(&self) -> bool {
        self.0.as_ref().is_some_and(|live| live.tells())
    }

    /// Asks the backend whether a client may connect to a namespace, where it is to be asked.
    pub async fn admit(&self, who: &Identity, namespace: &str) -> Result<()> {
        match self.0.as_ref().and_then(|live| live.gate.as_ref()) {
            Some(gate) => gate.admit(who, namespace).await,
            None => Ok(()),
        }
    }

    /// Notes what this node sees, for ever; returns at once where nothing is told.
    pub async fn run(&self) {
        if let Some(live) = self.0.as_ref().filter(|live| live.tells()) {
            live.write().await;
        }
    }

    /// Sends, and finds what nobody could note, for ever: the work of one node.
    pub async fn lead(&self) {
        if let Some(live) = &self.0 {
            tokio::join!(live.send(), live.look(), live.look_for_lost());
        }
    }

    /// Notes what is left to be noted, where the store lets us in time.
    pub async fn leave(&self) {
        if let Some(live) = self.0.as_ref().filter(|live| live.tells()) {
            live.finish().await;
        }
    }
}
