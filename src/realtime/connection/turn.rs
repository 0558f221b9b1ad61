//! What one task at a time does for a connection.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::Connection;

/// Something that one task at a time does for a connection; it ends when this is dropped.
pub(in crate::realtime) struct Turn {
    connection: Arc<Connection>,
    of: fn(&Connection) -> &AtomicBool,
}

impl Turn {
    pub(super) fn take(
        connection: &Arc<Connection>,
        of: fn(&Connection) -> &AtomicBool,
    ) -> Option<Self> {
        let was_taken = of(connection).swap(true, Ordering::AcqRel);
        // Not made before it is known to be ours: dropping one ends the turn.
        (!was_taken).then(|| Self {
            connection: connection.clone(),
            of,
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        (self.of)(&self.connection).store(false, Ordering::Release);
    }
}
