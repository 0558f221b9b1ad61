//! Who belongs to a room, as backends say.

use std::sync::Arc;

use super::Chat;
use crate::{
    domain::{RoomId, UserId},
    error::Result,
    ports::{MemberStore, Notice, Peers},
};

/// Member lists.
pub struct Members {
    /// The lists.
    pub store: Arc<dyn MemberStore>,
    /// The rooms, which a removed member leaves.
    pub chat: Arc<Chat>,
    /// The other nodes.
    pub peers: Arc<dyn Peers>,
}

impl Members {
    /// Makes a user a member of a room.
    pub async fn add(&self, room: &RoomId, user: &UserId) -> Result<()> {
        Ok(self.store.add(room, user).await?)
    }

    /// Ends a membership; the user's devices leave the room at once, on all nodes.
    pub async fn remove(&self, room: &RoomId, user: &UserId) -> Result<()> {
        self.store.remove(room, user).await?;
        self.chat.evict(user, room).await;
        let (user, room) = (user.clone(), room.clone());
        self.peers.tell(Notice::Evicted { user, room });
        Ok(())
    }
}
