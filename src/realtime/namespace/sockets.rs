//! The hub as services see it: who is connected and which rooms they are in.

use std::sync::Arc;

use super::hub::Hub;
use crate::{
    domain::{Identity, Room, SocketId, User, UserId},
    error::Result,
    ports::{DisconnectReason, Joined, Left, Sockets, ValueOf},
};

impl Sockets for Hub {
    fn join(&self, socket: &SocketId, room: &Room) -> Result<Joined> {
        self.root.join(socket, room)
    }

    fn watch(&self, socket: &SocketId, room: &Room, of: ValueOf<'_>) -> Result<Joined> {
        self.root.watch(socket, room, of)
    }

    fn leave(&self, socket: &SocketId, room: &Room) -> Left {
        self.root.leave(socket, room)
    }

    fn evict(&self, user: &UserId, room: &Room) -> bool {
        let devices = self.root.rooms().devices(user);
        let left = devices
            .iter()
            .map(|device| self.root.leave(device.id(), room));
        left.filter(|left| *left == Left::LastDevice).count() > 0
    }

    fn is_in(&self, socket: &SocketId, room: &Room) -> bool {
        self.root.rooms().is_in(socket, room)
    }

    fn is_user_in(&self, user: &UserId, room: &Room) -> bool {
        self.root.rooms().is_user_in(user, room)
    }

    fn is_anyone_in(&self, room: &Room) -> bool {
        self.root.rooms().is_anyone_in(room)
    }

    fn users_in(&self, room: &Room) -> Vec<UserId> {
        self.root.rooms().users_in(room)
    }

    fn chat_rooms_of(&self, user: &UserId) -> Vec<Room> {
        let devices = self.root.rooms().devices(user);
        let rooms = devices
            .iter()
            .flat_map(|d| self.root.rooms().rooms_of(d.id()));
        let mut rooms: Vec<_> = rooms.filter(|room| room.chat_id().is_some()).collect();
        rooms.sort();
        rooms.dedup();
        rooms
    }

    fn rooms_with(&self, prefix: &str) -> Vec<Room> {
        self.root.rooms().with_prefix(prefix)
    }

    fn identity(&self, socket: &SocketId) -> Option<Identity> {
        let session = self.root.rooms().get(socket)?;
        (!session.is_gone()).then(|| session.identity())
    }

    fn renew(&self, socket: &SocketId, user: &Arc<User>) {
        let Some(session) = self.root.rooms().get(socket) else {
            return;
        };
        for context in session.client().contexts() {
            let session = &context.session;
            if session.user_id() == Some(&user.id) {
                session.renew(user.clone());
                context.namespace().watch_token(session);
            }
        }
    }

    fn name_of(&self, user: &UserId) -> Option<Arc<str>> {
        let devices = self.root.rooms().devices(user);
        let identity = devices.first()?.identity();
        Some(identity.user().ok()?.name.clone())
    }

    fn devices_of(&self, user: &UserId) -> Vec<SocketId> {
        let devices = self.root.rooms().devices(user);
        let there = devices.iter().filter(|device| !device.is_gone());
        there.map(|device| device.id().clone()).collect()
    }

    fn is_connected(&self, user: &UserId) -> bool {
        !self.devices_of(user).is_empty()
    }

    fn disconnect(&self, which: &dyn Fn(&Identity) -> bool, reason: DisconnectReason) {
        for namespace in self.namespaces.values() {
            for session in namespace.rooms().all() {
                if which(&session.identity()) {
                    namespace.disconnect(&session, reason);
                }
            }
            namespace.rooms().forget_lost(which);
        }
    }
}
