//! Socket.IO rooms by the names that other nodes, emitters and the admin UI see.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{DriverId, ProductId, RoomId, SocketId, UserId, VendorId};

/// A Socket.IO room. Clients never name one: each event that enters a room builds its name.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Room(Arc<str>);

const CHAT: &str = "room:";

impl Room {
    /// How the names of rooms begin in which drivers are watched.
    pub const TRACKING: &'static str = "tracking:";

    /// How the names of rooms begin in which products are watched.
    pub const PRODUCT: &'static str = "product-";

    /// `room:{roomId}`: who has joined a chat room.
    pub fn chat(id: &RoomId) -> Self {
        Self(format!("{CHAT}{id}").into())
    }

    /// `user:{userId}`: all devices of a user.
    pub fn user(id: &UserId) -> Self {
        Self(format!("user:{id}").into())
    }

    /// `user:{vendorId}`: all devices of a vendor, who is a user of that id.
    pub fn vendor(id: &VendorId) -> Self {
        Self(format!("user:{id}").into())
    }

    /// `tracking:{driverId}`: who watches a driver.
    pub fn tracking(id: &DriverId) -> Self {
        Self(format!("{}{id}", Self::TRACKING).into())
    }

    /// `product-{productId}`: who watches a product's stock.
    pub fn product(id: &ProductId) -> Self {
        Self(format!("{}{id}", Self::PRODUCT).into())
    }

    /// Every guest, so that what is for signed-in users only can leave them out.
    pub fn guests() -> Self {
        Self("guests".into())
    }

    /// A room that nobody is in.
    pub fn nobody() -> Self {
        Self("".into())
    }

    /// A socket's own room, named by its id.
    pub fn socket(id: &SocketId) -> Self {
        Self(id.as_str().into())
    }

    /// A room by its full name, for trusted callers (`/api/emit`, `[[watch]]` rules).
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The chat room behind this name, if it is one.
    pub fn chat_id(&self) -> Option<RoomId> {
        RoomId::new(self.0.strip_prefix(CHAT)?).ok()
    }

    /// The full name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl Borrow<str> for Room {
    fn borrow(&self) -> &str {
        &self.0
    }
}
