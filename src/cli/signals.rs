//! The signals that end the server: the first one asks, the second one insists.

use std::{io, process};

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for the signals that ask a program to end.
struct Ending {
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    interrupt: Signal,
}

impl Ending {
    #[cfg(unix)]
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    #[cfg(not(unix))]
    fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Completes at the first SIGTERM or SIGINT; the second one ends the process at once, with exit
/// code 1. Signals count from the call on. Must be called within a runtime.
pub(super) fn shutdown() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut ending = Ending::listen()?;
    Ok(async move {
        ending.next().await;
        tokio::spawn(async move {
            ending.next().await;
            process::exit(1);
        });
    })
}
