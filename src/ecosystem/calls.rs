//! Calling other servers.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rmpv::Value;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use super::{
    Ecosystem, answering,
    channels::Channels,
    core::Core,
    describe,
    message::{Answer, Event, Request},
};
use crate::{
    domain::{Args, Room},
    ports::{Class, Emit, Ended, FoundSocket, Gathered, Notice, Servers, SocketsMove, Whom},
};

/// The servers of the cluster.
#[derive(Clone)]
pub(super) struct Calls(pub Arc<Core>);

/// Nothing, and nobody to ask.
fn nothing<T>() -> Gathered<T> {
    let (found, is_complete) = (Vec::new(), true);
    Gathered { found, is_complete }
}

fn event((name, args): (&str, Args)) -> Event {
    let name = name.to_owned();
    Event { name, args }
}

impl Calls {
    /// Asks the other servers, and gathers one answer of each.
    async fn gather(&self, channels: &Channels, request: Request) -> Gathered<Answer> {
        let core = &self.0;
        let others = core.count(channels).await - 1;
        if others == 0 {
            return nothing();
        }
        let (call, mut answers) = core.open();
        core.tell(channels, Some(&call.id), request);
        let until = Instant::now() + core.timeout;
        let mut found = Vec::new();
        while found.len() < others {
            match timeout_at(until, answers.recv()).await {
                Ok(Some(answer)) => found.push(answer),
                Ok(None) | Err(_) => break,
            }
        }
        let is_complete = found.len() >= others;
        Gathered { found, is_complete }
    }

    /// Does it here and tells the other servers: in Node's words, which Roomcast's nodes know, too, or
    /// where nobody speaks them in our own.
    fn everywhere(&self, namespace: &str, whom: &Whom, what: SocketsMove) {
        let Some(channels) = self.0.channels_of(namespace) else {
            return;
        };
        self.0.local.perform(channels.path, whom, &what);
        let to = whom.clone();
        if self.0.dialect.is_none() {
            let namespace = namespace.to_owned();
            let whom = to;
            return self.0.peers.tell(Notice::Sockets {
                namespace,
                whom,
                what,
            });
        }
        let request = match what {
            SocketsMove::Join { rooms } => Request::Join { to, rooms },
            SocketsMove::Leave { rooms } => Request::Leave { to, rooms },
            SocketsMove::Disconnect { close } => Request::Disconnect { to, close },
        };
        self.0.tell(channels, None, request);
    }
}

impl Ecosystem {
    /// Does with this node's sockets what another node has told.
    pub fn move_sockets(&self, namespace: &str, whom: &Whom, what: &SocketsMove) {
        if let Some(channels) = self.core.channels_of(namespace) {
            self.core.local.perform(channels.path, whom, what);
        }
    }
}

#[async_trait]
impl Servers for Calls {
    fn node(&self) -> &str {
        &self.0.node
    }

    async fn count(&self, namespace: &str) -> usize {
        match self.0.channels_of(namespace) {
            Some(channels) => self.0.count(channels).await,
            None => 1,
        }
    }

    async fn fetch(&self, namespace: &str, whom: &Whom) -> Gathered<FoundSocket> {
        let Some(channels) = self.0.channels_of(namespace) else {
            return nothing();
        };
        let own = answering::sockets(&self.0, channels.path, whom);
        let to = whom.clone();
        let others = self.gather(channels, Request::Fetch { to }).await;
        let told = others.found.into_iter().flat_map(|answer| match answer {
            Answer::Sockets(sockets) => sockets,
            _ => Vec::new(),
        });
        let all = own.into_iter().chain(told);
        Gathered {
            found: all.filter_map(|socket| describe::found(&socket)).collect(),
            is_complete: others.is_complete,
        }
    }

    fn join(&self, namespace: &str, whom: &Whom, rooms: &[Room]) {
        let rooms = rooms.to_vec();
        self.everywhere(namespace, whom, SocketsMove::Join { rooms });
    }

    fn leave(&self, namespace: &str, whom: &Whom, rooms: &[Room]) {
        let rooms = rooms.to_vec();
        self.everywhere(namespace, whom, SocketsMove::Leave { rooms });
    }

    fn disconnect(&self, namespace: &str, whom: &Whom, ended: Ended) {
        let close = ended == Ended::Connection;
        self.everywhere(namespace, whom, SocketsMove::Disconnect { close });
    }

    async fn ask(
        &self,
        namespace: &str,
        whom: &Whom,
        (name, args): (&str, Args),
        within: Duration,
    ) -> Gathered<Value> {
        let core = &self.0;
        let Some(channels) = core.channels_of(namespace) else {
            return nothing();
        };
        let others = core.count(channels).await - 1;
        let (call, answers) = core.open();
        let emit = Emit::new(Class::Passing, &whom.rooms, name, &args).except(&whom.except);
        let mut own = core.local.namespace(channels.path).ask(&emit);
        if others > 0 {
            let request = Request::Ask {
                event: event((name, args.clone())),
                to: whom.clone(),
                within,
            };
            core.tell(channels, Some(&call.id), request);
        }
        let clients = own.as_ref().map_or(0, |own| own.count);
        let no_answers = mpsc::unbounded_channel().1;
        let own = own
            .as_mut()
            .map(|own| std::mem::replace(&mut own.answers, no_answers));
        let until = Instant::now() + within;
        Acks { others, clients }.gather(own, answers, until).await
    }

    fn tell(&self, namespace: &str, told: (&str, Args)) {
        let event = event(told);
        if let Some(channels) = self.0.channels_of(namespace) {
            self.0.tell(channels, None, Request::ServerSide { event });
        }
    }

    async fn call(&self, namespace: &str, told: (&str, Args)) -> Gathered<Value> {
        let Some(channels) = self.0.channels_of(namespace) else {
            return nothing();
        };
        let event = event(told);
        let answers = self.gather(channels, Request::ServerSide { event }).await;
        let values = answers.found.into_iter().filter_map(|answer| match answer {
            Answer::ServerSide(value) => Some(value),
            _ => None,
        });
        Gathered {
            found: values.collect(),
            is_complete: answers.is_complete,
        }
    }
}

/// What is still awaited of clients.
struct Acks {
    /// Servers that have not said how many they have asked.
    others: usize,
    /// Clients that have been asked.
    clients: usize,
}

impl Acks {
    async fn gather(
        mut self,
        own: Option<mpsc::UnboundedReceiver<Value>>,
        mut others: mpsc::Receiver<Answer>,
        until: Instant,
    ) -> Gathered<Value> {
        let mut found = Vec::new();
        let mut own = own.unwrap_or_else(|| mpsc::unbounded_channel().1);
        while self.others > 0 || found.len() < self.clients {
            tokio::select! {
                Some(ack) = own.recv() => found.push(ack),
                Some(answer) = others.recv() => match answer {
                    Answer::Clients(count) => {
                        self.others = self.others.saturating_sub(1);
                        let count = usize::try_from(count).unwrap_or(usize::MAX);
                        self.clients = self.clients.saturating_add(count);
                    }
                    Answer::Ack(ack) => found.push(ack),
                    _ => {}
                },
                () = tokio::time::sleep_until(until) => {
                    let is_complete = false;
                    return Gathered { found, is_complete };
                }
            }
        }
        let is_complete = true;
        Gathered { found, is_complete }
    }
}
