//! Rules for events that only join a room: what they watch, who may, and what they see at once.

use std::sync::Arc;

use serde_json::Number;

use super::{Inventory, Tracking};
use crate::{
    config::{SnapshotKind, WatchRule, Who},
    domain::{DriverId, Identity, Position, ProductId, Role, Room, SocketId, WatchedId},
    error::{Error, Result},
    ports::{Class, Emit, Emitter, Sockets},
};

/// What a watcher sees at once.
#[derive(Clone, Debug)]
pub enum Snapshot {
    /// The rule promises nothing.
    None,
    /// The driver's position, while it is fresh.
    Position(Option<Position>),
    /// The product's last known stock.
    Stock(Option<Number>),
}

/// A room that is watched from now on.
#[derive(Clone, Debug)]
pub struct Watched {
    /// What was sent to the watcher at once.
    pub snapshot: Snapshot,
}

/// The rules, and what they need.
pub struct Watch {
    /// Rules by the event that begins to watch.
    pub rules: Vec<Arc<WatchRule>>,
    /// Positions.
    pub tracking: Arc<Tracking>,
    /// Stock.
    pub inventory: Arc<Inventory>,
    /// Who is connected.
    pub sockets: Arc<dyn Sockets>,
    /// The way out.
    pub emitter: Arc<dyn Emitter>,
}

impl Watch {
    /// Joins the rule's room and sends what is known to the watcher.
    pub async fn begin(
        &self,
        rule: &WatchRule,
        who: &Identity,
        socket: &SocketId,
        id: &WatchedId,
    ) -> Result<Watched> {
        check_may_watch(rule.who, who)?;
        self.sockets.join(socket, &room(rule, id))?;
        let snapshot = self.snapshot(rule.snapshot, id.as_str()).await?;
        let own = [Room::socket(socket)];
        match &snapshot {
            Snapshot::Position(Some(position)) => {
                let event = super::tracking::LOCATION_UPDATE;
                self.emitter
                    .emit(Emit::new(Class::Latest, &own, event, position));
            }
            Snapshot::Stock(Some(stock)) => {
                let event = super::inventory::INVENTORY_UPDATE;
                self.emitter
                    .emit(Emit::new(Class::Latest, &own, event, stock));
            }
            Snapshot::None | Snapshot::Position(None) | Snapshot::Stock(None) => {}
        }
        Ok(Watched { snapshot })
    }

    /// Leaves the rule's room.
    pub fn end(
        &self,
        rule: &WatchRule,
        who: &Identity,
        socket: &SocketId,
        id: &WatchedId,
    ) -> Result<()> {
        check_may_watch(rule.who, who)?;
        self.sockets.leave(socket, &room(rule, id));
        Ok(())
    }

    async fn snapshot(&self, kind: SnapshotKind, id: &str) -> Result<Snapshot> {
        let invalid = |error: crate::domain::IdError| Error::invalid_payload(error.to_string());
        Ok(match kind {
            SnapshotKind::None => Snapshot::None,
            SnapshotKind::Position => {
                let driver = DriverId::new(id).map_err(invalid)?;
                Snapshot::Position(self.tracking.position(&driver).await?)
            }
            SnapshotKind::Stock => {
                let product = ProductId::new(id).map_err(invalid)?;
                Snapshot::Stock(self.inventory.get(&product).await?)
            }
        })
    }
}

fn room(rule: &WatchRule, id: &WatchedId) -> Room {
    Room::named(rule.room_name(id.as_str()))
}

fn check_may_watch(allowed: Who, who: &Identity) -> Result<()> {
    let role = match allowed {
        Who::Anyone => return Ok(()),
        Who::User => return who.user().map(|_| ()),
        Who::Driver => Role::Driver,
        Who::Vendor => Role::Vendor,
        Who::Service => Role::Service,
    };
    if who.user()?.has(role) {
        Ok(())
    } else {
        Err(Error::forbidden())
    }
}
