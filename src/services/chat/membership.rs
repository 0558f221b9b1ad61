//! Who belongs to a room, whether connected or not, and what they have not read.

use serde::Serialize;

use super::Chat;
use crate::{
    domain::{FeedId, Room, RoomId, User},
    error::Result,
    ports::{Left, Unread},
    services::MAX_ROOMS,
};

/// A room of a user's.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomOverview {
    /// The room.
    #[schema(value_type = String)]
    pub room_id: RoomId,
    /// The newest `seq`, 0 for an empty room.
    pub last_seq: u64,
    /// The user's read cursor, 0 for none.
    pub read_seq: u64,
    /// Messages of others after the cursor.
    pub unread: u64,
}

impl Chat {
    /// The first [`MAX_ROOMS`] of the user's rooms that they may read, and how far they have read each.
    pub async fn rooms_of(&self, user: &User) -> Result<Vec<RoomOverview>> {
        let memberships = self.members.rooms_of(&user.id, MAX_ROOMS).await?;
        let members = memberships.into_iter().filter(|one| one.lost.is_none());
        let rooms: Vec<_> = members.map(|one| one.room).collect();
        let readable = self.access.readable(user, &rooms).await?;
        let rooms = rooms.into_iter().zip(readable);
        let rooms: Vec<_> = rooms
            .filter_map(|(room, may)| may.then_some(room))
            .collect();
        let feeds = rooms.iter().cloned().map(FeedId::Room).collect();
        let read = self.feeds.unread(&user.id, feeds).await?;
        let overview = |(room_id, read): (RoomId, Unread)| RoomOverview {
            room_id,
            last_seq: read.last_seq,
            read_seq: read.read_seq,
            unread: read.count,
        };
        Ok(rooms.into_iter().zip(read).map(overview).collect())
    }

    /// Makes the user a member, where the member list does not decide who may enter.
    pub(super) async fn note_member(&self, user: &User, room: &RoomId) -> Result<()> {
        if self.access.joining_makes_members() && !self.members.contains(room, &user.id).await? {
            self.members.add(room, &user.id).await?;
        }
        Ok(())
    }

    /// Ends the membership of a user who has left, unless another device is in the room, where the
    /// member list does not decide who may enter.
    pub(super) async fn leave_for_good(
        &self,
        user: &User,
        room: &RoomId,
        left: Left,
    ) -> Result<()> {
        if !self.access.joining_makes_members() {
            return Ok(());
        }
        let is_there = match left {
            Left::AnotherDevice => true,
            Left::LastDevice | Left::NotThere => {
                let rooms = self.occupancy.rooms_of(&user.id).await?;
                rooms.contains(&Room::chat(room))
            }
        };
        if !is_there {
            self.members.leave(room, &user.id).await?;
        }
        Ok(())
    }
}
