//! Writing what waits: as much as the transport takes, never waiting for it.

use std::{
    cell::RefCell,
    io::ErrorKind,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Instant,
};

use tokio::net::TcpStream;

use super::{CloseReason, Connection, Link, Wire};

thread_local! {
    /// Where small packets are put together: all connections of a thread share it.
    static TOGETHER: RefCell<Vec<u8>> = RefCell::default();
}

/// Who writes next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing has been added.
    Nobody,
    /// It is on the flusher's list.
    Flusher,
    /// The reading task, when it has taken up what the client sent.
    Reader,
}

/// What a flush has led to.
#[derive(Clone, Copy)]
enum Outcome {
    Nothing,
    Relieved,
    Ended(CloseReason),
}

impl Connection {
    /// Writes what waits. Must not be called from
    /// [`Incoming`](crate::realtime::engine::Incoming).
    pub(in crate::realtime) fn flush(self: &Arc<Self>) {
        let outcome = {
            let mut wire = self.wire.lock();
            wire.due = Due::Nobody;
            self.flush_wire(&mut wire)
        };
        self.flushed(outcome);
    }

    fn flushed(self: &Arc<Self>, outcome: Outcome) {
        match outcome {
            Outcome::Nothing => {}
            Outcome::Relieved => match self.incoming.try_lock() {
                Some(mut incoming) => {
                    if let Some(incoming) = &mut *incoming {
                        incoming.relieved();
                    }
                }
                // What comes from the client is being taken; others must not wait for that.
                None => self.ask_for_relief(),
            },
            Outcome::Ended(reason) => self.end(reason),
        }
    }

    /// The reading task is about to take up what the client sent: what is added until this is dropped,
    /// answers above all, it writes itself. What is on the flusher's list stays the flusher's.
    /// Must not be dropped in [`Incoming`](crate::realtime::engine::Incoming).
    pub(in crate::realtime) fn cork(self: &Arc<Self>) -> Corked {
        self.wire.lock().corked = true;
        Corked(self.clone())
    }

    fn flush_wire(self: &Arc<Self>, wire: &mut Wire) -> Outcome {
        if wire.ended {
            return Outcome::Nothing;
        }
        if let Some(reason) = wire.doomed {
            return Outcome::Ended(reason);
        }
        let before = wire.outbox.bytes();
        match &mut wire.link {
            Link::WebSocket(_) if wire.blocked => {}
            Link::WebSocket(stream) => {
                let stream = stream.clone();
                if let Err(reason) = self.write(wire, &stream) {
                    return Outcome::Ended(reason);
                }
            }
            Link::Polling(_) => self.answer_poll(wire),
            Link::None => {}
        }
        if wire.outbox.bytes() < before {
            wire.progress_at = Instant::now();
        }
        // A client that polls is told with its next poll.
        if wire.outbox.is_empty()
            && !matches!(wire.link, Link::Polling(None))
            && let Some(reason) = wire.closing
        {
            return Outcome::Ended(reason);
        }
        if wire.outbox.bytes() <= self.shared.options.budget.pressure() {
            wire.pressed.drain(..).for_each(Waker::wake);
        }
        if !wire.outbox.is_empty() {
            self.arm_stall(wire);
        }
        let relieved = wire.outbox.bytes() <= self.shared.options.budget.relief();
        if relieved && std::mem::take(&mut wire.relief_wanted) {
            Outcome::Relieved
        } else {
            Outcome::Nothing
        }
    }

    /// Writes what the transport takes, from where locks are held.
    pub(super) fn make_room(&self, wire: &mut Wire) {
        if wire.blocked {
            return;
        }
        if let Link::WebSocket(stream) = &wire.link {
            let stream = stream.clone();
            if let Err(reason) = self.write(wire, &stream) {
                wire.doomed = Some(reason);
            }
        }
    }

    fn write(&self, wire: &mut Wire, stream: &TcpStream) -> Result<(), CloseReason> {
        TOGETHER.with_borrow_mut(|room| {
            while !wire.outbox.is_empty() {
                match stream.try_write(wire.outbox.next_bytes(room)) {
                    Ok(written) => wire.outbox.advance(written),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        wire.blocked = true;
                        // It alone may wait for the stream.
                        self.reader.wake();
                        return Ok(());
                    }
                    Err(_) => return Err(CloseReason::TransportError),
                }
            }
            Ok(())
        })
    }

    /// Waits until the WebSocket can be read, or the connection has ended; writes meanwhile
    /// whenever the stream takes more. For the reading task alone, since the stream wakes one task
    /// for each direction.
    pub(in crate::realtime) fn poll_readable(
        self: &Arc<Self>,
        stream: &TcpStream,
        context: &mut Context<'_>,
    ) -> Poll<Readable> {
        self.reader.register(context.waker());
        loop {
            let blocked = {
                let wire = self.wire.lock();
                if wire.ended {
                    return Poll::Ready(Readable::Ended);
                }
                wire.blocked
            };
            if !blocked {
                break;
            }
            if stream.poll_write_ready(context).is_pending() {
                break;
            }
            self.wire.lock().blocked = false;
            self.flush();
        }
        // An error shows when the stream is read.
        stream.poll_read_ready(context).map(|_| Readable::Bytes)
    }

    /// Continues on this WebSocket instead of by polling.
    pub(in crate::realtime) fn upgrade(self: &Arc<Self>, stream: &Arc<TcpStream>) {
        let waiting = {
            let mut wire = self.wire.lock();
            if wire.ended {
                return;
            }
            wire.upgrading = false;
            wire.trying = false;
            let link = Link::WebSocket(stream.clone());
            std::mem::replace(&mut wire.link, link)
        };
        self.tried.notify_waiters();
        if let Link::Polling(Some(waiting)) = waiting {
            waiting.answer_noop(self.protocol);
        }
        self.tell(|incoming| incoming.upgraded());
        self.flush();
    }
}

/// A connection whose reading task takes up what its client sent.
pub(in crate::realtime) struct Corked(Arc<Connection>);

impl Drop for Corked {
    fn drop(&mut self) {
        let outcome = {
            let mut wire = self.0.wire.lock();
            wire.corked = false;
            if wire.due != Due::Reader {
                return;
            }
            wire.due = Due::Nobody;
            self.0.flush_wire(&mut wire)
        };
        self.0.flushed(outcome);
    }
}

/// Why a reading task was woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::realtime) enum Readable {
    /// There are bytes, or the stream's end.
    Bytes,
    /// The connection has ended.
    Ended,
}
