//! Work that one node of several does.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::ports::Leases;

/// For how long a node that does the work counts as doing it.
const TTL: Duration = Duration::from_secs(10);

/// How often that is renewed, or tried.
const INTERVAL: Duration = Duration::from_secs(3);

/// Which of several nodes does what.
#[derive(Clone)]
pub struct Lead {
    /// The leases that decide.
    pub leases: Arc<dyn Leases>,
    /// This node's name.
    pub node: Arc<str>,
}

impl Lead {
    /// Does the work whenever this node is the one to do it, for ever.
    pub async fn run<F: Future<Output = ()>>(&self, name: &str, work: impl Fn() -> F) {
        loop {
            while !self.hold(name).await {
                tokio::time::sleep(INTERVAL).await;
            }
            tokio::select! {
                () = work() => return,
                () = self.keep(name) => {}
            }
        }
    }

    /// Ends when it is another node's, or may be.
    async fn keep(&self, name: &str) {
        let mut until = Instant::now() + TTL;
        while Instant::now() + INTERVAL < until {
            tokio::time::sleep(INTERVAL).await;
            let began = Instant::now();
            match self.leases.hold(name, &self.node, TTL).await {
                Ok(true) => until = began + TTL,
                Ok(false) => return,
                // It is nobody else's while nobody can ask.
                Err(_) => {}
            }
        }
    }

    async fn hold(&self, name: &str) -> bool {
        let held = self.leases.hold(name, &self.node, TTL).await;
        held.unwrap_or(false)
    }

    /// Leaves the work to others at once.
    pub async fn release(&self, names: &[&str]) {
        for name in names {
            if let Err(error) = self.leases.release(name, &self.node).await {
                tracing::debug!(%error, name, "a lease could not be given back; it lapses");
            }
        }
    }
}
