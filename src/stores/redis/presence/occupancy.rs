//! Which users are in which rooms in the cluster.

use async_trait::async_trait;
use fred::interfaces::{HashesInterface, SetsInterface};

use super::{
    super::{
        failed,
        mirror::{Link, Stale},
        scripts::SCRIPTS,
    },
    RedisPresence, Unwritten,
};
use crate::{
    domain::{Room, UserId},
    ports::{Occupancy, RoomState, StoreError, StoreResult},
};

#[async_trait]
impl Occupancy for RedisPresence {
    async fn entered(&self, room: &Room, user: &UserId, name: &str) -> StoreResult<bool> {
        let instance = {
            let mut mirror = self.0.mirror.lock();
            if !mirror.rooms.enter(room, user, name) {
                return Ok(false);
            }
            match mirror.note(Stale::Pair(room.clone(), user.clone())) {
                Some(instance) => instance,
                None => return Ok(is_told_here(&mirror.link)),
            }
        };
        let args = [room.as_str(), user.as_str(), name];
        match self.write(&instance, &SCRIPTS.enter, &args).await {
            Ok(reply) => {
                self.0.mirror.lock().rooms.tell(room, user);
                Ok(reply.first().is_some_and(|reply| reply == "first"))
            }
            Err(Unwritten::Lost) => Ok(false),
            Err(Unwritten::Failed) => Ok(true),
        }
    }

    async fn left(&self, room: &Room, user: &UserId) -> StoreResult<bool> {
        let instance = {
            let mut mirror = self.0.mirror.lock();
            if !mirror.rooms.leave(room, user) {
                return Ok(false);
            }
            match mirror.note(Stale::Pair(room.clone(), user.clone())) {
                Some(instance) => instance,
                None => return Ok(is_told_here(&mirror.link)),
            }
        };
        let args = [room.as_str(), user.as_str()];
        match self.write(&instance, &SCRIPTS.leave, &args).await {
            Ok(reply) => Ok(reply.first().is_some_and(|reply| reply == "last")),
            Err(Unwritten::Lost) => Ok(false),
            Err(Unwritten::Failed) => Ok(true),
        }
    }

    async fn state_of(&self, room: &Room) -> StoreResult<RoomState> {
        let ask = SCRIPTS.occupied.run(&self.0.redis, vec![room.to_string()]);
        let reply = self.read(ask).await.ok_or(StoreError)?;
        let [is_occupied, version] = reply.as_slice() else {
            return Err(StoreError);
        };
        Ok(RoomState {
            is_occupied: is_occupied == "yes",
            version: version.parse().map_err(|_| StoreError)?,
        })
    }

    async fn users_in(&self, room: &Room) -> StoreResult<Vec<UserId>> {
        let client = self.0.redis.client();
        let key = self.0.redis.key(&format!("in:{room}"));
        let ask = async { client.hkeys(key).await.map_err(failed("hkeys")) };
        let Some(users): Option<Vec<String>> = self.read(ask).await else {
            return Ok(self.0.mirror.lock().rooms.users_in(room));
        };
        let mut users: Vec<_> = users.into_iter().flat_map(UserId::new).collect();
        users.sort();
        Ok(users)
    }

    async fn rooms_of(&self, user: &UserId) -> StoreResult<Vec<Room>> {
        let client = self.0.redis.client();
        let key = self.0.redis.key(&format!("rooms:{user}"));
        let ask = async { client.smembers(key).await.map_err(failed("smembers")) };
        let Some(rooms): Option<Vec<String>> = self.read(ask).await else {
            return Ok(self.0.mirror.lock().rooms.rooms_of(user));
        };
        let mut rooms: Vec<_> = rooms.into_iter().map(Room::named).collect();
        rooms.sort();
        Ok(rooms)
    }
}

/// Whether the node tells its own clients at once, as Redis is away. Otherwise what came of it is
/// told when it is registered.
fn is_told_here(link: &Link) -> bool {
    matches!(link, Link::Away | Link::Retired)
}
