//! The names under which the store counts, each once.

/// Histogram: seconds from the call of an append until its commit.
pub const FEED_APPEND_SECONDS: &str = "roomcast_feed_append_seconds";
/// Histogram: writes per transaction.
pub const GROUP_SIZE: &str = "roomcast_store_group_size";
/// Gauge: writes that wait for the writer.
pub const QUEUE_DEPTH: &str = "roomcast_store_queue_depth";
/// Counter, by `kind`: what failed.
pub const ERRORS: &str = "roomcast_store_errors_total";

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
        metrics::counter!(ERRORS, "kind" => self.as_str()).increment(1);
    }
}
