//! Who may enter a chat room.

use std::sync::Arc;

use crate::{
    domain::{RoomId, User},
    error::{Error, Result},
    ports::{MemberStore, RoomGate},
};

/// The rule that decides, as `rooms.access` names it.
#[derive(Clone)]
pub enum Access {
    /// The token's `rooms`.
    Claims,
    /// The store's member list.
    Members(Arc<dyn MemberStore>),
    /// Any signed-in user.
    Open,
    /// The operator's backend is asked.
    Webhook(Arc<dyn RoomGate>),
}

impl Access {
    /// Whether who joins a room becomes its member, and who leaves it is one no longer: everywhere
    /// but where the member list decides who may join.
    pub fn joining_makes_members(&self) -> bool {
        !matches!(self, Self::Members(_))
    }

    /// Asks again where the answer may have changed since and is at hand.
    pub async fn check_again(&self, user: &User, room: &RoomId) -> Result<()> {
        match self {
            Self::Members(_) => self.check(user, room).await,
            Self::Claims | Self::Open | Self::Webhook(_) => Ok(()),
        }
    }

    /// Fails with `forbidden` when the user may not enter.
    pub async fn check(&self, user: &User, room: &RoomId) -> Result<()> {
        let allowed = match self {
            Self::Claims => user.rooms.allow(room),
            Self::Members(members) => members.contains(room, &user.id).await?,
            Self::Open => true,
            Self::Webhook(gate) => gate.admits(user, room).await,
        };
        if allowed {
            Ok(())
        } else {
            Err(Error::forbidden())
        }
    }
}
