//! One client: what it sends over its connection, and its sockets, one for each namespace.

use std::sync::Arc;

use parking_lot::Mutex;
use socketioxide_core::Value;

use super::{
    codec::{Decoder, Inward, Kind},
    connect::{Admission, Acceptor, Knock},
    depart::{Cause, depart},
    dispatch::dispatch,
};
use crate::{
    domain::UserId,
    error::{Code, Error},
    ports::DisconnectReason,
    realtime::{
        Context, Order, PollingGuard, UserGuard,
        connection::{CloseReason, Connection},
        engine::{Incoming, Message, Protocol},
        queue::{Job, Pending},
        rooms::Departed,
    },
    telemetry,
};

/// How often a client may ask for a namespace over one connection.
const MAX_CONNECTS: usize = 256;

/// Ends a connection that is drained when it is dropped.
struct Last(Arc<Connection>);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.finish(CloseReason::ServerShutdown);
    }
}

/// The receiving side of a connection.
pub struct Client {
    acceptor: Arc<Acceptor>,
    /// From the query: clients of Engine.IO 3 have no `auth`.
    token: Option<String>,
    admission: Arc<Admission>,
    polling: Option<PollingGuard>,
    decoder: Decoder,
    connects: usize,
    sockets: Option<Arc<ClientSockets>>,
}

/// A client's sockets.
pub struct ClientSockets {
    connection: Arc<Connection>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By namespace.
    slots: Vec<(&'static str, Slot)>,
    users: Vec<(UserId, UserGuard)>,
    closed: bool,
}

enum Slot {
    /// Asked for; what is sent to it meanwhile waits.
    Pending { events: Vec<Event>, bytes: usize },
    Connected(Context),
}

/// An event on its way to its handler.
pub struct Event {
    /// Its name and arguments.
    pub value: Value,
    /// The ack that it asks for.
    pub ack: Option<i64>,
}

impl Client {
    pub fn new(
        acceptor: Arc<Acceptor>,
        token: Option<String>,
        admission: Admission,
        polling: Option<PollingGuard>,
    ) -> Self {
        let decoder = acceptor.decoder();
        Self {
            acceptor,
            token,
            admission: Arc::new(admission),
            polling,
            decoder,
            connects: 0,
            sockets: None,
        }
    }

    fn take(&mut self, inward: Inward) -> Result<(), CloseReason> {
        let Some(sockets) = &self.sockets else {
            return Ok(());
        };
        let path = inward.namespace.split('?').next().unwrap_or("/");
        let Some(gate) = self.acceptor.gate(path) else {
            if let Kind::Connect(_) = inward.kind {
                self.count_connect()?;
                let error = Error::new(Code::InvalidNamespace, "Invalid namespace");
                self.acceptor.refuse(path, &error, &self.connection()?);
            }
            return Ok(());
        };
        match inward.kind {
            Kind::Connect(auth) => {
                let (gate, sockets) = (gate.clone(), sockets.clone());
                self.count_connect()?;
                if sockets.reserve(gate.path(), self.acceptor.max_namespaces()) {
                    gate.knock(Knock {
                        sockets,
                        auth,
                        token: self.token.clone(),
                        admission: self.admission.clone(),
                    });
                } else {
                    telemetry::limited(Code::TooManyNamespaces);
                    let error = Error::new(Code::TooManyNamespaces, "Too many namespaces");
                    self.acceptor.refuse(path, &error, &sockets.connection);
                }
                Ok(())
            }
            Kind::Disconnect => {
                sockets.leave(gate.path(), Cause::Client);
                if sockets.is_empty() {
                    let within = self.acceptor.connect_timeout();
                    sockets.connection.await_namespace(within);
                }
                Ok(())
            }
            Kind::Event(value, ack) => {
                let limits = gate.queue_limits();
                sockets.event(gate.path(), Event { value, ack }, limits.events, limits.bytes)
            }
            Kind::Oversized { name, ack } => {
                sockets.refuse_oversized(gate.path(), name, ack);
                Ok(())
            }
        }
    }

