//! Connections that come back. The client notices when one ends, but not when it leads nowhere, and
//! asks a Sentinel that does not answer again and again: then another client takes its place. It
//! cannot be the same client: commands that were under way when it was stopped make it wait with those
//! to come.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use fred::{
    clients::Client,
    error::{Error, ErrorKind},
    interfaces::{ClientLike, EventInterface, KeysInterface},
    types::{ConnectHandle, config::Server},
};
use parking_lot::RwLock;
use tokio::sync::{broadcast, broadcast::error::RecvError};

use super::setup::Setup;

/// How long to wait before a connection is made anew.
const PAUSE: Duration = Duration::from_millis(100);

/// How often it is logged why there is no connection.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// So many probes that nobody answers are as good as no connection.
const SILENT_PROBES: u32 = 3;

/// The most connections that were made and not yet noticed; who has not noticed one makes no difference
/// between them.
const MAX_MADE: usize = 16;

/// A connection that comes back by itself; clones share it.
#[derive(Clone)]
pub struct Link(Arc<Shared>);

struct Shared {
    setup: Setup,
    client: RwLock<Client>,
    made: broadcast::Sender<()>,
    is_closed: Arc<AtomicBool>,
    logged_at: RwLock<Option<Instant>>,
}

impl Link {
    /// Nothing is connected before [`Link::keep`].
    pub(super) fn new(setup: Setup, is_closed: Arc<AtomicBool>) -> Result<Self, Error> {
        Ok(Self(Arc::new(Shared {
            client: RwLock::new(setup.client()?),
            setup,
            made: broadcast::Sender::new(MAX_MADE),
            is_closed,
            logged_at: RwLock::default(),
        })))
    }

    /// Another connection like it.
    pub(super) fn another(&self) -> Self {
        Self(Arc::new(Shared {
            client: RwLock::new(self.client().clone_new()),
            setup: self.0.setup.clone(),
            made: broadcast::Sender::new(MAX_MADE),
            is_closed: self.0.is_closed.clone(),
            logged_at: RwLock::default(),
        }))
    }

    /// The client of now: for the next commands, not for ever.
    pub fn client(&self) -> Client {
        self.0.client.read().clone()
    }

    /// Whether it stands.
    pub fn is_connected(&self) -> bool {
        self.0.client.read().is_connected()
    }

    /// Told after each connection that was made.
    pub fn made(&self) -> broadcast::Receiver<()> {
        self.0.made.subscribe()
    }

    /// Says that a connection was made.
    pub(super) fn tell_made(&self) {
        // Nobody hears it where nobody wants to.
        let _ = self.0.made.send(());
    }

    /// Keeps it until it is closed. `used_by` is run with each client, before it connects; where it
    /// ends, another client takes its place.
    pub(super) async fn keep<F: Future<Output = ()>>(&self, used_by: impl Fn(Client) -> F) {
        while !self.0.is_closed.load(Ordering::Relaxed) {
            let client = self.client();
            let mut errors = client.error_rx();
            let used = used_by(client.clone());
            let mut connection = client.connect();
            tokio::select! {
                () = used => {}
                () = self.ends(&mut connection) => {}
                () = self.gets_no_further(&mut errors) => {}
            }
            connection.abort();
            if self.0.is_closed.load(Ordering::Relaxed) {
                return;
            }
            let next = self.0.setup.instead_of(&client);
            *self.0.client.write() = next.unwrap_or_else(|_| client.clone_new());
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Until the client gives up.
    async fn ends(&self, connection: &mut ConnectHandle) {
        if let Ok(Err(error)) = connection.await {
            self.log(&error);
        }
    }

    /// Until somebody accepts the connection and answers nothing.
    async fn gets_no_further(&self, errors: &mut broadcast::Receiver<(Error, Option<Server>)>) {
        loop {
            match errors.recv().await {
                Ok((error, server)) => {
                    self.log(&error);
                    if server.is_none() && *error.kind() == ErrorKind::Timeout {
                        return;
                    }
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    fn log(&self, error: &Error) {
        let mut logged_at = self.0.logged_at.write();
        if logged_at.is_none_or(|at| at.elapsed() > LOG_INTERVAL) {
            *logged_at = Some(Instant::now());
            tracing::warn!(%error, "Redis cannot be used; trying again");
        }
    }

    /// Ends the connection; what is closed does not come back.
    pub(super) async fn quit(&self) {
        // Whether the goodbye arrives makes no difference.
        let _ = self.client().quit().await;
    }
}

/// For commands: says that connections were made, to `made`, too, and asks for a key now and then;
/// ends when a connection that stands does not answer any more.
pub(super) fn commands(
    link: Link,
    client: Client,
    key: String,
    made: impl Fn(&Client, &Server),
) -> impl Future<Output = ()> {
    let mut connections = client.reconnect_rx();
    async move {
        let tell = async {
            loop {
                match connections.recv().await {
                    Ok(server) => made(&client, &server),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => std::future::pending().await,
                }
                link.tell_made();
            }
        };
        tokio::select! {
            () = tell => {}
            () = falls_silent(&client, &key, link.0.setup.timeout()) => {
                tracing::warn!("Redis does not answer; connecting anew");
            }
        }
    }
}

async fn falls_silent(client: &Client, key: &str, timeout: Duration) {
    let mut silent = 0;
    while silent < SILENT_PROBES {
        tokio::time::sleep(timeout / 2).await;
        if !client.is_connected() {
            silent = 0;
            continue;
        }
        let probe: Result<i64, _> = client.exists(key).await;
        silent = match probe {
            Err(error) if *error.kind() == ErrorKind::Timeout => silent + 1,
            _ => 0,
        };
    }
}
