//! The gate of a namespace: who may connect, and what happens when they come and go.

use std::{
    fmt::Display,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Weak},
    time::Duration,
};

use axum::extract::{ConnectInfo, Query};
use metrics::counter;
use serde::Deserialize;
use socketioxide::{
    ProtocolVersion,
    adapter::LocalAdapter,
    extract::Data,
    handler::{ConnectHandler, FromConnectParts},
    socket::Socket,
};
use socketioxide_core::Value;
use tokio::time::timeout;

use super::{
    depart::Departure,
    dispatch::{Dispatch, Table},
    handle::NamespaceHandle,
    hub::Hub,
};
use crate::{
    auth::Auth,
    domain::{Room, SocketId},
    error::{Code, Error, Result},
    ports::{Class, DisconnectReason, Emit},
    realtime::{
        ConnectionLimits, Context, EventLimits, Order, QueueLimits, Session,
        queue::{EventQueue, Job, Opened},
        rooms::Rooms,
    },
    services::Services,
    telemetry::metric,
};

/// How long the events of an earlier socket with the same id may take to finish.
const EARLIER_TIMEOUT: Duration = Duration::from_secs(10);

/// How often it is looked whether they have.
const EARLIER_POLL: Duration = Duration::from_millis(5);

/// What a namespace's gate needs.
pub struct Parts {
    pub hub: Weak<Hub>,
    pub namespace: NamespaceHandle,
    pub routes: Table,
    pub auth: Auth,
    pub services: Arc<Services>,
    pub connections: Arc<ConnectionLimits>,
    pub events: Arc<EventLimits>,
    pub queue: QueueLimits,
    pub payload_bytes: usize,
    pub event_timeout: Duration,
}

/// Accepts or refuses who connects. The socket's handlers stand before CONNECT is acknowledged:
/// what a client sends right after it is never lost.
#[derive(Clone)]
pub struct Gate(Arc<Parts>);

/// Tells our handlers from those that socketioxide makes of functions.
pub struct Ours;

#[derive(Deserialize)]
struct Credentials {
    token: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct TokenQuery {
    token: Option<String>,
}

impl Gate {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    async fn admit(&self, socket: &Arc<Socket>, auth: &Option<Value>) -> Result<()> {
        let parts = &self.0;
        let token = token(socket, auth)?;
        let identity = parts.auth.identify(token.as_deref()).await?;
        let user = identity.user_id();
        let counted = parts.connections.admit(address(socket), user)?;
        let id = SocketId::new(socket.id.as_str()).map_err(|_| Error::internal())?;
        wait_for_earlier(parts.namespace.rooms(), &id).await?;
        let queue = EventQueue::held(parts.queue);
        let bucket = parts.events.for_socket();
        let session = Session::new(id, identity, queue, bucket, counted);
        let context = Context {
            identity: session.identity(),
            session,
            namespace: parts.namespace.clone(),
            services: parts.services.clone(),
        };
        socket.on_fallback(Dispatch::new(context.clone(), parts.clone()));
        socket.on_disconnect(Departure(context.clone()));
        socket.extensions.insert(Arrival(context));
        Ok(())
    }
}

impl ConnectHandler<LocalAdapter, Ours> for Gate {
    fn call(&self, socket: Arc<Socket>, _: Option<Value>) {
        if let Some(Arrival(context)) = socket.extensions.remove::<Arrival>() {
            arrive(&socket, &context);
        }
    }

    fn call_middleware<'a>(
        &'a self,
        socket: Arc<Socket>,
        auth: &'a Option<Value>,
    ) -> Pin<Box<dyn Future<Output = Result<(), Box<dyn Display + Send>>> + Send + 'a>> {
        Box::pin(async move {
            if self.0.hub.upgrade().is_none_or(|hub| hub.is_closing()) {
                // A refusal would keep the client away; its transport is about to end, and after
                // that it comes back.
                return std::future::pending().await;
            }
            let admitted = self.admit(&socket, auth).await;
            let outcome = admitted
                .as_ref()
                .map_or_else(|e| e.code().as_str(), |()| "ok");
            counter!(metric::CONNECTS, "outcome" => outcome).increment(1);
            admitted.map_err(|error| {
                tracing::debug!(code = error.code().as_str(), "a connection was refused");
                Box::new(error) as Box<dyn Display + Send>
            })
        })
    }
}

/// Who leaves a namespace and enters it again over one transport has the same id: what was left
/// under it is finished first.
async fn wait_for_earlier(rooms: &Rooms, id: &SocketId) -> Result<()> {
    let gone = async {
        let mut poll = tokio::time::interval(EARLIER_POLL);
        while rooms.get(id).is_some() {
            poll.tick().await;
        }
    };
    let waited = timeout(EARLIER_TIMEOUT, gone).await;
    waited.map_err(|_| Error::store_unavailable())
}

/// The token of CONNECT's `auth`; Socket.IO 2.x clients have none and bring it in the query.
fn token(socket: &Arc<Socket>, auth: &Option<Value>) -> Result<Option<String>> {
    if socket.protocol() == ProtocolVersion::V4 {
        let query = Query::<TokenQuery>::try_from_uri(&socket.req_parts().uri);
        return Ok(query.ok().and_then(|Query(query)| query.token));
    }
    // What is not an object carries no token.
    let Ok(Data(credentials)) = Data::<Credentials>::from_connect_parts(socket, auth) else {
        return Ok(None);
    };
    match credentials.token {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(serde_json::Value::String(token)) => Ok(Some(token)),
        Some(_) => Err(Error::invalid_token(Code::TokenMalformed)),
    }
}

fn address(socket: &Socket) -> Option<IpAddr> {
    let info = socket
        .req_parts()
        .extensions
        .get::<ConnectInfo<SocketAddr>>();
    info.map(|ConnectInfo(address)| address.ip())
}

/// What waits in a socket between its handshake and its CONNECT answer.
#[derive(Clone)]
struct Arrival(Context);

/// The socket is connected: it enters its own rooms, hears its id, and its events begin.
fn arrive(socket: &Arc<Socket>, context: &Context) {
    let session = &context.session;
    let namespace = &context.namespace;
    namespace.rooms().insert(session.clone());
    let own = Room::socket(session.id());
    let whose = session.user_id().map_or_else(Room::guests, Room::user);
    socket.join([own.as_str().to_owned(), whose.as_str().to_owned()]);
    if namespace.is_root() {
        let to = [own];
        namespace.emit(Emit::new(Class::Passing, &to, "socket-id", session.id()));
    }
    let queue = session.queue().clone();
    let opened = queue.open(Job {
        order: Order::Serial,
        bytes: 0,
        work: Box::pin(announce(context.clone())),
    });
    if opened == Opened::TooLate {
        // The transport ended while the handshake was answered: nobody will tell us again.
        namespace.rooms().remove(session);
        socket.leave_all();
        return;
    }
    namespace.watch_token(session);
    if context.services().sessions.is_revoked(&session.identity()) {
        // Revoked while it connected, when there was nobody to disconnect yet.
        namespace.disconnect(session, DisconnectReason::Revoked);
    }
}

async fn announce(context: Context) {
    let Some(user) = context
        .identity()
        .user_id()
        .filter(|_| context.namespace.is_root())
    else {
        return;
    };
    let services = context.services();
    if let Err(error) = services.presence.connected(user, context.socket_id()).await {
        tracing::warn!(%error, "a device's presence could not be stored");
    }
    if let Err(error) = services.payments.connected(user).await {
        tracing::warn!(%error, "payment outcomes could not be read");
    }
}
