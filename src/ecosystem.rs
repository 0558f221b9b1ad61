//! Node's servers and emitters on the same Redis: their packets reach this node's sockets.
//!
//! `@socket.io/redis-emitter`, and whatever speaks its format, publishes events and requests on the
//! channels of Node's Redis adapter. Every node hears them and does what they say for its own sockets,
//! as each of Node's servers does: nothing is told on, so nothing arrives twice.
//!
//! - [`channels`]: what the channels are called. [`value`]: bytes as values. [`message`]: what can be
//!   said. [`pubsub`]: how Node's adapter writes it.
//! - [`local`]: doing it for the sockets of this node. [`misfits`]: what does not fit.
//!
//! A node listens to requests by a pattern: Node's servers count each other by who has subscribed to
//! the channel itself, and wait for the answers of so many.

mod channels;
mod local;
mod message;
mod misfits;
mod pubsub;
mod value;

use std::{sync::Arc, time::Duration};

use fred::interfaces::{EventInterface, PubsubInterface};
use metrics::counter;
use parking_lot::Mutex;
use tokio::sync::{broadcast::error::RecvError, mpsc};

use self::{
    channels::{Channels, Place},
    local::{Local, Move},
    message::{Heard, Request},
    misfits::Misfits,
    value::Unfit,
};
use crate::{
    realtime::namespace::Hub, services::Services, stores::redis::Redis, telemetry::metric,
};

pub use message::Filter;

/// How often it is tried to subscribe while Redis does not answer.
const SUBSCRIBE_INTERVAL: Duration = Duration::from_millis(500);

/// What the names begin with by which Roomcast's nodes are known among Node's servers.
const OURS: &str = "roomcast";

/// How other servers are heard.
#[derive(Clone, Debug)]
pub struct EcosystemOptions {
    /// What distinguishes this cluster of Roomcast's from others.
    pub prefix: String,
    /// This node's name.
    pub node: String,
    /// What the names of the channels begin with.
    pub key: String,
    /// Whether emitters are heard.
    pub emitters: bool,
    /// The largest packet that is taken, in bytes.
    pub payload_bytes: usize,
}

/// Hears emitters and other servers.
pub struct Ecosystem {
    redis: Redis,
    options: EcosystemOptions,
    channels: Vec<Channels>,
    local: Local,
    moves: Mutex<Option<mpsc::Receiver<Move>>>,
    misfits: Misfits,
}

impl Ecosystem {
    /// Nothing is heard before [`Ecosystem::run`].
    pub fn new(redis: Redis, hub: Arc<Hub>, options: EcosystemOptions) -> Self {
        let uid = format!("{OURS}:{}:{}", options.prefix, options.node);
        let channels = |path| Channels::new(&options.key, path, &uid);
        let channels = hub.paths().map(channels).collect();
        let (local, moves) = Local::new(hub);
        Self {
            redis,
            channels,
            local,
            moves: Mutex::new(Some(moves)),
            misfits: Misfits::default(),
            options,
        }
    }

    /// Hears, for ever.
    pub async fn run(&self, services: &Services) {
        let moves = self.moves.lock().take();
        let Some(moves) = moves.filter(|_| self.options.emitters) else {
            return;
        };
        tokio::join!(self.listen(), local::tell_moves(services, moves));
    }

    async fn listen(&self) {
        let mut messages = self.redis.subscriber().message_rx();
        while let Err(error) = self.subscribe().await {
            tracing::debug!(%error, "cannot listen to other servers; trying again");
            tokio::time::sleep(SUBSCRIBE_INTERVAL).await;
        }
        loop {
            match messages.recv().await {
                Ok(message) => {
                    let payload = message.value.as_bytes().unwrap_or_default();
                    self.hear(&message.channel, payload);
                }
                Err(RecvError::Lagged(count)) => {
                    counter!(metric::CLUSTER_LOST, "reason" => "lagged").increment(count);
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn subscribe(&self) -> Result<(), fred::error::Error> {
        let patterns = self.channels.iter();
        let patterns = patterns.flat_map(|one| [one.broadcasts(), one.requests()]);
        let patterns: Vec<_> = patterns.collect();
        self.redis.subscriber().psubscribe(patterns).await
    }

    fn hear(&self, channel: &str, payload: &[u8]) {
        let placed = |one: &&Channels| one.place(channel).is_some();
        let Some(channels) = self.channels.iter().find(placed) else {
            return;
        };
        let Some(place) = channels.place(channel) else {
            return;
        };
        if place == Place::Broadcast
            && pubsub::sender(payload).is_some_and(|from| self.is_ours(from))
        {
            return;
        }
        match self.read(place, channels, payload) {
            Ok(heard) => {
                self.misfits.note(place, Ok(()));
                self.perform(channels, heard);
            }
            Err(unfit) => self.misfits.note(place, Err(unfit)),
        }
    }

    fn read(&self, place: Place, channels: &Channels, payload: &[u8]) -> Result<Heard, Unfit> {
        let value = value::read(payload, self.options.payload_bytes)?;
        match place {
            Place::Broadcast => pubsub::read_broadcast(&value, channels.path),
            Place::Request => pubsub::read_request(&value, channels.path),
            Place::Response => Err(Unfit::Unknown),
        }
    }

    /// Whether this is a node of this cluster, whose events are told by its own protocol.
    fn is_ours(&self, uid: &str) -> bool {
        let name = uid
            .strip_prefix(OURS)
            .and_then(|rest| rest.strip_prefix(':'));
        let node = name.and_then(|name| name.strip_prefix(&self.options.prefix));
        let node = node.and_then(|rest| rest.strip_prefix(':'));
        node.is_some_and(|node| !node.contains(':'))
    }

    fn perform(&self, channels: &Channels, heard: Heard) {
        let (local, path) = (&self.local, channels.path);
        match heard.request {
            Request::Emit {
                event,
                to,
                volatile,
            } => local.emit(path, &event, &to, volatile),
            Request::Join { to, rooms } => local.join(path, &to, &rooms),
            Request::Leave { to, rooms } => local.leave(path, &to, &rooms),
            Request::Disconnect { to, close } => local.disconnect(path, &to, close),
            // These want an answer, which nobody expects of a node that is no member.
            Request::Ask { .. } | Request::Fetch { .. } | Request::Ids { .. } | Request::Rooms => {}
            Request::ServerSide { .. } => {}
        }
    }
}
