//! A client's sockets, one for each namespace over its connection.

use std::{net::IpAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use socketioxide_core::Value;

use super::{
    depart::{Cause, count, depart},
    dispatch::{Event, dispatch, refuse_oversized, size},
};
use crate::{
    domain::{Timestamp, UserId},
    error::Error,
    ports::DisconnectReason,
    realtime::{
        Context, QueueLimits, UserGuard,
        connection::{CloseReason, Connection},
        queue::Runner,
    },
};

/// A client's sockets.
pub struct ClientSockets {
    connection: Arc<Connection>,
    connect_timeout: Duration,
    since: Timestamp,
    address: Option<IpAddr>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By namespace.
    slots: Vec<(&'static str, Slot)>,
    users: Vec<(UserId, UserGuard)>,
    closed: bool,
    /// There has been a connected one.
    served: bool,
    draining: bool,
    /// How often a namespace has been asked for.
    knocks: u64,
}

enum Slot {
    /// Asked for; what is sent to it meanwhile waits.
    Pending {
        knock: u64,
        events: Vec<Event>,
        bytes: usize,
    },
    Connected(Context),
}

/// Whether a namespace may be connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// It has a place, by this number.
    Place(u64),
    /// It is connected, or was asked for before.
    Already,
    /// There are as many as may be.
    Full,
}

impl ClientSockets {
    /// None yet, over this connection, which must not be without one for longer than this.
    pub fn new(
        connection: Arc<Connection>,
        connect_timeout: Duration,
        address: Option<IpAddr>,
    ) -> Arc<Self> {
        Arc::new(Self {
            connection,
            connect_timeout,
            since: Timestamp::now(),
            address,
            state: Mutex::default(),
        })
    }

    /// The connection that they share.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// When the connection began, and from where, as far as that is known.
    pub fn origin(&self) -> (Timestamp, Option<IpAddr>) {
        (self.since, self.address)
    }

    /// Whether there is none, nor one that has been asked for.
    pub fn is_empty(&self) -> bool {
        self.state.lock().slots.is_empty()
    }

    /// Makes a place for a namespace that was asked for.
    pub fn reserve(&self, path: &'static str, max: usize) -> Reserved {
        let mut state = self.state.lock();
        if state.slots.iter().any(|(known, _)| *known == path) {
            return Reserved::Already;
        }
        if max > 0 && state.slots.len() >= max {
            return Reserved::Full;
        }
        state.knocks += 1;
        let knock = state.knocks;
        let (events, bytes) = (Vec::new(), 0);
        let pending = Slot::Pending {
            knock,
            events,
            bytes,
        };
        state.slots.reserve_exact(1);
        state.slots.push((path, pending));
        Reserved::Place(knock)
    }

    /// Gives up a place whose namespace was refused.
    pub fn give_up(&self, path: &str, refused: u64) {
        let mut state = self.state.lock();
        state.slots.retain(|(known, slot)| {
            let is_it = matches!(slot, Slot::Pending { knock, .. } if *knock == refused);
            *known != path || !is_it
        });
        drop(state);
        self.expect_namespace();
    }

    /// With no namespace left or asked for, one must be connected in time.
    fn expect_namespace(&self) {
        if self.is_empty() {
            self.connection.await_namespace(self.connect_timeout);
        }
    }

    /// Whether the connection is counted as the user's.
    pub fn counts_user(&self, user: &UserId) -> bool {
        let state = self.state.lock();
        state.users.iter().any(|(known, _)| known == user)
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
            state.users.reserve_exact(1);
            state.users.push((user.clone(), guard));
        }
        Ok(())
    }

    /// Connects a namespace that was asked for: `enter` runs, then what has waited is handled,
    /// before anything that comes. Nothing happens when the client has gone.
    pub fn connect(
        &self,
        path: &str,
        asked: u64,
        context: &Context,
        enter: impl FnOnce() -> bool,
    ) -> bool {
        let mut state = self.state.lock();
        if state.closed {
            return false;
        }
        let Some((_, slot)) = state.slots.iter_mut().find(|(known, _)| *known == path) else {
            return false;
        };
        let Slot::Pending { knock, events, .. } = slot else {
            return false;
        };
        if *knock != asked || !enter() {
            return false;
        }
        let events = std::mem::take(events);
        *slot = Slot::Connected(context.clone());
        state.served = true;
        for event in events {
            if let Err(reason) = dispatch(context, event) {
                self.connection.doom(reason);
            }
        }
        self.connection.has_namespace();
        true
    }

    /// Takes an event of a namespace. What is returned handles it. An error must end the connection.
    pub fn event(
        &self,
        path: &str,
        event: Event,
        limits: QueueLimits,
    ) -> Result<Option<Runner>, CloseReason> {
        let mut state = self.state.lock();
        match state.slots.iter_mut().find(|(known, _)| *known == path) {
            Some((_, Slot::Connected(context))) => dispatch(context, event),
            Some((_, Slot::Pending { events, bytes, .. })) => {
                *bytes += size(&event.value);
                if events.len() >= limits.events || *bytes > limits.bytes {
                    return Err(CloseReason::Flood);
                }
                events.push(event);
                Ok(None)
            }
            // It has left, or was refused, and does not know yet.
            None => Ok(None),
        }
    }

    /// Takes a client's answer to an event.
    pub fn answered(&self, path: &str, number: i64, ack: &Value) {
        for context in self.contexts() {
            let namespace = context.namespace();
            if namespace.path() == path {
                namespace.answered(context.session.id(), number, ack);
            }
        }
    }

    /// Refuses an event of which only the beginning was read.
    pub fn refuse_oversized(&self, path: &str, name: String, ack: Option<i64>) {
        let state = self.state.lock();
        if let Some((_, Slot::Connected(context))) =
            state.slots.iter().find(|(known, _)| *known == path)
        {
            refuse_oversized(context, name, ack);
        }
    }

    /// Ends one socket.
    pub fn leave(&self, path: &str, cause: Cause) {
        let left = {
            let mut state = self.state.lock();
            let at = state.slots.iter().position(|(known, _)| *known == path);
            at.map(|at| state.slots.swap_remove(at).1)
        };
        if left.is_some() && cause == Cause::Client {
            self.expect_namespace();
        }
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

    /// Notes that the server goes down; whether it had been noted.
    pub fn begin_draining(&self) -> bool {
        std::mem::replace(&mut self.state.lock().draining, true)
    }

    /// Sends what was kept back while the client read slowly.
    pub fn relieve(&self) {
        for context in self.contexts() {
            context.namespace().relieve(&context);
        }
    }

    /// The connection has ended.
    pub fn close(&self, reason: CloseReason) {
        let (slots, served) = {
            let mut state = self.state.lock();
            state.closed = true;
            state.users.clear();
            (std::mem::take(&mut state.slots), state.served)
        };
        for (_, slot) in slots {
            if let Slot::Connected(context) = slot {
                depart(&context, Cause::Transport(reason));
            }
        }
        // Sockets are counted as they end.
        if !served {
            count(reason.as_str());
        }
    }
}
