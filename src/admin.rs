//! The namespace `/admin`, in the words of `@socket.io/admin-ui` 0.5: what administrators are shown of
//! every node, and what they may do.
//!
//! Each node tells of its own sockets, to administrators at any node: what is emitted in `/admin`
//! reaches all nodes like any other event. A node with administrators says so to the others, again and
//! again; what its sockets do is [shown](crate::realtime::namespace::Observer) only for as long as there
//! is somebody to see it. Who has just come is told what is there: by its own node at once
//! (`all_sockets`), by the others as sockets that connected when they did, in order with what happens
//! next. Nothing of this is durable: it is dropped first.
//!
//! - `login`, `attempts`: who may look. `actions`: what they may do. `eye`: what is seen.
//!   `listing`, `shown`: what sockets look like. `stats`: figures.

mod actions;
mod attempts;
mod eye;
mod listing;
mod login;
mod password;
mod shown;
mod stats;

pub(crate) use password::{COST as PASSWORD_COST, hash as password_hash};

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use metrics::counter;
use metrics_exporter_prometheus::PrometheusHandle;
use parking_lot::Mutex;
use rmpv::Value;
use serde_json::json;
use tokio::{sync::mpsc, time::MissedTickBehavior};

use self::{eye::Eye, listing::Listing, login::Login, stats::Stats};
use crate::{
    domain::{Args, Room, SocketId, Timestamp},
    ports::{Admins, Class, Emit, Emitter, Notice, Peers, Servers},
    realtime::{
        Context,
        namespace::{Hub, Namespace, OwnSockets, Seen},
    },
    telemetry::metric,
};

/// The namespace.
pub const PATH: &str = "/admin";

/// How often figures are told, and other nodes that administrators are here.
const STATS_INTERVAL: Duration = Duration::from_secs(2);

/// For how long there are administrators elsewhere after they were last heard of.
const ELSEWHERE: Duration = Duration::from_secs(6);

/// The most that was seen and waits to be told; what is more is not told.
const MAX_WAITING: usize = 8_192;

/// The most administrators who have come and wait to be told what is there.
const MAX_CAME: usize = 64;

/// How the namespace is set up.
#[derive(Clone, Debug)]
pub struct AdminOptions {
    /// Who may log in.
    pub username: String,
    /// The bcrypt hash of the password.
    pub password_hash: String,
    /// Whether nothing may be done.
    pub is_read_only: bool,
    /// Whether sockets, rooms and events are shown.
    pub shows_sockets: bool,
    /// What this server is called; "" = by its machine and process.
    pub server_id: String,
}

/// The administrators' namespace; clones share it.
#[derive(Clone)]
pub struct Admin(Arc<Inner>);

struct Inner {
    options: AdminOptions,
    login: Login,
    hub: Arc<Hub>,
    peers: Arc<dyn Peers>,
    servers: Arc<dyn Servers>,
    came: mpsc::Sender<Came>,
    queues: Mutex<Option<(mpsc::Receiver<Came>, mpsc::Receiver<Seen>)>>,
    /// When administrators of other nodes were last heard of.
    elsewhere: Mutex<Option<Instant>>,
}

/// Who has come.
enum Came {
    /// Somebody to this node.
    Here(SocketId),
    /// Somebody to another node; none: some are there.
    Elsewhere(Option<SocketId>),
}

impl Admin {
    /// Nothing is shown before [`Admin::run`].
    pub fn new(
        options: AdminOptions,
        hub: Arc<Hub>,
        peers: Arc<dyn Peers>,
        servers: Arc<dyn Servers>,
    ) -> Self {
        let (came, to_greet) = mpsc::channel(MAX_CAME);
        let (seen, to_tell) = mpsc::channel(MAX_WAITING);
        hub.observe_by(Arc::new(Eye::new(seen)));
        Self(Arc::new(Inner {
            login: Login::new(options.username.clone(), &options.password_hash),
            options,
            hub,
            peers,
            servers,
            came,
            queues: Mutex::new(Some((to_greet, to_tell))),
            elsewhere: Mutex::default(),
        }))
    }

