//! How much one page may carry, however many entries are asked for.

use super::{Attachment, Entry, MAX_BINARIES};

/// What is left of a page. A page has at least one entry; clients read one packet with it.
#[derive(Debug)]
pub struct PageBudget {
    entries: usize,
    bytes: usize,
    binaries: usize,
    is_empty: bool,
}

impl PageBudget {
    /// The most bytes of text and attachments on a page.
    pub const MAX_BYTES: usize = 1_000_000;

    /// A page of so many entries, at least one.
    pub fn new(entries: usize) -> Self {
        Self {
            entries: entries.max(1),
            bytes: Self::MAX_BYTES,
            binaries: MAX_BINARIES,
            is_empty: true,
        }
    }

    /// Takes an entry, if it fits.
    pub fn take(&mut self, entry: &Entry) -> bool {
        let attached = entry.attachment.as_ref();
        let binaries = attached.map_or(0, Attachment::binaries);
        let bytes = entry.content.len() + attached.map_or(0, Attachment::size);
        let fits = self.entries > 0 && bytes <= self.bytes && binaries <= self.binaries;
        if !fits && !self.is_empty {
            return false;
        }
        self.is_empty = false;
        self.entries = self.entries.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
        self.binaries = self.binaries.saturating_sub(binaries);
        true
    }
}
