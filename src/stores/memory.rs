//! What may be forgotten with the process: positions and presence, behind a lock each, for one node.

mod occupancy;
mod positions;
mod presence;
mod users;

pub use occupancy::MemoryOccupancy;
pub use positions::MemoryPositions;
pub use presence::MemoryPresence;
