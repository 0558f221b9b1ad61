//! What the server says of itself to workers.

use crate::domain::{Status, Timestamp, UserId};

/// Tells workers. Never blocks; what cannot be told is dropped and counted.
pub trait Announcements: Send + Sync + 'static {
    /// A user's presence has changed.
    fn presence(&self, user: &UserId, status: Status, last_seen: Option<Timestamp>);
}

/// There is nobody to tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAnnouncements;

impl Announcements for NoAnnouncements {
    fn presence(&self, _: &UserId, _: Status, _: Option<Timestamp>) {}
}
