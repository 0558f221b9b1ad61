//! What other nodes tell.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use fred::types::Message;
use metrics::{counter, histogram};
use parking_lot::Mutex;
use tokio::sync::{broadcast::error::RecvError, mpsc};

use super::{
    CHANNEL, Outgoing,
    frame::{self, Frame, Head, WireEmit},
};
use crate::{
    domain::{Entry, Timestamp},
    ports::Notice,
    stores::redis::{Redis, Told},
    telemetry::metric,
};

/// A node that has not heard itself for so long is deaf.
const DEAF_AFTER: Duration = Duration::from_secs(2);

/// A node that is found deaf so often, although it can tell, connects anew: a connection that only
/// listens does not notice by itself that it leads nowhere. Once is not enough: a process that was held
/// has yet to read what has come meanwhile.
const CONNECT_ANEW_AFTER: u32 = 3;

/// How often that is looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// A node that was not heard for so long is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(600);

/// How often what cannot be read is logged.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Something that was heard.
pub enum Heard {
    /// An entry has been committed by another node.
    Entry(Arc<Entry>),
    /// An event of another node for clients.
    Event(Event),
    /// Some of what was told was not heard.
    Missed,
    /// This node hears again, or for the first time.
    Back,
}

/// An event of another node.
pub struct Event(pub(super) Box<WireEmit>);

/// Whether this node hears; clones share it.
#[derive(Clone, Debug)]
pub struct Hearing(Arc<Mutex<Heed>>);

#[derive(Clone, Copy, Debug)]
struct Heed {
    /// When it heard itself last.
    heard: Option<Instant>,
    /// The same; as long as it has not, when it began.
    since: Timestamp,
}

impl Default for Hearing {
    /// Not yet.
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Heed {
            heard: None,
            since: Timestamp::now(),
        })))
    }
}

impl Hearing {
    /// Whether it has not heard itself for a while.
    pub fn is_deaf(&self) -> bool {
        let heard = self.0.lock().heard;
        heard.is_none_or(|at| at.elapsed() > DEAF_AFTER)
    }

    /// It has heard itself. If it was deaf before: since when.
    fn note(&self) -> Option<Timestamp> {
        let was_deaf = self.is_deaf();
        let mut heed = self.0.lock();
        let since = heed.since;
        *heed = Heed {
            heard: Some(Instant::now()),
            since: Timestamp::now(),
        };
        was_deaf.then_some(since)
    }
}

/// Listens to the other nodes.
pub struct Incoming {
    /// The way back. What this node tells itself is not news.
    pub outgoing: Outgoing,
    /// Whether it hears.
    pub hearing: Hearing,
    /// Where entries and events go. What finds no place there counts as missed.
    pub heard: mpsc::Sender<Heard>,
    /// Where it is said from when on something was missed.
    pub deaf_since: mpsc::UnboundedSender<Timestamp>,
    /// Where notices go.
    pub notices: mpsc::UnboundedSender<Notice>,
}

/// What is known of another node.
struct Known {
    number: u64,
    at: Timestamp,
}

