//! The one server that there is.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use parking_lot::Mutex;
use rmpv::Value;
use tokio::sync::mpsc;

use super::{
    describe,
    local::{self, Local, Move},
};
use crate::{
    domain::{Args, Room},
    ports::{Class, Emit, Ended, FoundSocket, Gathered, Servers, Whom},
    realtime::namespace::{Hub, NamespaceHandle},
    services::Services,
};

/// Without Redis: what is meant for all servers is done here.
pub struct Alone {
    hub: Arc<Hub>,
    local: Local,
    moves: Mutex<Option<mpsc::Receiver<Move>>>,
}

impl Alone {
    /// The node with these sockets.
    pub fn new(hub: Arc<Hub>) -> Self {
        let (local, moves) = Local::new(hub.clone());
        let moves = Mutex::new(Some(moves));
        Self { hub, local, moves }
    }

    /// From now on the members of chat rooms hear who is put into them.
    pub fn begin(&self, services: &Arc<Services>) {
        let Some(mut moves) = self.moves.lock().take() else {
            return;
        };
        // The services have this, which has the other end.
        let services = Arc::downgrade(services);
        tokio::spawn(async move {
            while let Some(moved) = moves.recv().await
                && let Some(services) = services.upgrade()
            {
                local::tell_move(&services, moved).await;
            }
        });
    }

    fn namespace(&self, path: &str) -> Option<NamespaceHandle> {
        let path = self.hub.paths().find(|known| *known == path)?;
        Some(self.local.namespace(path))
    }
}

#[async_trait]
impl Servers for Alone {
    fn node(&self) -> &str {
        ""
    }

    async fn count(&self, _: &str) -> usize {
        1
    }

    async fn fetch(&self, namespace: &str, whom: &Whom) -> Gathered<FoundSocket> {
        let namespace = self.namespace(namespace);
        let found = namespace.into_iter().flat_map(|namespace| {
            let sessions = namespace.select(&whom.rooms, &whom.except);
            let found = sessions.iter().map(|session| namespace.describe(session));
            found.collect::<Vec<_>>()
        });
        let found = found.filter_map(|one| describe::found(&describe::socket(&one)));
        Gathered {
            found: found.collect(),
            is_complete: true,
        }
    }

    fn join(&self, namespace: &str, whom: &Whom, rooms: &[Room]) {
        if let Some(namespace) = self.namespace(namespace) {
            self.local.join(namespace.path(), whom, rooms);
        }
    }

    fn leave(&self, namespace: &str, whom: &Whom, rooms: &[Room]) {
        if let Some(namespace) = self.namespace(namespace) {
            self.local.leave(namespace.path(), whom, rooms);
        }
    }

    fn disconnect(&self, namespace: &str, whom: &Whom, ended: Ended) {
        if let Some(namespace) = self.namespace(namespace) {
            let close = ended == Ended::Connection;
            self.local.disconnect(namespace.path(), whom, close);
        }
    }

    async fn ask(
        &self,
        namespace: &str,
        whom: &Whom,
        (name, args): (&str, Args),
        within: Duration,
    ) -> Gathered<Value> {
        let mut found = Vec::new();
        let emit = Emit::new(Class::Passing, &whom.rooms, name, &args).except(&whom.except);
        let asked = self.namespace(namespace).and_then(|one| one.ask(&emit));
        let Some(mut asked) = asked else {
            let is_complete = true;
            return Gathered { found, is_complete };
        };
        let gathering = async {
            while found.len() < asked.count
                && let Some(ack) = asked.answers.recv().await
            {
                found.push(ack);
            }
        };
        let is_complete = tokio::time::timeout(within, gathering).await.is_ok();
        Gathered { found, is_complete }
    }

    fn tell(&self, _: &str, _: (&str, Args)) {}

    async fn call(&self, _: &str, _: (&str, Args)) -> Gathered<Value> {
        let (found, is_complete) = (Vec::new(), true);
        Gathered { found, is_complete }
    }
}
