//! Engine.IO v4, and v3 where it is switched on, over WebSocket and polling with upgrade between
//! them (protocol: github.com/socketio/engine.io-protocol).
//!
//! What comes from a client goes to an [`Incoming`]; what goes to it is
//! [pushed](super::connection::Connection::push). Nothing here knows Socket.IO.

pub(super) mod frames;
mod handshake;
mod http;
pub(super) mod payload;
mod websocket;

pub use handshake::is_websocket;
pub use http::ClientAddress;

use std::{collections::HashMap, fmt, net::IpAddr, sync::Arc, time::Duration};

use parking_lot::RwLock;
use serde_json::json;
use tokio::{net::TcpStream, task::AbortHandle};

use super::{
    budget::Budget,
    connection::{CloseReason, Connection},
    flusher::Flusher,
    outbox::Treatment,
    queue::Runner,
    timers::Timers,
    wire::Packet,
};
use crate::{error::Result, sparse};

/// The length of a session id.
const ID_LENGTH: usize = 20;

/// What session ids are made of: 64 characters, 6 bits each.
const ALPHABET: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

/// A session's id: 120 random bits. Who knows it can speak for the client.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EngineId([u8; ID_LENGTH]);

impl EngineId {
    /// A new one.
    pub fn generate() -> Self {
        let random: [u8; ID_LENGTH] = rand::random();
        Self(random.map(|byte| ALPHABET[usize::from(byte & 0x3F)]))
    }

    /// What a client calls it.
    pub fn read(text: &str) -> Option<Self> {
        text.as_bytes().try_into().ok().map(Self)
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for EngineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EngineId(…)")
    }
}

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Engine.IO 3, of socket.io-client 2.x.
    V3,
    /// Engine.IO 4.
    V4,
}

/// How a session begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// HTTP long-polling.
    Polling,
    /// WebSocket.
    WebSocket,
}

/// Whether Engine.IO 3 is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eio3 {
    /// It is.
    Served,
    /// Its clients are told that it is not.
    Refused,
}

/// How sessions are kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// Between a ping's answer and the next ping.
    pub ping_interval: Duration,
    /// How long the answer may take.
    pub ping_timeout: Duration,
    /// How long an upgrade may take.
    pub upgrade_timeout: Duration,
    /// How long the body of a request may take.
    pub body_timeout: Duration,
    /// How long nothing may be taken of what waits.
    pub stall_limit: Duration,
    /// How much may wait for a client.
    pub budget: Budget,
    /// The largest message, and the largest request, in bytes.
    pub max_payload: usize,
    /// Whether Engine.IO 3 is spoken.
    pub eio3: Eio3,
}

/// Who asks for a session.
#[derive(Clone, Debug)]
pub struct Hello {
    /// The client's address, where it is known.
    pub ip: Option<IpAddr>,
    /// `token` of the query, which clients of Engine.IO 3 bring: they have no `auth`.
    pub token: Option<String>,
    /// The version that it speaks.
    pub protocol: Protocol,
    /// How it begins.
    pub transport: Transport,
}

/// What a client has sent.
#[derive(Debug)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// Text over the limit: how it begins.
    OversizedText(Vec<u8>),
    /// Bytes over the limit.
    OversizedBinary,
}

/// Opens sessions.
pub trait Handler: Send + Sync + 'static {
    /// Takes a session, or fails with the limit that stands against it.
    fn open(&self, hello: &Hello) -> Result<Box<dyn Incoming>>;
}

/// The receiving side of one session. Its methods are called one after another and must not wait,
/// nor end their own connection other than by [`Connection::doom`] or an error.
pub trait Incoming: Send {
    /// The session has begun.
    fn begin(&mut self, connection: &Arc<Connection>);
    /// The client has sent something. What is returned handles it. An error ends the connection.
    fn message(&mut self, message: Message) -> Result<Option<Runner>, CloseReason>;
    /// Little or nothing waits for the client any more, as was
    /// [asked for](Connection::ask_for_relief).
    fn relieved(&mut self) {}
    /// The session goes on over a WebSocket.
    fn upgraded(&mut self) {}
    /// The server goes down: nothing more is taken. Returns true when the connection is ended from
    /// here once what was taken is done, else it ends now.
    fn drain(&mut self) -> bool {
        false
    }
    /// The connection has ended.
    fn closed(&mut self, reason: CloseReason);
}

