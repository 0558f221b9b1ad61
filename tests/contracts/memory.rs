//! The suites against memory.

use std::sync::Arc;

use roomcast::{
    ports::{PositionStore, PresenceStore},
    stores::memory::{MemoryPositions, MemoryPresence},
};

use crate::backend::Volatile;

#[derive(Default)]
struct Memory {
    positions: MemoryPositions,
    presence: MemoryPresence,
}

impl Memory {
    async fn open() -> Self {
        Self::default()
    }
}

impl Volatile for Memory {
    fn positions(&self) -> Arc<dyn PositionStore> {
        Arc::new(self.positions.clone())
    }

    fn presence(&self) -> Arc<dyn PresenceStore> {
        Arc::new(self.presence.clone())
    }
}

mod positions {
    crate::positions::positions!(super::Memory);
}
mod presence {
    crate::presence::presence!(super::Memory);
    run! { super::Memory, presence:
        who_was_there_before_a_restart_is_offline_since_and_others_are_as_they_were
    }
}
