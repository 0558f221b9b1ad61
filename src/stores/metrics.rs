//! What can fail in the store, and how it is counted.

use crate::telemetry::metric;

/// What can fail in a store.
#[derive(Clone, Copy, Debug)]
pub(super) enum ErrorKind {
    /// One write, alone.
    Write,
    /// A whole transaction.
    Commit,
    /// A read.
    Read,
    /// A write found no place in the queue in time.
    QueueFull,
    /// A read found no free connection in time.
    ReadersBusy,
}

impl ErrorKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Commit => "commit",
            Self::Read => "read",
            Self::QueueFull => "queue_full",
            Self::ReadersBusy => "readers_busy",
        }
    }

    /// Counts one failure.
    pub(super) fn count(self) {
        metrics::counter!(metric::STORE_ERRORS, "kind" => self.as_str()).increment(1);
    }
}
