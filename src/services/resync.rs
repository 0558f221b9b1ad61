//! A node that hears the others again: what it missed of the newest values, it tells its clients.

use std::sync::Arc;

use super::{Inventory, PresenceService, Sessions, Tracking, inventory, tracking};
use crate::{
    domain::{DriverId, ProductId, Room, Timestamp},
    error::Result,
    ports::{Emitter, Sockets},
};

/// What is read anew.
pub struct Resync {
    /// This node's sockets, and nobody else's.
    pub own: Arc<dyn Emitter>,
    /// Which rooms they are in.
    pub sockets: Arc<dyn Sockets>,
    /// Positions.
    pub tracking: Arc<Tracking>,
    /// Stock.
    pub inventory: Arc<Inventory>,
    /// Who is there.
    pub presence: Arc<PresenceService>,
    /// Who may not be any more.
    pub sessions: Arc<Sessions>,
}

impl Resync {
    /// Learns how everybody is, so that only what changes from now on is news.
    pub async fn learn(&self) -> Result<()> {
        self.presence.tell_since(None, &*self.own).await
    }

    /// Tells this node's clients what may have changed since.
    pub async fn run(&self, since: Timestamp) -> Result<()> {
        self.sessions.reload().await?;
        self.presence.tell_since(Some(since), &*self.own).await?;
        for room in self.sockets.rooms_with(Room::TRACKING) {
            if let Some(driver) = id_in(&room, Room::TRACKING).and_then(|id| DriverId::new(id).ok())
                && let Some(position) = self.tracking.position(&driver).await?
            {
                tracking::show(&*self.own, &room, &position);
            }
        }
        for room in self.sockets.rooms_with(Room::PRODUCT) {
            if let Some(product) =
                id_in(&room, Room::PRODUCT).and_then(|id| ProductId::new(id).ok())
                && let Some(stock) = self.inventory.get(&product).await?
            {
                inventory::show(&*self.own, &room, &product, &stock);
            }
        }
        Ok(())
    }
}

fn id_in<'a>(room: &'a Room, prefix: &str) -> Option<&'a str> {
    room.as_str().strip_prefix(prefix)
}
