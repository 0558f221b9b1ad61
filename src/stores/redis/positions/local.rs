//! The positions that came to this node.

use std::collections::{HashMap, hash_map};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{
    domain::{DriverId, Position},
    sparse,
};

struct Here {
    position: Position,
    until: Instant,
    /// Whether Redis has it.
    is_copied: bool,
}

/// Positions by driver, for as long as they are fresh.
#[derive(Default)]
pub(super) struct Local(Mutex<HashMap<DriverId, Here>>);

impl Local {
    /// Keeps a position unless a newer one is known; whether it was kept.
    pub(super) fn put(
        &self,
        driver: &DriverId,
        position: Position,
        until: Instant,
        is_copied: bool,
    ) -> bool {
        match self.0.lock().entry(driver.clone()) {
            hash_map::Entry::Occupied(known)
                if known.get().position.timestamp > position.timestamp =>
            {
                false
            }
            place => {
                place.insert_entry(Here {
                    position,
                    until,
                    is_copied,
                });
                true
            }
        }
    }

    pub(super) fn get(&self, driver: &DriverId) -> Option<Position> {
        let here = self.0.lock();
        here.get(driver).map(|here| here.position.clone())
    }

    /// Forgets what has lapsed, and returns it.
    pub(super) fn lapse(&self, now: Instant) -> Vec<(DriverId, Position)> {
        let mut here = self.0.lock();
        let lapsed = here.extract_if(|_, here| here.until <= now);
        let lapsed: Vec<_> = lapsed
            .map(|(driver, here)| (driver, here.position))
            .collect();
        if !lapsed.is_empty() {
            sparse::shrink(&mut here);
        }
        lapsed
    }

    /// Redis may have lost its copies.
    pub(super) fn forget_copies(&self) {
        for here in self.0.lock().values_mut() {
            here.is_copied = false;
        }
    }

    /// Some of those that Redis does not have; where it has all, that is noted by `done` before
    /// another one comes.
    pub(super) fn uncopied(
        &self,
        limit: usize,
        done: impl FnOnce(),
    ) -> Vec<(DriverId, Position, Instant)> {
        let here = self.0.lock();
        let missing = here.iter().filter(|(_, here)| !here.is_copied);
        let some: Vec<_> = missing
            .take(limit)
            .map(|(driver, here)| (driver.clone(), here.position.clone(), here.until))
            .collect();
        if some.is_empty() {
            done();
        }
        some
    }

    /// Redis has this one.
    pub(super) fn copied(&self, driver: &DriverId, position: &Position) {
        if let Some(here) = self.0.lock().get_mut(driver)
            && here.position == *position
        {
            here.is_copied = true;
        }
    }
}
