//! What may be forgotten with the process: positions and presence, behind a lock each.

mod positions;
mod presence;

pub use positions::MemoryPositions;
pub use presence::MemoryPresence;
