//! Connections: Engine.IO, the order of each socket's events, rooms, limits, and the way out to
//! clients.
//!
//! A client's bytes come in through [`engine`], which ends where a message is whole. [`namespace`]
//! reads Socket.IO packets from messages, by the parsers of socketioxide, which it alone knows, and
//! hands each socket's events to its queue. Everything that goes to a client, answers too, is put
//! into its connection's outbox, so that what was emitted first arrives first, and written by the one
//! flusher that is its, or, while its bytes are taken up, by the task that does so. `rooms` knows who
//! is where, and sends to all of a room in one order.
//!
//! [`streams`] are the event streams of HTTP: no sockets, but readers of feeds like them.
//!
//! Everything above reaches sockets, rooms and acks only through [`Event`], [`Context`] and the
//! ports `Emitter` and `Sockets`.

mod budget;
mod connection;
mod context;
pub mod engine;
mod expiry;
mod flusher;
#[cfg(fuzzing)]
pub mod fuzzing;
mod limits;
mod log;
pub mod namespace;
mod outbox;
mod queue;
mod rooms;
mod session;
pub mod streams;
mod timers;
mod wire;

pub use budget::Budget;
pub use connection::{CloseReason, Connection};
pub use context::{Acks, Arguments, Context, Event, Failure, Handling, Order, Scope};
pub use limits::{
    ConnectionGuard, ConnectionLimits, EventBucket, EventLimits, Exceeded, PollingGuard,
    RefusedGuard, UserGuard, drain,
};
pub use outbox::{Pushed, Treatment};
pub use queue::{QueueLimits, Runner};
pub use session::{NewSession, Session};
pub use wire::Packet;
