//! The gate of a namespace: who may connect, and what happens first.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Weak},
};

use futures::FutureExt;
use metrics::counter;
use socketioxide_core::{Sid, Value};
use tokio::time::timeout;

use super::{
    OnConnect,
    acceptor::Admission,
    admission::NamespaceAdmission,
    client_sockets::ClientSockets,
    credentials::{Credentials, brought},
    hub::Hub,
};
use crate::{
    auth::Auth,
    domain::{Identity, Room, SocketId},
    error::{Error, Result},
    ports::{Class, DisconnectReason, Emit, SessionStore},
    realtime::{
        ConnectionLimits, Context, NewSession, Order, QueueLimits, Scope, Session,
        connection::{CloseReason, Connection},
        engine::Protocol,
        queue::{EventQueue, Job},
        wire::Packet,
    },
    telemetry::metric,
};

/// Counts an answer to a client that asked for a namespace.
pub fn count(outcome: &'static str) {
    counter!(metric::CONNECTS, "outcome" => outcome).increment(1);
}

/// What a namespace's gate needs.
pub struct Gate {
    pub hub: Weak<Hub>,
    pub scope: Arc<Scope>,
    pub auth: Auth,
    pub connections: Arc<ConnectionLimits>,
    pub queue: QueueLimits,
    pub on_connect: Option<OnConnect>,
    pub(super) admission: NamespaceAdmission,
    /// Where sessions that can be recovered are stored.
    pub sessions: Option<Arc<dyn SessionStore>>,
}

/// A client that asks for a namespace.
pub struct Knock {
    pub sockets: Arc<ClientSockets>,
    /// The place that is kept for it.
    pub place: u64,
    pub auth: Option<Value>,
    pub token: Option<String>,
    pub admission: Arc<Admission>,
}

