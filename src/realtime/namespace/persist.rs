//! Sessions that can be recovered, stored beside what happens, for another run of the server.

use std::{sync::Arc, time::Duration};

use futures::FutureExt;

use super::hub::Hub;
use crate::{
    ports::SessionStore,
    realtime::{log::LogLimits, rooms::Changes},
};

/// How often changes are stored.
const INTERVAL: Duration = Duration::from_millis(250);

/// How often the store is told that this run is alive.
const ALIVE_INTERVAL: Duration = Duration::from_secs(3);

impl Hub {
    /// From now on sockets of all namespaces can be recovered.
    pub(super) fn keep_logs(&self, limits: LogLimits, position: u64) {
        for namespace in self.namespaces.values() {
            namespace.rooms.keep_log(limits, position);
        }
    }

    /// Stores changes from now on, and forgets the sessions of other runs after the window.
    pub(super) fn persist(self: &Arc<Self>, sessions: &Arc<dyn SessionStore>, window: Duration) {
        let (hub, sessions) = (Arc::downgrade(self), sessions.clone());
        let storing = tokio::spawn(async move {
            let mut tick = tokio::time::interval(INTERVAL);
            let mut alive = tokio::time::interval(ALIVE_INTERVAL);
            loop {
                tick.tick().await;
                let Some(hub) = hub.upgrade() else {
                    return;
                };
                hub.save_sessions(&*sessions).await;
                if alive.tick().now_or_never().is_some() {
                    // What fails is in the log, and is done again the next time.
                    let _ = sessions.forget_older(window).await;
                }
            }
        });
        self.keep(storing.abort_handle());
    }

    /// Stores what has changed of the sessions.
    pub async fn save_sessions(&self, sessions: &dyn SessionStore) {
        for (path, namespace) in &self.namespaces {
            let rooms = &namespace.rooms;
            let Changes { saved, gone } = rooms.changes();
            if saved.is_empty() && gone.is_empty() {
                continue;
            }
            let pids = saved.iter().map(|one| &one.pid).chain(&gone);
            let pids: Vec<_> = pids.cloned().collect();
            if let Err(error) = sessions.save(path, saved, gone).await {
                tracing::warn!(%error, "sessions could not be stored; trying again");
                rooms.note_unsaved(pids);
            }
        }
    }
}