    fn count_connect(&mut self) -> Result<(), CloseReason> {
        self.connects += 1;
        if self.connects > MAX_CONNECTS {
            return Err(CloseReason::Flood);
        }
        Ok(())
    }

    fn connection(&self) -> Result<Arc<Connection>, CloseReason> {
        let sockets = self.sockets.as_ref().ok_or(CloseReason::TransportClose)?;
        Ok(sockets.connection.clone())
    }
}

impl Incoming for Client {
    fn begin(&mut self, connection: &Arc<Connection>) {
        let sockets = ClientSockets::new(connection.clone());
        connection.await_namespace(self.acceptor.connect_timeout());
        // Engine.IO 3's clients are connected to `/` without asking.
        if connection.protocol() == Protocol::V3
            && let Some(gate) = self.acceptor.gate("/")
            && sockets.reserve(gate.path(), 0)
        {
            gate.clone().knock(Knock {
                sockets: sockets.clone(),
                auth: None,
                token: self.token.clone(),
                admission: self.admission.clone(),
            });
        }
        self.sockets = Some(sockets);
    }

    fn message(&mut self, message: Message) -> Result<(), CloseReason> {
        match self.decoder.read(message)? {
            Some(inward) => self.take(inward),
            None => Ok(()),
        }
    }

    fn relieved(&mut self) {
        if let Some(sockets) = &self.sockets {
            sockets.relieve();
        }
    }

    fn upgraded(&mut self) {
        self.polling = None;
    }

    fn drain(&mut self) -> bool {
        self.sockets.as_ref().is_some_and(|sockets| sockets.drain())
    }

    fn closed(&mut self, reason: CloseReason) {
        if let Some(sockets) = self.sockets.take() {
            sockets.close(reason);
        }
    }
}

impl ClientSockets {
    fn new(connection: Arc<Connection>) -> Arc<Self> {
        Arc::new(Self {
            connection,
            state: Mutex::default(),
        })
    }

    /// The connection that they share.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Whether there is none, nor one that has been asked for.
    pub fn is_empty(&self) -> bool {
        self.state.lock().slots.is_empty()
    }

    /// Makes a place for a namespace that was asked for; whether there was room. One that was
    /// asked for before keeps its place.
    fn reserve(&self, path: &'static str, max: usize) -> bool {
        let mut state = self.state.lock();
        if state.slots.iter().any(|(known, _)| *known == path) {
            return true;
        }
        if max > 0 && state.slots.len() >= max {
            return false;
        }
        let (events, bytes) = (Vec::new(), 0);
        state.slots.push((path, Slot::Pending { events, bytes }));
        true
    }

    /// Whether the namespace is still asked for and not answered.
    pub fn is_pending(&self, path: &str) -> bool {
        let state = self.state.lock();
        let pending =
            |(known, slot): &(&str, Slot)| *known == path && matches!(slot, Slot::Pending { .. });
        !state.closed && state.slots.iter().any(pending)
    }

    /// Gives up a place that is not answered, or was refused.
    pub fn give_up(&self, path: &str) {
        let mut state = self.state.lock();
        state
            .slots
            .retain(|(known, slot)| *known != path || matches!(slot, Slot::Connected(_)));
    }

    /// Counts the connection as the user's, once, or fails with the limit that stands against it.
    pub fn count_user(
        &self,
        user: &UserId,
        admit: impl FnOnce() -> Result<UserGuard, Error>,
    ) -> Result<(), Error> {
        let mut state = self.state.lock();
        if state.users.iter().all(|(known, _)| known != user) {
            let guard = admit()?;
            state.users.push((user.clone(), guard));
        }
        Ok(())
    }

