//! One client's connection: its transport, what waits to be written, its deadlines and its end.

mod deadlines;
mod flush;
mod kept_back;
mod polling;
mod reason;
mod receive;
mod turn;

use std::{
    fmt,
    sync::{Arc, atomic::AtomicBool},
    task::Waker,
    time::Instant,
};

use futures::task::AtomicWaker;
use metrics::counter;
use parking_lot::Mutex;
use tokio::{net::TcpStream, sync::Notify};

pub(super) use self::flush::Readable;
pub use self::{deadlines::Alarm, polling::PollRefused, reason::CloseReason};
use self::{deadlines::Deadlines, flush::Due, polling::Waiting, turn::Turn};
use super::{
    engine::{EngineId, Incoming, Protocol, Shared},
    outbox::{Outbox, Pushed, Treatment},
    wire::Packet,
};
use crate::telemetry::metric;

/// A client's connection. Whoever has something for the client adds it by [`Connection::push`],
/// which never waits; its flusher writes it, or the task that takes up what the client sent.
pub struct Connection {
    id: EngineId,
    protocol: Protocol,
    shared: Arc<Shared>,
    wire: Mutex<Wire>,
    incoming: Mutex<Option<Box<dyn Incoming>>>,
    /// Wakes the task that reads the WebSocket.
    reader: AtomicWaker,
    /// A posted request is being read.
    posting: AtomicBool,
    /// What was kept back is being read.
    catching_up: AtomicBool,
    /// Told when a WebSocket that was tried is used, or given up.
    tried: Notify,
}

/// The outgoing side.
struct Wire {
    link: Link,
    outbox: Outbox,
    /// Who is to write what waits.
    due: Due,
    /// The reading task takes up what the client sent, and writes after it.
    corked: bool,
    /// The transport took less than what waited.
    blocked: bool,
    /// A WebSocket is being tried in place of polling.
    upgrading: bool,
    /// A WebSocket for this session has been opened, and has not said yet whether it is to be used.
    trying: bool,
    /// [`Incoming::relieved`] is to be called when the reader has caught up.
    relief_wanted: bool,
    /// Whose events wait until less waits for the client.
    pressed: Vec<Waker>,
    /// To be ended by who writes next: whoever found out may hold locks.
    doomed: Option<CloseReason>,
    /// Nothing is added any more; the end comes when what waits is written.
    closing: Option<CloseReason>,
    ended: bool,
    /// When the client last took something.
    progress_at: Instant,
    deadlines: Deadlines,
}

/// By what packets reach the client.
enum Link {
    /// A poll, where one waits for its answer.
    Polling(Option<Waiting>),
    WebSocket(Arc<TcpStream>),
    None,
}

impl Connection {
    /// A connection that has just opened; polling without `stream`.
    pub(super) fn new(
        id: EngineId,
        protocol: Protocol,
        shared: Arc<Shared>,
        incoming: Box<dyn Incoming>,
        stream: Option<Arc<TcpStream>>,
    ) -> Arc<Self> {
        let link = match stream {
            Some(stream) => Link::WebSocket(stream),
            None => Link::Polling(None),
        };
        Arc::new(Self {
            id,
            protocol,
            shared,
            wire: Mutex::new(Wire {
                link,
                outbox: Outbox::default(),
                due: Due::Nobody,
                corked: false,
                blocked: false,
                upgrading: false,
                trying: false,
                relief_wanted: false,
                pressed: Vec::new(),
                doomed: None,
                closing: None,
                ended: false,
                progress_at: Instant::now(),
                deadlines: Deadlines::default(),
            }),
            incoming: Mutex::new(Some(incoming)),
            reader: AtomicWaker::new(),
            posting: AtomicBool::new(false),
            catching_up: AtomicBool::new(false),
            tried: Notify::new(),
        })
    }

    /// Tells the receiving side that the session has begun.
    pub(super) fn begin(self: &Arc<Self>) {
        self.tell(|incoming| incoming.begin(self));
    }

    /// The session id, which is a secret between the client and us.
    pub fn id(&self) -> EngineId {
        self.id
    }

