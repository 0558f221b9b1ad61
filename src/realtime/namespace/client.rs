//! One client: what it sends over its connection.

use std::{net::IpAddr, sync::Arc};

use super::{
    acceptor::{Acceptor, Admission},
    client_sockets::{ClientSockets, Reserved},
    codec::{Decoder, Inward, Kind},
    connect::Knock,
    depart::Cause,
    dispatch::Event,
    observe::Sight,
};
use crate::{
    error::{Code, Error},
    realtime::{
        PollingGuard,
        connection::{CloseReason, Connection},
        engine::{Incoming, Message, Protocol},
        queue::Runner,
    },
    telemetry,
};

/// How often a client may ask for a namespace over one connection.
const MAX_CONNECTS: usize = 256;

/// The receiving side of a connection.
pub struct Client {
    acceptor: Arc<Acceptor>,
    /// From the query: clients of Engine.IO 3 have no `auth`.
    token: Option<String>,
    admission: Arc<Admission>,
    polling: Option<PollingGuard>,
    address: Option<IpAddr>,
    decoder: Decoder,
    connects: usize,
    sockets: Option<Arc<ClientSockets>>,
}

impl Client {
    pub fn new(
        acceptor: Arc<Acceptor>,
        token: Option<String>,
        admission: Admission,
        polling: Option<PollingGuard>,
        address: Option<IpAddr>,
    ) -> Self {
        let decoder = acceptor.decoder();
        Self {
            acceptor,
            token,
            admission: Arc::new(admission),
            polling,
            address,
            decoder,
            connects: 0,
            sockets: None,
        }
    }

    fn take(&mut self, inward: Inward) -> Result<Option<Runner>, CloseReason> {
        let Some(sockets) = &self.sockets else {
            return Ok(None);
        };
        let path = inward.namespace.split('?').next().unwrap_or("/");
        let Some(gate) = self.acceptor.gate(path) else {
            if let Kind::Connect(_) = inward.kind {
                self.count_connect()?;
                let error = Error::new(Code::InvalidNamespace, "Invalid namespace");
                self.acceptor.refuse(path, &error, &self.connection()?);
            }
            return Ok(None);
        };
        match inward.kind {
            Kind::Connect(auth) => {
                let (gate, sockets) = (gate.clone(), sockets.clone());
                self.count_connect()?;
                match sockets.reserve(gate.path(), self.acceptor.max_namespaces()) {
                    Reserved::Place(place) => gate.knock(Knock {
                        sockets,
                        place,
                        auth,
                        token: self.token.clone(),
                        admission: self.admission.clone(),
                    }),
                    Reserved::Already => {}
                    Reserved::Full => {
                        telemetry::limited(Code::TooManyNamespaces);
                        let error = Error::new(Code::TooManyNamespaces, "Too many namespaces");
                        self.acceptor.refuse(path, &error, sockets.connection());
                    }
                }
                Ok(None)
            }
            Kind::Disconnect => {
                sockets.leave(gate.path(), Cause::Client);
                Ok(None)
            }
            Kind::Event { name, value, ack } => {
                let event = Event { name, value, ack };
                sockets.event(gate.path(), event, gate.queue_limits())
            }
            Kind::Ack(value, number) => {
                sockets.answered(gate.path(), number, &value);
                Ok(None)
            }
            Kind::Oversized { name, ack } => {
                sockets.refuse_oversized(gate.path(), name, ack);
                Ok(None)
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
        Ok(sockets.connection().clone())
    }
}

impl Incoming for Client {
    fn begin(&mut self, connection: &Arc<Connection>) {
        let within = self.acceptor.connect_timeout();
        let sockets = ClientSockets::new(connection.clone(), within, self.address);
        connection.await_namespace(within);
        // Engine.IO 3's clients are connected to `/` without asking.
        if connection.protocol() == Protocol::V3
            && let Some(gate) = self.acceptor.gate("/")
            && let Reserved::Place(place) = sockets.reserve(gate.path(), 0)
        {
            gate.clone().knock(Knock {
                sockets: sockets.clone(),
                place,
                auth: None,
                token: self.token.clone(),
                admission: self.admission.clone(),
            });
        }
        self.sockets = Some(sockets);
    }

    fn message(&mut self, message: Message) -> Result<Option<Runner>, CloseReason> {
        match self.decoder.read(message)? {
            Some(inward) => self.take(inward),
            None => Ok(None),
        }
    }

    fn relieved(&mut self) {
        if let Some(sockets) = &self.sockets {
            sockets.relieve();
        }
    }

    fn upgraded(&mut self) {
        self.polling = None;
        for context in self.sockets.iter().flat_map(|sockets| sockets.contexts()) {
            let id = context.socket_id();
            context.namespace().show(|| Sight::Upgraded(id.clone()));
        }
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
