//! Keeping connections: what the client does not notice by itself.

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
};
use tokio::sync::{Notify, broadcast::error::RecvError};

/// How long to wait before a connection is made anew.
const PAUSE: Duration = Duration::from_millis(100);

/// How often it is logged why there is no connection.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// So many probes that nobody answers are as good as no connection.
const SILENT_PROBES: u32 = 3;

/// By what it is known that a connection leads nowhere, as the client itself does not notice while it
/// can write.
pub(super) enum Lost {
    /// Somebody says so.
    Told(Arc<Notify>),
    /// Commands are not answered; with the key that is asked for, and the time that a command may take.
    Silent(Client, String, Duration),
}

impl Lost {
    async fn wait(&self) {
        match self {
            Self::Told(told) => told.notified().await,
            Self::Silent(client, key, timeout) => falls_silent(client, key, *timeout).await,
        }
    }
}

/// Keeps a client connected until it is closed.
pub(super) async fn keep<C: ClientLike + EventInterface>(
    client: C,
    is_closed: Arc<AtomicBool>,
    lost: Lost,
) {
    let mut errors = client.error_rx();
    let mut logged_at: Option<Instant> = None;
    let mut log = |error: &Error| {
        if logged_at.is_none_or(|at| at.elapsed() > LOG_INTERVAL) {
            logged_at = Some(Instant::now());
            tracing::warn!(%error, "Redis cannot be used; trying again");
        }
    };
    while !is_closed.load(Ordering::Relaxed) {
        let mut connection = client.connect();
        loop {
            tokio::select! {
                ended = &mut connection => {
                    if let Ok(Err(error)) = ended {
                        log(&error);
                    }
                    break;
                }
                error = errors.recv() => match error {
                    Ok((error, _)) => log(&error),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => std::future::pending().await,
                },
                () = lost.wait() => {
                    tracing::warn!("Redis does not answer; connecting anew");
                    connection.abort();
                    break;
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Ends when a connection that stands does not answer any more.
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