    /// The Engine.IO version that the client speaks.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Adds a packet to what waits for the client. What the budget has no room for gives way as its
    /// treatment says; where nothing may give way, the connection ends soon after.
    pub fn push(self: &Arc<Self>, packet: &Packet, treatment: Treatment<'_>) -> Pushed {
        let mut wire = self.wire.lock();
        if wire.ended || wire.closing.is_some() {
            return Pushed::Dropped;
        }
        let slow = wire.blocked || matches!(wire.link, Link::Polling(None));
        let budget = self.shared.options.budget;
        let v3;
        let packet = match self.protocol {
            Protocol::V4 => packet,
            Protocol::V3 => {
                v3 = packet.for_v3();
                &v3
            }
        };
        if wire.outbox.is_empty() {
            // From now on something waits to be taken.
            wire.progress_at = Instant::now();
        }
        if wire.corked && wire.outbox.bytes() + packet.size() > budget.pressure() {
            // Nobody else writes now, and its reader is not to be taken for slow.
            self.make_room(&mut wire);
        }
        let mut pushed = wire.outbox.push(packet, treatment, budget, slow);
        if pushed == Pushed::OverBudget {
            // The flusher may not have come round yet: what the transport takes does not count.
            self.make_room(&mut wire);
            pushed = wire.outbox.push(packet, treatment, budget, slow);
        }
        match pushed {
            Pushed::Queued => {}
            Pushed::OverBudget => wire.doomed = Some(CloseReason::OverBudget),
            Pushed::KeptBack => {
                wire.relief_wanted = true;
                return pushed;
            }
            Pushed::Dropped => return pushed,
        }
        self.make_dirty(&mut wire);
        pushed
    }

    /// Bytes that wait to be written.
    pub fn pending_bytes(&self) -> usize {
        self.wire.lock().outbox.bytes()
    }

    fn make_dirty(self: &Arc<Self>, wire: &mut Wire) {
        if wire.ended || wire.due != Due::Nobody {
            return;
        }
        if wire.corked {
            wire.due = Due::Reader;
        } else {
            wire.due = Due::Flusher;
            self.shared.flusher(self.id).add(self.clone());
        }
    }

    /// Tells the receiving side of a change.
    fn tell(&self, tell: impl FnOnce(&mut Box<dyn Incoming>)) {
        if let Some(incoming) = &mut *self.incoming.lock() {
            tell(incoming);
        }
    }

    /// Whether the connection has ended.
    pub fn has_ended(&self) -> bool {
        self.wire.lock().ended
    }

    /// Ends the connection soon, from where locks are held.
    pub fn doom(self: &Arc<Self>, reason: CloseReason) {
        let mut wire = self.wire.lock();
        wire.doomed.get_or_insert(reason);
        self.make_dirty(&mut wire);
    }

    /// The server goes down: the connection ends once what the client sent is done. A second call
    /// changes nothing.
    pub fn drain(self: &Arc<Self>) {
        let mut ends_itself = false;
        self.tell(|incoming| ends_itself = incoming.drain());
        if !ends_itself {
            self.finish(CloseReason::ServerShutdown);
        }
    }

    /// Ends the connection once what waits has been written, at the latest after half
    /// a second.
    pub fn finish(self: &Arc<Self>, reason: CloseReason) {
        let mut wire = self.wire.lock();
        if wire.ended || wire.closing.is_some() {
            return;
        }
        wire.closing = Some(reason);
        self.arm_farewell(&mut wire);
        self.make_dirty(&mut wire);
    }

    /// Ends the connection at once. Must not be called from [`Incoming`].
    pub fn end(self: &Arc<Self>, reason: CloseReason) {
        let link = {
            let mut wire = self.wire.lock();
            if wire.ended {
                return;
            }
            wire.ended = true;
            wire.pressed.drain(..).for_each(Waker::wake);
            let in_the_middle = wire.outbox.is_in_the_middle();
            wire.outbox.clear();
            match std::mem::replace(&mut wire.link, Link::None) {
                // A Close frame within another frame would be part of it.
                Link::WebSocket(_) if in_the_middle => Link::None,
                link => link,
            }
        };
        match link {
            Link::WebSocket(stream) => {
                // The last word; whoever does not take it hears the end of the stream.
                if let Err(error) = stream.try_write(reason.close_frame().from_byte(0)) {
                    tracing::trace!(%error, "a connection ended without a Close frame");
                }
            }
            Link::Polling(Some(waiting)) => waiting.answer_end(self.protocol, reason),
            Link::Polling(None) | Link::None => {}
        }
        self.shared.forget(self.id);
        self.reader.wake();
        tracing::debug!(reason = reason.as_str(), "a connection ended");
        let incoming = self.incoming.lock().take();
        if let Some(mut incoming) = incoming {
            incoming.closed(reason);
        }
    }

    /// Counts what could not be handed over.
    pub fn count_drop(class: &'static str, reason: &'static str) {
        counter!(metric::DROPS, "class" => class, "reason" => reason).increment(1);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The id would let a reader of the log take the session over.
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}
