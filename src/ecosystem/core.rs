//! What hearing, answering and calling share.

use std::{collections::HashMap, sync::Arc, time::Duration};

use metrics::counter;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::{
    channels::Channels,
    dialect::Dialect,
    local::Local,
    message::{Answer, Heard, Request},
    telling::{Publication, Telling},
};
use crate::{
    ports::{Emit, Emitter, Peers},
    realtime::{
        engine::EngineId,
        namespace::{Encoded, Hub, Relay},
    },
    stores::redis::Redis,
    telemetry::metric,
};

/// The most answers of one call that wait to be taken.
const MAX_ANSWERS: usize = 65_536;

/// This node among other servers.
pub(super) struct Core {
    pub redis: Redis,
    pub hub: Arc<Hub>,
    /// The other nodes of Roomcast.
    pub peers: Arc<dyn Peers>,
    pub channels: Vec<Channels>,
    /// How it talks to servers; none: it only hears emitters.
    pub dialect: Option<Dialect>,
    /// What servers know it by.
    pub uid: String,
    /// Its name.
    pub node: String,
    /// How long servers are waited for.
    pub timeout: Duration,
    pub local: Local,
    pub telling: Telling,
    pub open: Open,
}

/// The calls that wait for answers, by their names.
#[derive(Default)]
pub(super) struct Open(Mutex<HashMap<String, mpsc::Sender<Answer>>>);

impl Core {
    pub fn channels_of(&self, path: &str) -> Option<&Channels> {
        self.channels.iter().find(|channels| channels.path == path)
    }

    /// Tells other servers what they are to do, and, under this name, to answer.
    pub fn tell(&self, channels: &Channels, id: Option<&str>, request: Request) {
        let heard = Heard {
            from: self.uid.clone(),
            id: id.map(str::to_owned),
            request,
        };
        let told = self
            .dialect
            .and_then(|dialect| dialect.request(channels, &heard));
        self.put(told, "request");
    }

    /// Answers a server.
    pub fn answer(&self, channels: &Channels, whom: (&str, &str), answer: Answer) {
        let uid = &self.uid;
        let answered = self
            .dialect
            .and_then(|dialect| dialect.answer(channels, uid, whom, answer));
        self.put(answered, "answer");
    }

    fn put(&self, told: Option<(String, Vec<u8>)>, class: &'static str) {
        if let Some((channel, bytes)) = told {
            self.telling.put(Publication {
                channel,
                bytes,
                class,
            });
        }
    }

    /// A name for a call, and where its answers come.
    pub fn open(&self) -> (Call<'_>, mpsc::Receiver<Answer>) {
        let (answers, receiver) = mpsc::channel(MAX_ANSWERS);
        let id = EngineId::generate().as_str().to_owned();
        self.open.0.lock().insert(id.clone(), answers);
        (Call { core: self, id }, receiver)
    }

    /// Whether an answer is waited for.
    pub fn awaits(&self) -> bool {
        !self.open.0.lock().is_empty()
    }

    /// A server has answered. What nobody asked is nothing.
    pub fn answered(&self, id: &str, answer: Answer) {
        let call = self.open.0.lock().get(id).cloned();
        if call.is_some_and(|call| call.try_send(answer).is_err()) {
            counter!(metric::CLUSTER_LOST, "reason" => "full").increment(1);
        }
    }

    /// How many servers there are, this one among them.
    pub async fn count(&self, channels: &Channels) -> usize {
        let Some(dialect) = self.dialect else {
            return 1;
        };
        let channel = dialect.counted(channels);
        let counted = match dialect {
            Dialect::PubSub => self.redis.count_hearing(channel).await,
            Dialect::Sharded => self.redis.count_hearing_shard(channel).await,
        };
        match counted {
            Ok(count) => count.max(1),
            Err(error) => {
                tracing::debug!(%error, "other servers could not be counted");
                1
            }
        }
    }
}

/// A call that is open until this is dropped.
pub(super) struct Call<'a> {
    core: &'a Core,
    pub id: String,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.core.open.0.lock().remove(&self.id);
    }
}

/// The way of events to other servers.
pub(super) struct ToServers(pub Arc<Core>);

impl Relay for ToServers {
    fn relay(&self, emit: &Emit<'_>, encoded: Encoded) {
        let core = &self.0;
        let (Some(dialect), Some(channels)) = (core.dialect, core.channels_of(emit.namespace))
        else {
            return;
        };
        let Some(list) = encoded.to_msgpack() else {
            let class = emit.class.as_str();
            counter!(metric::CLUSTER_DROPS, "class" => class, "reason" => "encoding").increment(1);
            return;
        };
        let told = dialect.broadcast(channels, &core.uid, &list, emit);
        core.put(Some(told), emit.class.as_str());
    }
}

impl Emitter for ToServers {
    fn emit(&self, emit: Emit<'_>) {
        if let Some(encoded) = self.0.hub.encode(&emit) {
            self.relay(&emit, encoded);
        }
    }
}
