//! Hearing channels, on whichever connection there is.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use fred::{
    clients::Client,
    interfaces::{ClientLike, ClusterInterface, EventInterface, PubsubInterface},
    types::{
        ClusterHash, Message,
        config::{Options, Server},
    },
};
use parking_lot::Mutex;
use tokio::sync::{Notify, broadcast, broadcast::error::RecvError};

use super::{link::Link, setup::Setup, shards::Shards};

/// The most messages that wait for us.
const MAX_MESSAGES: usize = 65_536;

/// How often it is tried to subscribe while there is no connection.
const SUBSCRIBE_INTERVAL: Duration = Duration::from_millis(50);

/// What is heard, in its order.
#[derive(Clone, Debug)]
pub enum Told {
    /// Of a channel.
    Message(Message),
    /// From here on it is another connection: what was published before may not have been heard.
    Anew,
    /// So many messages were too many.
    Lost(u64),
}

/// What is heard on channels. In a Redis Cluster all nodes hear them where the keys are, in one order:
/// there a channel is heard at every server, but not in the same order at each.
pub(super) struct Channels {
    pub link: Link,
    /// The slot of the keys, in a Redis Cluster.
    slot: Option<u16>,
    /// Channels and patterns.
    wanted: Mutex<(Vec<String>, Vec<String>)>,
    is_wanted: Notify,
    pub shards: Shards,
    /// The server where they are heard.
    heard_at: Mutex<Option<Server>>,
    told: broadcast::Sender<Told>,
    /// The connection leads nowhere.
    pub is_deaf: Notify,
}

impl Channels {
    pub fn new(
        setup: Setup,
        slot: Option<u16>,
        is_closed: Arc<AtomicBool>,
    ) -> Result<Self, fred::error::Error> {
        Ok(Self {
            link: Link::new(setup, is_closed)?,
            heard_at: Mutex::default(),
            slot,
            wanted: Mutex::default(),
            is_wanted: Notify::new(),
            shards: Shards::default(),
            told: broadcast::Sender::new(MAX_MESSAGES),
            is_deaf: Notify::new(),
        })
    }

    /// Hears more channels and patterns, as soon as there is a connection, and on each one after it.
    pub fn listen(
        &self,
        channels: Vec<String>,
        patterns: Vec<String>,
    ) -> broadcast::Receiver<Told> {
        let told = self.told.subscribe();
        let mut wanted = self.wanted.lock();
        wanted.0.extend(channels);
        wanted.1.extend(patterns);
        drop(wanted);
        self.is_wanted.notify_one();
        told
    }

    /// Commands go to this server now: where channels are heard at one that is no master any more, that
    /// one does not answer.
    pub fn commands_at(&self, client: &Client, server: &Server) {
        let heard_at = self.heard_at.lock().clone();
        let is_master = |heard_at: &Server| match self.slot {
            Some(_) => masters(client).contains(heard_at),
            None => heard_at == server,
        };
        if self.link.is_connected() && heard_at.is_some_and(|heard_at| !is_master(&heard_at)) {
            tracing::warn!("another Redis is the master; hearing channels there");
            self.is_deaf.notify_one();
        }
    }

    /// Hears, until the connection leads nowhere.
    pub fn hear(self: Arc<Self>, client: Client) -> impl Future<Output = ()> {
        let (messages, made) = (client.message_rx(), client.reconnect_rx());
        async move {
            let hearing = Hearing {
                channels: &self,
                client: &client,
            };
            *self.heard_at.lock() = None;
            // It was said of an earlier connection.
            let _ = futures::FutureExt::now_or_never(self.is_deaf.notified());
            tokio::select! {
                biased;
                () = hearing.pass(messages, made) => {}
                () = hearing.subscribe() => {}
                () = self.shards.subscribe(&client) => {}
                () = self.is_deaf.notified() => {}
            }
        }
    }
}

/// The channels, as one client hears them.
struct Hearing<'a> {
    channels: &'a Channels,
    client: &'a Client,
}