impl Gate {
    pub fn path(&self) -> &'static str {
        self.scope.namespace.path()
    }

    pub fn queue_limits(&self) -> QueueLimits {
        self.queue
    }

    /// Answers a client, after what that takes.
    pub fn knock(self: Arc<Self>, knock: Knock) {
        if self.hub.upgrade().is_none_or(|hub| hub.is_closing()) {
            // A refusal would keep the client away; its transport is about to end, and after that
            // it comes back.
            return;
        }
        tokio::spawn(async move {
            if let Err(error) = Box::pin(self.admit(&knock)).await {
                tracing::debug!(code = error.code().as_str(), "a connection was refused");
                self.refuse(&knock, &error);
            }
        });
    }

    fn refuse(&self, knock: &Knock, error: &Error) {
        let connection = knock.sockets.connection();
        count(error.code().as_str());
        knock.sockets.give_up(self.path(), knock.place);
        connection.answer(&self.scope.namespace.encoder.refused(self.path(), error));
        if let Admission::Refused(..) = &*knock.admission {
            connection.finish(CloseReason::Refused);
        }
    }

    async fn admit(&self, knock: &Knock) -> Result<()> {
        match &*knock.admission {
            Admission::Refused(error, _) => return Err(error.clone()),
            Admission::Counted(guard) => self.connections.admit_everywhere(guard).await?,
        }
        match &self.admission {
            NamespaceAdmission::SignedIn => {}
            NamespaceAdmission::Everybody => return self.welcome(knock, Identity::Guest, 0),
            NamespaceAdmission::By(admit) => {
                admit(brought(knock.auth.as_ref()), knock.sockets.origin().1).await?;
                return self.welcome(knock, Identity::Guest, 0);
            }
        }
        let credentials = Credentials::read(knock.auth.as_ref(), knock.token.as_deref())?;
        let identity = self.auth.identify(credentials.token.as_deref()).await?;
        if let Some(user) = identity.user_id()
            && !knock.sockets.counts_user(user)
        {
            let everywhere = self.connections.admit_user_everywhere(user).await?;
            let admit = || self.connections.admit_user(user, everywhere);
            knock.sockets.count_user(user, admit)?;
        }
        self.scope
            .services
            .webhooks
            .admit(&identity, self.path())
            .await?;
        if self.recover(knock, &credentials, &identity).await {
            return Ok(());
        }
        self.welcome(knock, identity, self.committed().await)
    }

    fn welcome(&self, knock: &Knock, identity: Identity, committed: u64) -> Result<()> {
        let id = self.new_id(knock.sockets.connection())?;
        let pid = self.scope.namespace.recovers().then(new_pid);
        let context = self.context(knock, id, pid, identity);
        let session = &context.session;
        session.set_position(committed);
        let whose = session.user_id().map_or_else(Room::guests, Room::user);
        let own = [Room::socket(session.id()), whose];
        let enter = || {
            let welcome = self.welcome_packet(session);
            self.scope.namespace.rooms().enter(session, &own, &welcome);
            self.arrive(knock, &context, Vec::new());
            true
        };
        self.connect(knock, &context, enter);
        Ok(())
    }

    /// A socket that has not been told anything yet.
    pub(super) fn context(
        &self,
        knock: &Knock,
        id: SocketId,
        pid: Option<Arc<str>>,
        identity: Identity,
    ) -> Context {
        let connection = knock.sockets.connection().clone();
        let ready = Box::new(move |cx: &mut std::task::Context<'_>| connection.poll_ready(cx));
        let session = Session::new(NewSession {
            id,
            pid,
            scope: self.scope.clone(),
            identity: identity.clone(),
            client: knock.sockets.clone(),
            queue: EventQueue::held(self.queue, ready),
            bucket: self.scope.rules.events.for_socket(),
        });
        Context {
            identity,
            session,
            asks: false,
        }
    }

    pub(super) fn welcome_packet(&self, session: &Session) -> Packet {
        let encoder = self.scope.namespace.encoder;
        match session.connection().protocol() {
            Protocol::V4 => {
                let pid = session.pid().map(|pid| &**pid);
                encoder.connected(self.path(), session.id().as_str(), pid)
            }
            Protocol::V3 => encoder.connected_v3(self.path()),
        }
    }

    /// The socket is connected: it hears its id, and its events begin. `entered`: chat rooms that
    /// it has come back to as the user's first device.
    pub(super) fn arrive(&self, knock: &Knock, context: &Context, entered: Vec<Room>) {
        let session = &context.session;
        count("ok");
        let (webhooks, who) = (&self.scope.services.webhooks, session.identity());
        webhooks.connected(session.id(), self.path(), &who);
        self.scope.namespace.show_connected(session);
        if self.scope.namespace.is_root() {
            let to = [Room::socket(session.id())];
            let emit = Emit::new(Class::Durable, &to, "socket-id", session.id());
            self.scope.namespace.emit(emit);
        }
        let auth = brought(knock.auth.as_ref());
        let greet = self.on_connect.clone();
        let (announcing, context) = (announce(context.clone(), entered), context.clone());
        let limit = self.scope.rules.event_timeout;
        let first = async move {
            announcing.await;
            if let Some(greet) = greet {
                greet(context, auth).await;
            }
        };
        session
            .queue()
            .open(Job::plain(Order::Serial, 0, async move {
                let first = timeout(limit, AssertUnwindSafe(first).catch_unwind());
                match first.await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => tracing::error!("what is done first for a socket panicked"),
                    Err(_) => tracing::error!("what is done first for a socket took too long"),
                }
            }));
        self.scope.namespace.watch_token(session);
    }

    /// Makes the socket one of the client's, by `enter`; whether it became one.
    pub(super) fn connect(
        &self,
        knock: &Knock,
        context: &Context,
        enter: impl FnOnce() -> bool,
    ) -> bool {
        let connected = knock
            .sockets
            .connect(self.path(), knock.place, context, enter);
        if connected {
            self.recheck(context);
        }
        connected
    }

    fn recheck(&self, context: &Context) {
        if self
            .scope
            .services
            .sessions
            .is_revoked(&context.session.identity())
        {
            // Revoked while it connected, when there was nobody to disconnect yet.
            let reason = DisconnectReason::Revoked;
            self.scope.namespace.disconnect(&context.session, reason);
        }
    }

    /// Socket.IO 2.x clients make their socket's id of the connection's; all others are told one.
    fn new_id(&self, connection: &Connection) -> Result<SocketId> {
        let text = match (connection.protocol(), self.path()) {
            (Protocol::V4, _) => return random_id(),
            (Protocol::V3, "/") => connection.id().as_str().to_owned(),
            (Protocol::V3, path) => format!("{path}#{}", connection.id().as_str()),
        };
        let id = SocketId::new(text).map_err(|_| Error::internal())?;
        match self.scope.namespace.rooms().get(&id) {
            None => Ok(id),
            // It has left and come back before it was gone.
            Some(_) => random_id(),
        }
    }
}

fn random_id() -> Result<SocketId> {
    SocketId::new(Sid::new().to_string()).map_err(|_| Error::internal())
}

/// A secret by which a client recovers its socket.
fn new_pid() -> Arc<str> {
    crate::realtime::engine::EngineId::generate()
        .as_str()
        .into()
}

async fn announce(context: Context, entered: Vec<Room>) {
    let Ok(speaker) = context.speaker() else {
        return;
    };
    if !context.namespace().is_root() {
        return;
    }
    let (services, user) = (context.services(), &speaker.user.id);
    if let Err(error) = services.presence.connected(user, context.socket_id()).await {
        tracing::warn!(%error, "a device's presence could not be stored");
    }
    for room in entered.iter().filter_map(Room::chat_id) {
        if let Err(error) = services.chat.returned(speaker, &room).await {
            tracing::warn!(%error, "a device's return to a room could not be told");
        }
    }
    if let Err(error) = services.payments.connected(user).await {
        tracing::warn!(%error, "payment outcomes could not be read");
    }
}