    /// Connects a namespace that was asked for: `enter` runs, then what has waited is handled,
    /// before anything that comes. Nothing happens when the client has gone.
    pub fn connect(&self, path: &str, context: &Context, enter: impl FnOnce() -> bool) -> bool {
        let mut state = self.state.lock();
        if state.closed {
            return false;
        }
        let Some((_, slot)) = state.slots.iter_mut().find(|(known, _)| *known == path) else {
            return false;
        };
        let Slot::Pending { events, .. } = slot else {
            return false;
        };
        if !enter() {
            return false;
        }
        let events = std::mem::take(events);
        *slot = Slot::Connected(context.clone());
        for event in events {
            if let Err(reason) = dispatch(context, event) {
                self.connection.doom(reason);
            }
        }
        self.connection.has_namespace();
        true
    }

    fn event(
        &self,
        path: &str,
        event: Event,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<(), CloseReason> {
        let mut state = self.state.lock();
        match state.slots.iter_mut().find(|(known, _)| *known == path) {
            Some((_, Slot::Connected(context))) => dispatch(context, event),
            Some((_, Slot::Pending { events, bytes })) => {
                *bytes += event.value.len();
                if events.len() >= max_events || *bytes > max_bytes {
                    return Err(CloseReason::Flood);
                }
                events.push(event);
                Ok(())
            }
            // It has left, or was refused, and does not know yet.
            None => Ok(()),
        }
    }

    fn refuse_oversized(&self, path: &str, name: String, ack: Option<i64>) {
        let state = self.state.lock();
        if let Some((_, Slot::Connected(context))) =
            state.slots.iter().find(|(known, _)| *known == path)
        {
            super::dispatch::refuse_oversized(context, name, ack);
        }
    }

    /// Ends one socket.
    pub fn leave(&self, path: &str, cause: Cause) {
        let left = {
            let mut state = self.state.lock();
            let at = state.slots.iter().position(|(known, _)| *known == path);
            at.map(|at| state.slots.swap_remove(at).1)
        };
        if let Some(Slot::Connected(context)) = left {
            depart(&context, cause);
        }
    }

    /// The server ends one socket; with the last one the connection ends.
    pub fn expel(&self, path: &str, reason: DisconnectReason) {
        self.leave(path, Cause::Server(reason));
        if self.is_empty() {
            self.connection.finish(CloseReason::Server(reason));
        }
    }

    /// The connected sockets.
    pub fn contexts(&self) -> Vec<Context> {
        let state = self.state.lock();
        let connected = state.slots.iter().filter_map(|(_, slot)| match slot {
            Slot::Connected(context) => Some(context.clone()),
            Slot::Pending { .. } => None,
        });
        connected.collect()
    }

    /// Takes nothing more, and ends the connection once what was sent is done; whether there is
    /// anything to wait for.
    fn drain(&self) -> bool {
        let contexts = self.contexts();
        let any = !contexts.is_empty();
        // Goes with the last socket's last job.
        let last = Arc::new(Last(self.connection.clone()));
        for context in contexts {
            let last = last.clone();
            let queue = context.session.queue().clone();
            let work = async move {
                let rooms = context.namespace.rooms();
                rooms.remove(&context.session, Departed::Dropped);
                drop(last);
            };
            queue.close(
                Pending::Finished,
                Job {
                    order: Order::Serial,
                    bytes: 0,
                    work: Box::pin(work),
                },
            );
        }
        any
    }

    fn relieve(&self) {
        for context in self.contexts() {
            context.namespace.relieve(&context);
        }
    }

    fn close(&self, reason: CloseReason) {
        let slots = {
            let mut state = self.state.lock();
            state.closed = true;
            state.users.clear();
            std::mem::take(&mut state.slots)
        };
        let mut connected = 0;
        for (_, slot) in slots {
            if let Slot::Connected(context) = slot {
                connected += 1;
                depart(&context, Cause::Transport(reason));
            }
        }
        if connected == 0 {
            super::depart::count(reason.as_str());
        }
    }
}
