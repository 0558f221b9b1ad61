//! Rules for events that only join a room: what they watch, who may, and what they see at once.

use std::sync::Arc;

use serde_json::Number;

use super::{Inventory, Tracking, inventory, tracking};
use crate::{
    config::{SnapshotKind, WatchRule, Who},
    domain::{
        DriverId, DriverPosition, IdError, Identity, ProductId, Role, Room, SocketId, WatchedId,
    },
    error::{Error, Result},
    ports::{Emitter, Sockets},
};

/// What a watcher sees at once.
#[derive(Clone, Debug)]
pub enum Snapshot {
    /// The rule promises nothing.
    None,
    /// The driver's position, while it is fresh.
    Position(Option<DriverPosition>),
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
        check_may(rule.who, who)?;
        let room = room(rule, id);
        let own = Room::socket(socket);
        let snapshot = match rule.snapshot {
            SnapshotKind::None => {
                self.sockets.join(socket, &room)?;
                Snapshot::None
            }
            SnapshotKind::Position => {
                let driver = DriverId::new(id.as_str()).map_err(invalid)?;
                let _order = self.tracking.hold(&driver).await;
                self.sockets.watch(socket, &room, tracking::of(&driver))?;
                let position = self.tracking.position(&driver).await?;
                if let Some(position) = &position {
                    tracking::show(&*self.emitter, &own, position);
                }
                Snapshot::Position(position)
            }
            SnapshotKind::Stock => {
                let product = ProductId::new(id.as_str()).map_err(invalid)?;
                let _order = self.inventory.hold(&product).await;
                self.sockets.watch(socket, &room, inventory::of(&product))?;
                let stock = self.inventory.get(&product).await?;
                if let Some(stock) = &stock {
                    inventory::show(&*self.emitter, &own, &product, stock);
                }
                Snapshot::Stock(stock.map(|stock| stock.inventory))
            }
        };
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
        check_may(rule.who, who)?;
        self.sockets.leave(socket, &room(rule, id));
        Ok(())
    }
}

fn invalid(error: IdError) -> Error {
    Error::invalid_payload(error.to_string())
}

fn room(rule: &WatchRule, id: &WatchedId) -> Room {
    Room::named(rule.room_name(id.as_str()))
}

/// Whether somebody is one of those who may.
pub(super) fn check_may(allowed: Who, who: &Identity) -> Result<()> {
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
