//! Nodes that act as one: each tells the others over a Redis channel what its clients are to hear.
//!
//! Redis makes it fast, the store makes it right. An entry that has been committed is told with its
//! position, the number that the store gave it among all entries; a node delivers an entry only
//! when it has delivered the one before, and reads the store where one is missing. What is not
//! durable is told once, and lost where Redis is away: then each node serves its own clients.
//!
//! - [`Outgoing`]: what waits to be told, bounded; one publication carries all that waits. Events
//!   for clients come to it from [`Hub`](crate::realtime::namespace::Hub), encoded once.
//! - [`Incoming`]: what is heard. A node that does not hear itself any more knows that it is deaf; one
//!   that has missed publications, by their numbers, gets the notices in them again: who was let go,
//!   what was paid.
//! - [`Follower`]: live delivery of entries in the order of their positions.

mod follower;
mod frame;
mod incoming;
mod outgoing;

pub use follower::{Follower, FollowerOptions};
pub use incoming::{Heard, Hearing, Incoming};
pub use outgoing::{Outgoing, QueueLimits};

/// The channel on which nodes talk to each other.
const CHANNEL: &str = "nodes";
