//! Polls: requests that wait until there is something to answer them with.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::oneshot, time::timeout};

use super::{CloseReason, Connection, Link, Turn, Wire};
use crate::realtime::{
    engine::{Protocol, payload},
    wire::Packet,
};

/// From this size on an answer takes no further packet, in bytes.
const FULL_ANSWER: usize = 256 * 1024;

/// How long a poll waits for an upgrade that is under way.
const SETTLING: Duration = Duration::from_millis(50);

/// A poll that waits for its answer.
pub(super) struct Waiting {
    answer: oneshot::Sender<Vec<u8>>,
    /// How many packets its client reads from one answer.
    max_packets: usize,
}

/// Why a poll is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollRefused {
    /// The session goes on over a WebSocket, or has ended.
    NotPolling,
    /// Another poll waits; the session must end.
    Concurrent,
}

impl Waiting {
    fn answer(self, body: Vec<u8>) {
        // Who has hung up meanwhile ends the session.
        let _ = self.answer.send(body);
    }

    fn answer_with(self, protocol: Protocol, packet: &Packet) {
        let mut body = Vec::new();
        for frame in packet.frames(0) {
            payload::encode(protocol, frame, &mut body);
        }
        self.answer(body);
    }

    /// A `noop` lets a client go on with what it does next.
    pub(super) fn answer_noop(self, protocol: Protocol) {
        self.answer_with(protocol, &Packet::control('6', ""));
    }

    pub(super) fn answer_end(self, protocol: Protocol, reason: CloseReason) {
        match reason {
            // The client has said goodbye itself.
            CloseReason::TransportClose => self.answer_noop(protocol),
            _ => self.answer_with(protocol, &Packet::control('1', "")),
        }
    }
}

impl Connection {
    /// Waits for packets; the answer's body comes when there are some, up to `max_packets`. Dropped
    /// before it was answered, the session must end.
    pub(in crate::realtime) fn poll(
        self: &Arc<Self>,
        max_packets: usize,
    ) -> Result<oneshot::Receiver<Vec<u8>>, PollRefused> {
        let (answer, body) = oneshot::channel();
        {
            let mut wire = self.wire.lock();
            match &mut wire.link {
                Link::Polling(Some(_)) => return Err(PollRefused::Concurrent),
                Link::Polling(waiting) => {
                    *waiting = Some(Waiting {
                        answer,
                        max_packets,
                    });
                }
                Link::WebSocket(_) | Link::None => return Err(PollRefused::NotPolling),
            }
            // It asks, so it reads.
            wire.progress_at = Instant::now();
        }
        self.flush();
        Ok(body)
    }

    /// Begins to read a post, unless another is being read.
    pub(in crate::realtime) fn begin_post(self: &Arc<Self>) -> Option<Turn> {
        Turn::take(self, |connection| &connection.posting)
    }

    /// A WebSocket for this session is about to open. Fails when the session is not polling, or
    /// another is being tried.
    pub(in crate::realtime) fn try_upgrade(&self) -> Result<(), PollRefused> {
        let mut wire = self.wire.lock();
        if wire.trying || !matches!(wire.link, Link::Polling(_)) {
            return Err(PollRefused::NotPolling);
        }
        wire.trying = true;
        Ok(())
    }

    /// Waits a moment for a WebSocket that is being tried: a client that has gone over to it may
    /// poll once more, and the poll may overtake what it said there.
    pub(in crate::realtime) async fn settle_upgrade(&self) {
        let tried = self.tried.notified();
        if self.wire.lock().trying {
            // Whether it settles or not, the poll goes on.
            let _ = timeout(SETTLING, tried).await;
        }
    }

    /// The client says goodbye. A poll that it sent at the same time is still answered.
    pub(in crate::realtime) fn leave(self: &Arc<Self>) {
        self.finish(CloseReason::TransportClose);
    }

    /// Whether the client polls.
    pub(in crate::realtime) fn is_polling(&self) -> bool {
        matches!(self.wire.lock().link, Link::Polling(_))
    }

    /// The WebSocket works: a poll that waits is let go, so that the client can pause.
    pub(in crate::realtime) fn begin_upgrade(self: &Arc<Self>) -> Result<(), PollRefused> {
        let mut wire = self.wire.lock();
        if !matches!(wire.link, Link::Polling(_)) {
            return Err(PollRefused::NotPolling);
        }
        wire.upgrading = true;
        self.make_dirty(&mut wire);
        Ok(())
    }

    /// The WebSocket came to nothing; polling goes on.
    pub(in crate::realtime) fn abandon_upgrade(&self) {
        let mut wire = self.wire.lock();
        wire.upgrading = false;
        wire.trying = false;
        self.tried.notify_waiters();
    }

    pub(super) fn answer_poll(&self, wire: &mut Wire) {
        let Link::Polling(waiting) = &mut wire.link else {
            return;
        };
        let Some(poll) = waiting.take_if(|_| wire.upgrading || !wire.outbox.is_empty()) else {
            return;
        };
        if wire.outbox.is_empty() {
            return poll.answer_noop(self.protocol);
        }
        let mut body = Vec::new();
        for _ in 0..poll.max_packets {
            let Some(frame) = wire.outbox.next_frame() else {
                break;
            };
            payload::encode(self.protocol, frame, &mut body);
            let end = frame.end;
            wire.outbox.advance_to(end);
            if body.len() >= FULL_ANSWER {
                break;
            }
        }
        poll.answer(body);
    }
}
