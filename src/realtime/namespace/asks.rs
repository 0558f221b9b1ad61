//! Events of servers that ask clients for acks.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use rmpv::Value;
use socketioxide_core::Value as Packed;
use tokio::sync::mpsc;

use super::{arguments, handle::NamespaceHandle};
use crate::{
    domain::SocketId,
    ports::Emit,
    realtime::outbox::{Pushed, Treatment},
};

/// The most events whose acks are awaited; one more asks nobody.
const MAX_OPEN: usize = 10_000;

/// The events whose acks are awaited. Their numbers differ in all namespaces.
#[derive(Default)]
pub(super) struct Asks {
    open: Mutex<Open>,
    /// How many there are: without any, what clients answer is nothing.
    count: AtomicUsize,
}

#[derive(Default)]
struct Open {
    last: i64,
    asks: HashMap<i64, Ask>,
}

struct Ask {
    waiting: HashSet<SocketId>,
    answers: mpsc::UnboundedSender<Value>,
}

/// An event that asked for acks; nobody waits for them any more when this is dropped.
pub struct Asked {
    asks: Arc<Asks>,
    number: i64,
    /// How many sockets were asked.
    pub count: usize,
    /// The first argument of each ack. Ends once all have come.
    pub answers: mpsc::UnboundedReceiver<Value>,
}

impl Asks {
    fn open(&self, waiting: HashSet<SocketId>) -> Option<(i64, mpsc::UnboundedReceiver<Value>)> {
        let mut open = self.open.lock();
        if open.asks.len() >= MAX_OPEN {
            return None;
        }
        open.last += 1;
        let number = open.last;
        let (answers, receiver) = mpsc::unbounded_channel();
        if !waiting.is_empty() {
            open.asks.insert(number, Ask { waiting, answers });
            self.count.store(open.asks.len(), Ordering::Relaxed);
        }
        Some((number, receiver))
    }

    /// No more is to be expected of this socket; where its answer goes, if it was expected.
    fn take(&self, number: i64, socket: &SocketId) -> Option<mpsc::UnboundedSender<Value>> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut open = self.open.lock();
        let ask = open.asks.get_mut(&number)?;
        if !ask.waiting.remove(socket) {
            return None;
        }
        let answers = ask.answers.clone();
        if ask.waiting.is_empty() {
            open.asks.remove(&number);
            self.count.store(open.asks.len(), Ordering::Relaxed);
        }
        Some(answers)
    }

    fn close(&self, number: i64) {
        let mut open = self.open.lock();
        open.asks.remove(&number);
        self.count.store(open.asks.len(), Ordering::Relaxed);
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.asks.close(self.number);
    }
}

impl NamespaceHandle {
    /// Sends an event to sockets of this node, and waits for their acks. None where it cannot be
    /// encoded, or where too many are awaited.
    pub fn ask(&self, emit: &Emit<'_>) -> Option<Asked> {
        let sessions = self.select(emit.to, emit.except);
        let ids = sessions.iter().map(|session| session.id().clone());
        let (number, answers) = self.asks.open(ids.collect())?;
        let mut asked = Asked {
            asks: self.asks.clone(),
            number,
            count: 0,
            answers,
        };
        let packet = self
            .encoder
            .ask(self.path, number, emit.event, emit.payload);
        let packet = packet.inspect_err(|error| {
            tracing::error!(%error, event = emit.event, "an event could not be encoded");
        });
        let packet = packet.ok()?;
        for session in &sessions {
            let pushed = session.connection().push(&packet, Treatment::Passing);
            if pushed == Pushed::Queued {
                asked.count += 1;
            } else {
                self.asks.take(number, session.id());
            }
        }
        Some(asked)
    }

    /// A client has answered an event. What was not asked, or not of this socket, is nothing.
    pub(super) fn answered(&self, socket: &SocketId, number: i64, ack: &Packed) {
        let Some(answers) = self.asks.take(number, socket) else {
            return;
        };
        let first = match arguments::list(ack) {
            Ok(Value::Array(list)) => list.into_iter().next(),
            _ => None,
        };
        // Whoever asked may have gone.
        let _ = answers.send(first.unwrap_or(Value::Nil));
    }
}
