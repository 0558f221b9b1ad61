//! Who may enter a chat room.

use std::{sync::Arc, time::Duration};

use futures::{
    FutureExt,
    future::BoxFuture,
    stream::{self, StreamExt, TryStreamExt},
};
use tokio::time::timeout;

use crate::{
    domain::{RoomId, User},
    error::{Code, Error, Result},
    ports::{GateSilent, MemberStore, RoomGate},
};

/// How many rooms a backend is asked about at the same time.
const ASKED_AT_ONCE: usize = 16;

/// How long it may take to find out which rooms a user may read.
const PATIENCE: Duration = Duration::from_secs(10);

fn unavailable() -> Error {
    Error::new(
        Code::RoomsUnavailable,
        "It cannot be found out now which rooms may be read",
    )
}

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

    /// Fails with `forbidden` when the user may not enter. A backend that does not answer refuses.
    pub async fn check(&self, user: &User, room: &RoomId) -> Result<()> {
        match self.may_enter(user, room).await {
            Ok(true) => Ok(()),
            Err(error) if error.code() != Code::RoomsUnavailable => Err(error),
            Ok(false) | Err(_) => Err(Error::forbidden()),
        }
    }

    /// Which of their rooms a member may read now. Fails with `rooms_unavailable` when that cannot
    /// be found out: a room must not seem lost because a backend is away for a moment.
    pub async fn readable(&self, user: &User, rooms: &[RoomId]) -> Result<Vec<bool>> {
        if let Self::Members(_) = self {
            return Ok(vec![true; rooms.len()]);
        }
        let questions: Vec<BoxFuture<'_, Result<bool>>> = rooms
            .iter()
            .map(|room| self.may_enter(user, room).boxed())
            .collect();
        let asking = stream::iter(questions)
            .buffered(ASKED_AT_ONCE)
            .try_collect();
        timeout(PATIENCE, asking).await.map_err(|_| unavailable())?
    }

    async fn may_enter(&self, user: &User, room: &RoomId) -> Result<bool> {
        Ok(match self {
            Self::Claims => user.rooms.allow(room),
            Self::Members(members) => members.contains(room, &user.id).await?,
            Self::Open => true,
            Self::Webhook(gate) => gate
                .admits(user, room)
                .await
                .map_err(|GateSilent| unavailable())?,
        })
    }
}
