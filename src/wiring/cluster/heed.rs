//! What this node does because of what others tell, or because it has not heard them.

use std::time::Duration;

use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use metrics::counter;
use tokio::sync::mpsc;

use super::ClusterLink;
use crate::{domain::Timestamp, ports::Notice, services::Services, telemetry::metric};

/// How long before it was noticed a node may have been deaf.
const RESYNC_MARGIN: Duration = Duration::from_secs(2);

/// How often it is tried to read anew what was missed.
const RESYNC_INTERVAL: Duration = Duration::from_secs(1);

/// The most notices that wait for the store. An outcome beyond them is told when its user connects, and
/// a guest's not at all; all are counted.
const MAX_STORED_NOTICES: usize = 10_000;

/// The most of them that are done at a time.
const STORED_AT_ONCE: usize = 32;

impl ClusterLink {
    /// Does what other nodes tell this one, for ever. What needs the store does not hold up the rest.
    pub(super) async fn heed(&self, services: &Services) {
        let Some(mut notices) = self.notices.1.lock().take() else {
            return;
        };
        let (stored, mut to_store) = mpsc::channel(MAX_STORED_NOTICES);
        let heeding = async {
            while let Some(notice) = notices.recv().await {
                match notice {
                    Notice::Spent { limit, by } => self.spend(&limit, &by),
                    Notice::Sockets {
                        namespace,
                        whom,
                        what,
                    } => self.ecosystem.move_sockets(&namespace, &whom, &what),
                    notice if notice.needs_store() => {
                        if stored.try_send(notice).is_err() {
                            counter!(metric::CLUSTER_LOST, "reason" => "notices").increment(1);
                        }
                    }
                    notice => hear(services, notice).await,
                }
            }
        };
        let storing = async {
            let mut doing = FuturesUnordered::new();
            loop {
                tokio::select! {
                    Some(notice) = to_store.recv(), if doing.len() < STORED_AT_ONCE => {
                        doing.push(hear(services, notice).boxed());
                    }
                    Some(()) = doing.next(), if !doing.is_empty() => {}
                    else => return,
                }
            }
        };
        tokio::join!(heeding, storing);
    }

    /// Reads anew what was missed while other nodes were not heard, each time; and, as long as they
    /// are not, who may not be here any more.
    pub(super) async fn resync(
        &self,
        services: &Services,
        mut deaf_since: mpsc::UnboundedReceiver<Timestamp>,
    ) {
        while services.resync.learn().await.is_err() {
            tokio::time::sleep(RESYNC_INTERVAL).await;
        }
        loop {
            let since = tokio::select! {
                since = deaf_since.recv() => since,
                () = tokio::time::sleep(RESYNC_INTERVAL) => {
                    if self.hearing.is_deaf()
                        && let Err(error) = services.sessions.reload().await
                    {
                        tracing::debug!(%error, "revocations cannot be read; trying again");
                    }
                    continue;
                }
            };
            let Some(mut since) = since else { return };
            while let Ok(other) = deaf_since.try_recv() {
                since = since.min(other);
            }
            let since = since.minus(RESYNC_MARGIN);
            while let Err(error) = services.resync.run(since).await {
                tracing::debug!(%error, "what was missed cannot be read; trying again");
                tokio::time::sleep(RESYNC_INTERVAL).await;
            }
            tokio::time::sleep(RESYNC_INTERVAL).await;
        }
    }
}

async fn hear(services: &Services, notice: Notice) {
    if let Err(error) = services.hear(notice).await {
        tracing::warn!(%error, "what another node told could not be done");
    }
}
