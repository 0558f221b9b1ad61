//! Node's servers and emitters on the same Redis.
//!
//! **Emitters.** `@socket.io/redis-emitter`, and whatever speaks its format, publishes events and
//! requests on the channels of Node's Redis adapter. Every node hears them and does what they say for
//! its own sockets, as each of Node's servers does: nothing is told on, so nothing arrives twice. A node
//! listens to their requests by a pattern: Node's servers count each other by who has subscribed to the
//! channel itself, and wait for the answers of so many.
//!
//! **A mixed cluster** (`cluster.adapter`). A node is one of Node's servers, too: it is counted, it
//! answers, and what its clients are sent it tells in Node's words. Its own protocol stays beside that:
//! entries in the order of their positions, notices, presence. So Roomcast's nodes hear most events
//! twice, and take no event in Node's words whose sender is one of the same `cluster.prefix`: their
//! names among servers, `roomcast:{prefix}:{node}`, say so. Of a committed entry the node that committed
//! it tells Node's servers, when it delivers it; two nodes that write to one room at the same moment may
//! be heard there in either order, and `seq` says which is right.
//!
//! - `channels`: what the channels are called. `value`: bytes as values. `message`: what can be
//!   said. `pubsub`, `sharded`: how Node's adapters write it; `dialect` picks one of them.
//! - `answering`: what others want, done by `local` for the sockets of this node. `misfits`: what
//!   does not fit. `built_in`: events of servers that each node knows.
//! - `calls`: what this node wants of others. `telling`: what waits to be told.

mod alone;
mod answering;
mod built_in;
mod calls;
mod channels;
mod core;
mod describe;
mod dialect;
mod local;
mod message;
mod misfits;
mod options;
mod pubsub;
mod sharded;
mod telling;
mod value;

use std::{sync::Arc, time::Duration};

use fred::types::{Message, MessageKind};
use futures::{FutureExt, future::BoxFuture};
use metrics::counter;
use parking_lot::Mutex;
use tokio::sync::{broadcast::error::RecvError, mpsc};

use self::{
    calls::Calls,
    channels::{Channels, Place},
    core::{Core, ToServers},
    local::{Local, Move},
    message::{Heard, Request},
    misfits::Misfits,
    sharded::Said,
    telling::Telling,
    value::Unfit,
};
use crate::{
    ports::{Emitter, Peers, Servers},
    realtime::namespace::{Hub, Relay},
    services::Services,
    stores::redis::{Redis, Told},
    telemetry::metric,
};

pub use alone::Alone;
pub(crate) use describe::socket as describe_socket;
pub use dialect::Dialect;
pub use options::EcosystemOptions;

/// The largest packet of another server that is taken, in bytes: it may describe many sockets. What
/// clients may send is another limit.
const MAX_PACKET_BYTES: usize = 16 * 1024 * 1024;

/// The largest answer that is looked at while none is waited for, in bytes.
const MAX_UNASKED_BYTES: usize = 64 * 1024;

/// What the names begin with by which Roomcast's nodes are known among Node's servers.
const OURS: &str = "roomcast";

/// What is listened to.
#[derive(Default)]
struct Wanted {
    channels: Vec<String>,
    patterns: Vec<String>,
    sharded: Vec<String>,
}

/// Hears emitters and other servers, and tells these.
pub struct Ecosystem {
    core: Arc<Core>,
    options: EcosystemOptions,
    moves: Mutex<Option<mpsc::Receiver<Move>>>,
    misfits: Misfits,
}

impl Ecosystem {
    /// Nothing is heard or told before [`Ecosystem::run`].
    pub fn new(
        redis: Redis,
        hub: Arc<Hub>,
        peers: Arc<dyn Peers>,
        options: EcosystemOptions,
    ) -> Self {
        let uid = format!("{OURS}:{}:{}", options.prefix, options.node);
        let channels = |path| Channels::new(&options.key, path, &uid);
        let channels = hub.paths().map(channels).collect();
        let (local, moves) = Local::new(hub.clone());
        let core = Core {
            redis,
            hub,
            peers,
            channels,
            dialect: options.dialect,
            uid,
            node: options.node.clone(),
            timeout: options.timeout,
            local,
            telling: Telling::new(options.queue),
            open: core::Open::default(),
        };
        Self {
            core: Arc::new(core),
            moves: Mutex::new(Some(moves)),
            misfits: Misfits::default(),
            options,
        }
    }

    /// The servers, as programs may call them.
    pub fn servers(&self) -> Arc<dyn Servers> {
        Arc::new(Calls(self.core.clone()))
    }

    /// The way of events that sockets are sent to other servers, if there may be any.
    pub fn relay(&self) -> Option<Arc<dyn Relay>> {
        self.options.dialect?;
        Some(Arc::new(ToServers(self.core.clone())))
    }

    /// The same, of what has been committed.
    pub fn emitter(&self) -> Option<Arc<dyn Emitter>> {
        self.options.dialect?;
        Some(Arc::new(ToServers(self.core.clone())))
    }

