//! Connections: the order of each socket's events, rooms, limits, and the way out to clients.
//!
//! [`namespace`] is the only module that knows socketioxide; everything above reaches sockets,
//! rooms and acks through [`Event`], [`Context`] and the ports `Emitter` and `Sockets`.

mod context;
mod expiry;
mod limits;
pub mod namespace;
mod queue;
mod rooms;
mod session;

pub use context::{Arguments, Context, Event, Failure, Handling, Order};
pub use limits::{ConnectionGuard, ConnectionLimits, EventLimits};
pub use queue::QueueLimits;
pub use session::Session;
