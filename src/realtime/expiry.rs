//! Tokens of connected sockets: their holders are told ahead of the end, then disconnected.

use std::time::Duration;

use serde::Serialize;

use super::namespace::NamespaceHandle;
use crate::{
    domain::{Room, SocketId, Timestamp},
    ports::{Class, DisconnectReason, Emit},
    services::Deadlines,
};

/// How long ahead of its end a token's holder is told.
const NOTICE: Duration = Duration::from_secs(60);

/// The longest that is waited at a time: timers do not reach as far as tokens may.
const MAX_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// When the tokens of connected sockets end.
pub struct Expiry {
    /// How long a token is good after its end, for clocks that differ.
    leeway: Duration,
    due: Deadlines<(&'static str, SocketId), Due>,
}

#[derive(Clone, Copy)]
struct Due {
    expires_at: Timestamp,
    told: Told,
}

#[derive(Clone, Copy, PartialEq)]
enum Told {
    NotYet,
    Told,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Expiring {
    expires_at: Timestamp,
}

impl Expiry {
    /// `leeway`: as tokens are checked with.
    pub fn new(leeway: Duration) -> Self {
        Self {
            leeway,
            due: Deadlines::new(),
        }
    }

    /// Watches a socket's token, instead of the one it had. One without an end is not watched.
    pub fn watch(&self, namespace: &'static str, socket: &SocketId, end: Option<Timestamp>) {
        let key = (namespace, socket.clone());
        match end {
            Some(expires_at) => {
                let told = Told::NotYet;
                self.wait(key, Due { expires_at, told });
            }
            None => self.forget(namespace, socket),
        }
    }

    /// The socket has gone.
    pub fn forget(&self, namespace: &'static str, socket: &SocketId) {
        self.due.cancel(&(namespace, socket.clone()));
    }

    /// Tells and disconnects whose time has come, for ever.
    pub async fn run(&self, namespaces: &[NamespaceHandle]) {
        loop {
            let ((path, socket), due) = self.due.next().await;
            let Some(namespace) = namespaces.iter().find(|one| one.path() == path) else {
                continue;
            };
            let now = Timestamp::now();
            if now >= due.expires_at.plus(self.leeway) {
                namespace.end(&socket, DisconnectReason::TokenExpired);
                continue;
            }
            let mut due = due;
            if due.told == Told::NotYet && now.plus(NOTICE) >= due.expires_at {
                let expires_at = due.expires_at;
                let to = [Room::socket(&socket)];
                let payload = Expiring { expires_at };
                namespace.emit(Emit::new(Class::Durable, &to, "auth:expiring", &payload));
                due.told = Told::Told;
            }
            self.wait((path, socket), due);
        }
    }

    fn wait(&self, key: (&'static str, SocketId), due: Due) {
        let now = Timestamp::now();
        let end = due.expires_at.plus(self.leeway);
        let next = match due.told {
            Told::NotYet => now.age(due.expires_at).saturating_sub(NOTICE),
            Told::Told => now.age(end),
        };
        self.due.set(key, due, next.min(MAX_WAIT));
    }
}