    /// Hears and tells, for ever.
    pub fn run<'a>(&'a self, services: &'a Services) -> BoxFuture<'a, ()> {
        let running = async move {
            let Some(moves) = self.moves.lock().take() else {
                return;
            };
            tokio::join!(
                self.listen(),
                self.tell(),
                local::tell_moves(services, moves)
            );
        };
        running.boxed()
    }

    /// Waits until what has been told so far has been published, at most so long.
    pub async fn flushed(&self, limit: Duration) {
        self.core.telling.flushed(limit).await;
    }

    async fn tell(&self) {
        if let Some(dialect) = self.options.dialect {
            self.core.telling.run(&self.core.redis, dialect).await;
        }
    }

    async fn listen(&self) {
        let wanted = self.wanted();
        let redis = &self.core.redis;
        let mut told = redis.listen(wanted.channels, wanted.patterns);
        redis.listen_to_shards(wanted.sharded);
        loop {
            match told.recv().await {
                Ok(Told::Message(message)) => self.hear(&message),
                Ok(Told::Anew) => {}
                Ok(Told::Lost(count)) | Err(RecvError::Lagged(count)) => {
                    counter!(metric::CLUSTER_LOST, "reason" => "lagged").increment(count);
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// By the last channel of each namespace this node is counted: by then it hears what it asks for.
    fn wanted(&self) -> Wanted {
        let emitters = self.options.emitters;
        let mut wanted = Wanted::default();
        for one in &self.core.channels {
            match self.options.dialect {
                Some(Dialect::PubSub) => {
                    wanted.patterns.push(one.broadcasts());
                    let channels = [&one.response, &one.own_response, &one.request];
                    wanted.channels.extend(channels.map(String::clone));
                }
                Some(Dialect::Sharded) => {
                    let channels = [&one.own_sharded, &one.broadcast];
                    wanted.sharded.extend(channels.map(String::clone));
                }
                None => {}
            }
            if emitters && self.options.dialect != Some(Dialect::PubSub) {
                wanted.patterns.extend([one.broadcasts(), one.requests()]);
            }
        }
        wanted
    }

    fn hear(&self, message: &Message) {
        let payload = message.value.as_bytes().unwrap_or_default();
        let is_sharded = message.kind == MessageKind::SMessage;
        let placed = self.core.channels.iter().find_map(|channels| {
            let place = match is_sharded {
                true => channels.sharded_place(&message.channel),
                false => channels.place(&message.channel),
            };
            Some((channels, place?))
        });
        let Some((channels, place)) = placed else {
            return;
        };
        if !is_sharded && place == Place::Broadcast && self.is_nobodys(channels, message) {
            return;
        }
        // What other servers answer each other need not be read, if it takes long.
        let bytes = message.value.as_bytes().map_or(0, <[u8]>::len);
        let is_answer = !is_sharded && place == Place::Response;
        if is_answer && bytes > MAX_UNASKED_BYTES && !self.core.awaits() {
            return;
        }
        match self.read(place, channels, is_sharded, payload) {
            Ok(said) => {
                self.misfits.note(place, Ok(()));
                self.take(channels, said);
            }
            Err(unfit) => self.misfits.note(place, Err(unfit)),
        }
    }

    /// Whether it is for a room that nobody here is in, or was told by this cluster's own protocol.
    fn is_nobodys(&self, channels: &Channels, message: &Message) -> bool {
        let namespace = self.core.local.namespace(channels.path);
        let room = channels.room_of(&message.channel);
        let payload = message.value.as_bytes().unwrap_or_default();
        let sender = pubsub::sender(payload);
        room.is_some_and(|room| !namespace.is_occupied(room))
            || sender.is_some_and(|sender| self.is_of_this_cluster(sender))
    }

    fn read(
        &self,
        place: Place,
        channels: &Channels,
        is_sharded: bool,
        payload: &[u8],
    ) -> Result<Said, Unfit> {
        let value = value::read(payload, MAX_PACKET_BYTES)?;
        if is_sharded {
            return sharded::read(&value, channels.path);
        }
        Ok(match place {
            Place::Broadcast => Said::Request(pubsub::read_broadcast(&value, channels.path)?),
            Place::Request => Said::Request(pubsub::read_request(&value, channels.path)?),
            Place::Response => {
                let (id, answer) = pubsub::read_answer(&value)?;
                Said::Answer(id, answer)
            }
        })
    }

    fn take(&self, channels: &Channels, said: Said) {
        match said {
            // What this node says itself is done already.
            Said::Request(heard) if heard.from == self.core.uid => {}
            Said::Request(Heard {
                from,
                request: Request::Emit { .. },
                ..
            }) if self.is_of_this_cluster(&from) => {}
            Said::Request(heard) => answering::perform(&self.core, channels, heard),
            Said::Answer(id, answer) => self.core.answered(&id, answer),
        }
    }

    /// Whether this is a node of this cluster, whose events are told by its own protocol.
    fn is_of_this_cluster(&self, uid: &str) -> bool {
        let name = uid
            .strip_prefix(OURS)
            .and_then(|rest| rest.strip_prefix(':'));
        let node = name.and_then(|name| name.strip_prefix(&self.options.prefix));
        let node = node.and_then(|rest| rest.strip_prefix(':'));
        node.is_some_and(|node| !node.contains(':'))
    }
}