impl Hearing<'_> {
    /// Passes on what comes, until it would be heard twice.
    async fn pass(
        &self,
        mut messages: broadcast::Receiver<Message>,
        mut made: broadcast::Receiver<Server>,
    ) {
        loop {
            tokio::select! {
                biased;
                message = messages.recv() => match message {
                    Ok(message) => self.tell(Told::Message(message)),
                    Err(RecvError::Lagged(count)) => self.tell(Told::Lost(count)),
                    Err(RecvError::Closed) => std::future::pending().await,
                },
                Ok(server) = made.recv() => match self.what_of(&server) {
                    Made::Another => self.channels.shards.begin_anew(),
                    Made::Ours => {
                        // What was heard on the last connection comes first.
                        while let Ok(message) = messages.try_recv() {
                            self.tell(Told::Message(message));
                        }
                        self.tell(Told::Anew);
                        self.channels.link.tell_made();
                        // In a Redis Cluster they are where they are subscribed.
                        let heard_at = self.channels.slot.is_none().then_some(server);
                        *self.channels.heard_at.lock() = heard_at;
                        self.channels.is_wanted.notify_one();
                        self.channels.shards.begin_anew();
                    }
                    Made::Moved => {
                        tracing::info!("Redis has moved the keys; hearing channels where they are");
                        return;
                    }
                },
            }
        }
    }

    fn tell(&self, told: Told) {
        // Nobody hears it where nobody wants to.
        let _ = self.channels.told.send(told);
    }

    fn what_of(&self, made: &Server) -> Made {
        match self.owner() {
            None => Made::Ours,
            Some(owner) => {
                let heard_at = self.channels.heard_at.lock();
                Made::of(made, heard_at.as_ref(), &owner, &masters(self.client))
            }
        }
    }

    /// Which server has the keys, in a Redis Cluster.
    fn owner(&self) -> Option<Server> {
        let state = self.client.cached_cluster_state()?;
        state.get_server(self.channels.slot?).cloned()
    }

    /// Subscribes whenever that is needed, for ever.
    async fn subscribe(&self) {
        loop {
            self.channels.is_wanted.notified().await;
            while !self.client.is_connected() || self.subscribe_all().await.is_err() {
                tokio::time::sleep(SUBSCRIBE_INTERVAL).await;
            }
        }
    }

    async fn subscribe_all(&self) -> Result<(), fred::error::Error> {
        let (channels, patterns) = self.channels.wanted.lock().clone();
        if let Some(owner) = self.owner() {
            *self.channels.heard_at.lock() = Some(owner);
        }
        let client = self.client.with_options(&at_slot(self.channels.slot));
        // Others see who hears a channel, and count on it that patterns are heard, too.
        if !patterns.is_empty() {
            client.psubscribe(patterns).await?;
        }
        if !channels.is_empty() {
            client.subscribe(channels).await?;
        }
        Ok(())
    }
}

fn masters(client: &Client) -> Vec<Server> {
    let state = client.cached_cluster_state();
    state
        .map(|state| state.unique_primary_nodes())
        .unwrap_or_default()
}

/// Sends a command to the server that has this slot.
pub(super) fn at_slot(slot: Option<u16>) -> Options {
    Options {
        cluster_hash: slot.map(ClusterHash::Custom),
        ..Options::default()
    }
}

/// What a connection that was made means for what is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    /// Nothing: channels are heard at another server.
    Another,
    /// What is wanted is subscribed on it.
    Ours,
    /// The keys are elsewhere now, but the channels are still heard where they were.
    Moved,
}

impl Made {
    fn of(made: &Server, heard_at: Option<&Server>, owner: &Server, masters: &[Server]) -> Self {
        match heard_at {
            Some(heard_at) if owner == heard_at && made != heard_at => Self::Another,
            Some(heard_at) if owner != heard_at && masters.contains(heard_at) => Self::Moved,
            _ => Self::Ours,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &str) -> Server {
        Server::new(name, 6_379)
    }

    fn made(made: &str, owner: &str, masters: &[&str]) -> Made {
        let masters: Vec<_> = masters.iter().map(|name| server(name)).collect();
        Made::of(&server(made), Some(&server("a")), &server(owner), &masters)
    }

    #[test]
    fn channels_are_subscribed_once_wherever_connections_are_made() {
        assert_eq!(Made::of(&server("b"), None, &server("a"), &[]), Made::Ours);
        assert_eq!(made("b", "a", &["a", "b"]), Made::Another);
        assert_eq!(made("a", "a", &["a", "b"]), Made::Ours);
        // A replica has taken its place.
        assert_eq!(made("b", "b", &["b", "c"]), Made::Ours);
        // The keys were moved: where it is still heard, it must not be heard elsewhere, too.
        assert_eq!(made("b", "b", &["a", "b"]), Made::Moved);
        assert_eq!(made("c", "b", &["a", "b", "c"]), Made::Moved);
    }
}