/// What all connections share.
pub struct Shared {
    /// How sessions are kept.
    pub options: Options,
    /// Write for them, each for those that are its own.
    flushers: Vec<Flusher>,
    /// Wakes them.
    pub timers: Timers,
    sessions: RwLock<HashMap<EngineId, Arc<Connection>>>,
}

impl Shared {
    /// Writes for this connection, always the same one: what was emitted first arrives first.
    pub fn flusher(&self, id: EngineId) -> &Flusher {
        &self.flushers[usize::from(id.0[0]) % self.flushers.len()]
    }

    /// A connection has ended.
    pub fn forget(&self, id: EngineId) {
        let mut sessions = self.sessions.write();
        sessions.remove(&id);
        sparse::shrink(&mut sessions);
    }

    fn get(&self, id: EngineId) -> Option<Arc<Connection>> {
        self.sessions.read().get(&id).cloned()
    }
}

/// An endpoint. Clones share it; its tasks end with the last one.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    handler: Arc<dyn Handler>,
    tasks: Vec<AbortHandle>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Engine {
    /// An endpoint without sessions. Must be called within a runtime.
    pub fn new(options: Options, handler: Arc<dyn Handler>) -> Self {
        let shared = Arc::new(Shared {
            options,
            flushers: (0..flushers()).map(|_| Flusher::default()).collect(),
            timers: Timers::default(),
            sessions: RwLock::default(),
        });
        let waking = shared.clone();
        let mut tasks = vec![tokio::spawn(async move { wake(&waking).await }).abort_handle()];
        for number in 0..shared.flushers.len() {
            let flushing = shared.clone();
            let run = async move { flushing.flushers[number].run().await };
            tasks.push(tokio::spawn(run).abort_handle());
        }
        Self(Arc::new(Inner {
            shared,
            handler,
            tasks,
        }))
    }

    /// Every connection.
    pub fn connections(&self) -> Vec<Arc<Connection>> {
        self.0.shared.sessions.read().values().cloned().collect()
    }

    /// How many connections there are.
    pub fn count(&self) -> usize {
        self.0.shared.sessions.read().len()
    }

    /// Begins a session; over polling without `stream`.
    fn begin(
        &self,
        hello: &Hello,
        incoming: Box<dyn Incoming>,
        stream: Option<Arc<TcpStream>>,
    ) -> Arc<Connection> {
        let shared = &self.0.shared;
        let id = EngineId::generate();
        let (protocol, shared) = (hello.protocol, shared.clone());
        let connection = Connection::new(id, protocol, shared.clone(), incoming, stream);
        shared.sessions.write().insert(id, connection.clone());
        connection.push(&self.handshake(id, hello.transport), Treatment::Must);
        connection.start_heartbeat();
        connection.begin();
        connection
    }

    fn handshake(&self, id: EngineId, transport: Transport) -> Packet {
        let options = &self.0.shared.options;
        let upgrades: &[&str] = match transport {
            Transport::Polling => &["websocket"],
            Transport::WebSocket => &[],
        };
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let open = json!({
            "sid": id.as_str(),
            "upgrades": upgrades,
            "pingInterval": ms(options.ping_interval),
            "pingTimeout": ms(options.ping_timeout),
            "maxPayload": options.max_payload,
        });
        Packet::control('0', &open.to_string())
    }
}

/// The most tasks that write.
const MAX_FLUSHERS: usize = 8;

/// How many write: on half of the cores, so that others read meanwhile.
fn flushers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores / 2).clamp(1, MAX_FLUSHERS)
}

/// Tells connections when their alarms go off, for ever.
async fn wake(shared: &Shared) {
    loop {
        let (due, id, alarm) = shared.timers.next().await;
        if let Some(connection) = shared.get(id) {
            connection.alarmed(alarm, due);
        }
    }
}
