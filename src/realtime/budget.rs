//! How much may wait to be written to one client.

/// How much may wait for one client.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// With so many bytes waiting, what must be queued ends the connection.
    pub bytes: usize,
}

impl Budget {
    /// From how many waiting bytes on passing events are dropped and durable entries kept back.
    pub fn pressure(self) -> usize {
        self.bytes / 2
    }

    /// How many bytes may wait with answers to the client's own events among them.
    pub fn answers(self) -> usize {
        self.bytes * 2
    }

    /// With how few waiting bytes a reader has caught up, so that what was kept back follows.
    pub fn relief(self) -> usize {
        self.bytes / 4
    }
}
