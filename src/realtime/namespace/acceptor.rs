//! Taking connections: whether there is room for them, and which namespaces they may ask for.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use super::{
    client::Client,
    codec::{Decoder, Encoder},
    connect::{Gate, count},
    hub::Hub,
};
use crate::{
    error::{Code, Error, Result},
    realtime::{
        ConnectionGuard, ConnectionLimits, RefusedGuard,
        connection::Connection,
        engine::{Handler, Hello, Incoming, Transport},
    },
};

/// Takes clients, once the namespaces are known.
pub struct Acceptor {
    pub hub: Weak<Hub>,
    pub encoder: Encoder,
    pub limits: AcceptorLimits,
    pub connections: Arc<ConnectionLimits>,
    pub gates: OnceLock<HashMap<&'static str, Arc<Gate>>>,
}

/// What one client may do.
#[derive(Clone, Copy, Debug)]
pub struct AcceptorLimits {
    /// How long it may be without a namespace.
    pub connect_timeout: Duration,
    /// How many namespaces it may have, 0 for any number.
    pub namespaces: usize,
    /// The most binaries of one packet.
    pub binaries: usize,
    /// The largest packet, in bytes.
    pub payload_bytes: usize,
}

/// Whether there is room for a connection.
pub enum Admission {
    /// There is.
    Counted(ConnectionGuard),
    /// There is none; the client is told when it asks for a namespace.
    Refused(Error, RefusedGuard),
}

impl Handler for Arc<Acceptor> {
    fn open(&self, hello: &Hello) -> Result<Box<dyn Incoming>> {
        if self.hub.upgrade().is_none_or(|hub| hub.is_closing()) {
            return Err(Error::new(Code::Draining, "The server is going down"));
        }
        let polling = match hello.transport {
            Transport::Polling => Some(self.connections.admit_polling(hello.ip)?),
            Transport::WebSocket => None,
        };
        let admission = match self.connections.admit(hello.ip) {
            Ok(counted) => Admission::Counted(counted),
            Err(error) => match self.connections.hold_refused() {
                Some(held) => Admission::Refused(error, held),
                None => return Err(error),
            },
        };
        let token = hello.token.clone();
        Ok(Box::new(Client::new(
            self.clone(),
            token,
            admission,
            polling,
            hello.ip,
        )))
    }
}

impl Acceptor {
    pub fn gate(&self, path: &str) -> Option<&Arc<Gate>> {
        self.gates.get()?.get(path)
    }

    pub fn decoder(&self) -> Decoder {
        let limits = &self.limits;
        Decoder::new(self.encoder.0, limits.binaries, limits.payload_bytes)
    }

    pub fn connect_timeout(&self) -> Duration {
        self.limits.connect_timeout
    }

    pub fn max_namespaces(&self) -> usize {
        self.limits.namespaces
    }

    pub fn refuse(&self, path: &str, error: &Error, connection: &Arc<Connection>) {
        count(error.code().as_str());
        connection.answer(&self.encoder.refused(path, error));
    }
}