    /// The namespace.
    pub fn namespace(&self) -> Namespace {
        let (login, greeter) = (self.clone(), self.clone());
        let namespace = Namespace::new(PATH)
            .admit_by(move |auth, address| {
                let admin = login.clone();
                async move { admin.0.login.check(&auth, address).await }
            })
            .on_connect(move |cx, auth| {
                let admin = greeter.clone();
                async move { admin.greet(&cx, &auth) }
            });
        match self.0.options.is_read_only {
            true => namespace,
            false => actions::add(namespace, self),
        }
    }

    fn greet(&self, cx: &Context, auth: &serde_json::Value) {
        let (to, now) = (Room::socket(cx.socket_id()), Timestamp::now());
        if !self.0.login.has_session(auth, now) {
            cx.emit(&to, "session", &self.0.login.new_session(now));
        }
        let config = json!({ "supportedFeatures": self.features() });
        cx.emit(&to, "config", &config);
        self.0.hub.set_observed(self.0.options.shows_sockets);
        if self
            .0
            .came
            .try_send(Came::Here(cx.socket_id().clone()))
            .is_err()
        {
            lost("came");
        }
    }

    fn features(&self) -> Vec<&'static str> {
        let mut features = vec!["AGGREGATED_EVENTS"];
        if self.0.options.shows_sockets {
            features.push("ALL_EVENTS");
        }
        if !self.0.options.is_read_only {
            features.extend(actions::FEATURES);
        }
        features
    }

    /// Shows what is to be seen, for ever.
    pub async fn run(&self, metrics: PrometheusHandle) {
        let Some((mut came, mut seen)) = self.0.queues.lock().take() else {
            return;
        };
        let mut stats = Stats::new(&self.0.options.server_id, metrics);
        let mut tick = tokio::time::interval(STATS_INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                Some(came) = came.recv() => self.welcome(came).await,
                _ = tick.tick() => self.look_around(&mut stats),
                Some(seen) = seen.recv() => self.tell(&seen),
            }
        }
    }

    /// Whether somebody may see what is told.
    fn look_around(&self, stats: &mut Stats) {
        let are_here = !self.0.hub.namespace(PATH).is_empty();
        if are_here {
            self.0.peers.tell(Notice::AdminsThere { came: None });
        }
        let is_watched = are_here || self.are_elsewhere();
        let shows = is_watched && self.0.options.shows_sockets;
        self.0.hub.set_observed(shows);
        match is_watched {
            true => self.emit(&[], "server_stats", vec![stats.take(&self.0.hub)]),
            false => stats.forget(),
        }
    }

    fn are_elsewhere(&self) -> bool {
        let heard = *self.0.elsewhere.lock();
        heard.is_some_and(|at| at.elapsed() < ELSEWHERE)
    }

    /// Tells who has come what is there.
    async fn welcome(&self, came: Came) {
        let shows = self.0.options.shows_sockets;
        match came {
            Came::Here(socket) => {
                let to = [Room::socket(&socket)];
                if shows {
                    self.list(&to, Listing::First).await;
                }
                let came = Some(socket);
                self.0.peers.tell(Notice::AdminsThere { came });
            }
            Came::Elsewhere(socket) => {
                let is_news = !self.are_elsewhere();
                *self.0.elsewhere.lock() = Some(Instant::now());
                self.0.hub.set_observed(shows);
                match socket {
                    Some(socket) if shows => {
                        self.list(&[Room::socket(&socket)], Listing::More).await;
                    }
                    // They were not heard of for a while, or this node has just started.
                    None if shows && is_news => self.list(&[], Listing::More).await,
                    _ => {}
                }
            }
        }
    }

    fn tell(&self, seen: &Seen) {
        shown::each(&self.0.hub, seen, |event, args| self.emit(&[], event, args));
    }

    /// To administrators, wherever there are any.
    fn emit(&self, to: &[Room], event: &str, args: Vec<Value>) {
        let args = Args(args);
        let emit = Emit::new(Class::Passing, to, event, &args).volatile();
        let emit = emit.in_namespace(PATH);
        match self.are_elsewhere() {
            true => self.0.hub.emit(emit),
            false => OwnSockets(self.0.hub.clone()).emit(emit),
        }
    }
}

impl Admins for Admin {
    fn heard(&self, came: Option<SocketId>) {
        if self.0.came.try_send(Came::Elsewhere(came)).is_err() {
            lost("came");
        }
    }
}

fn lost(reason: &'static str) {
    counter!(metric::ADMIN_LOST, "reason" => reason).increment(1);
}