impl Incoming {
    /// Listens, for ever.
    pub async fn run(self, redis: &Redis) {
        let channel = redis.channel(CHANNEL);
        let mut told = redis.listen(vec![channel.clone()], Vec::new());
        let listening = async {
            let mut nodes = HashMap::new();
            let mut logged_at = None;
            loop {
                match told.recv().await {
                    Ok(Told::Message(message)) if *message.channel == *channel => {
                        self.hear(&message, &mut nodes, &mut logged_at);
                    }
                    Ok(Told::Message(_) | Told::Anew) => {}
                    Ok(Told::Lost(count)) | Err(RecvError::Lagged(count)) => {
                        self.missed(count, "lagged");
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        };
        tokio::select! {
            () = listening => {}
            () = self.connect_anew(redis) => {}
        }
    }

    /// Ends a connection that leads nowhere, so that another one is made, for ever.
    async fn connect_anew(&self, redis: &Redis) {
        let mut found = 0;
        loop {
            let published = self.outgoing.published();
            tokio::time::sleep(LOOK_INTERVAL).await;
            let is_nowhere = self.hearing.is_deaf()
                && self.outgoing.published() > published
                && redis.is_listening();
            found = if is_nowhere { found + 1 } else { 0 };
            if found == CONNECT_ANEW_AFTER {
                found = 0;
                tracing::warn!("nothing is heard of Redis; connecting anew");
                redis.connect_anew();
            }
        }
    }

    fn hear(
        &self,
        message: &Message,
        nodes: &mut HashMap<String, Known>,
        logged_at: &mut Option<Instant>,
    ) {
        let bytes = message.value.as_bytes().unwrap_or_default();
        let read = frame::read(bytes).and_then(|(head, frames)| {
            if head.node == self.outgoing.node() {
                // What we told ourselves: it only shows that we hear.
                if let Some(since) = self.hearing.note() {
                    self.pass(Heard::Back);
                    // Whoever reads anew ends with the server.
                    let _ = self.deaf_since.send(since);
                }
                return Ok(());
            }
            if !self.note(&head, nodes) {
                return Ok(());
            }
            frames.into_iter().try_for_each(|frame| {
                self.frame(&head.node, frame?);
                Ok(())
            })
        });
        if let Err(why) = read {
            counter!(metric::CLUSTER_LOST, "reason" => why.as_str()).increment(1);
            if logged_at.is_none_or(|at| at.elapsed() > LOG_INTERVAL) {
                *logged_at = Some(Instant::now());
                tracing::warn!(
                    reason = why.as_str(),
                    "what another node told cannot be read"
                );
            }
        }
    }

    /// Notes who told, and whether something before was not heard. Whether it is news.
    fn note(&self, head: &Head, nodes: &mut HashMap<String, Known>) -> bool {
        let lag = Timestamp::from_ms(head.sent_at_ms).age(Timestamp::now());
        histogram!(metric::CLUSTER_LAG).record(lag.as_secs_f64());
        let at = Timestamp::now();
        let number = head.number;
        if nodes
            .get(&head.node)
            .is_some_and(|known| number <= known.number)
        {
            return false;
        }
        let before = nodes.insert(head.node.clone(), Known { number, at });
        match before {
            Some(before) if number > before.number + 1 => {
                self.missed(number - before.number - 1, "missed");
                let between = (before.number + 1, number);
                self.outgoing.missed(head.node.clone(), between);
                // Whoever reads anew ends with the server.
                let _ = self.deaf_since.send(before.at);
            }
            Some(_) => {}
            None => nodes.retain(|_, known| known.at.age(at) < FORGET_AFTER),
        }
        true
    }

    fn frame(&self, from: &str, frame: Frame) {
        let node = self.outgoing.node();
        match frame {
            Frame::Beat => {}
            Frame::Entry(entry) => match entry.read() {
                Some(entry) => self.pass(Heard::Entry(entry)),
                None => self.missed(1, "malformed"),
            },
            Frame::Emit(emit) => self.pass(Heard::Event(Event(emit))),
            Frame::Notice(notice) => self.heed(notice),
            Frame::Again { to, notice } if to == node => self.heed(notice),
            Frame::Missed { of, between } if of == node => {
                self.outgoing.tell_again(from, between);
            }
            Frame::Again { .. } | Frame::Missed { .. } => {}
        }
    }

    fn heed(&self, notice: Notice) {
        // Whoever hears notices ends with the server.
        let _ = self.notices.send(notice);
    }

    fn pass(&self, heard: Heard) {
        if self.heard.try_send(heard).is_err() {
            // Entries are found in the store when the next one is due.
            counter!(metric::CLUSTER_LOST, "reason" => "full").increment(1);
        }
    }

    fn missed(&self, count: u64, reason: &'static str) {
        counter!(metric::CLUSTER_LOST, "reason" => reason).increment(count);
        self.pass(Heard::Missed);
    }
}

#[cfg(test)]
mod tests;
