//! Who is typing in which room, for as long as they go on.

use std::{sync::Arc, time::Duration};

use serde::Serialize;

use super::{deadlines::Deadlines, joined::check_joined};
use crate::{
    domain::{Room, RoomId, SocketId, User, UserId},
    error::Result,
    ports::{Class, Emit, Emitter, Sockets},
};

const EVENT: &str = "typing:user";

/// Typing indicators.
pub struct Typing {
    emitter: Arc<dyn Emitter>,
    sockets: Arc<dyn Sockets>,
    timeout: Duration,
    typing: Deadlines<(RoomId, UserId), Typist>,
}

/// The device that types.
struct Typist {
    socket: SocketId,
    name: Arc<str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TypingUser<'a> {
    user_id: &'a UserId,
    username: &'a str,
    typing: bool,
    room_id: &'a RoomId,
}

impl Typing {
    /// `timeout`: how long typing lasts without a repeat.
    pub fn new(emitter: Arc<dyn Emitter>, sockets: Arc<dyn Sockets>, timeout: Duration) -> Self {
        Self {
            emitter,
            sockets,
            timeout,
            typing: Deadlines::new(),
        }
    }

    /// The user types in the room; told to the others at each repeat. Fails with `not_in_room`.
    pub fn start(&self, socket: &SocketId, user: &User, room: &RoomId) -> Result<()> {
        check_joined(&*self.sockets, socket, room)?;
        let typist = Typist {
            socket: socket.clone(),
            name: user.name.clone(),
        };
        let key = (room.clone(), user.id.clone());
        self.typing.set(key, typist, self.timeout);
        self.tell(room, &user.id, &user.name, true);
        Ok(())
    }

    /// The user stops. Nothing happens if they were not typing. Fails with `not_in_room`.
    pub fn stop(&self, socket: &SocketId, user: &User, room: &RoomId) -> Result<()> {
        check_joined(&*self.sockets, socket, room)?;
        if self
            .typing
            .cancel(&(room.clone(), user.id.clone()))
            .is_some()
        {
            self.tell(room, &user.id, &user.name, false);
        }
        Ok(())
    }

    /// The device sent its message or left the room.
    pub fn ended(&self, socket: &SocketId, user: &User, room: &RoomId) {
        let key = (room.clone(), user.id.clone());
        let typed = self
            .typing
            .cancel_if(&key, |typist| typist.socket == *socket);
        if typed.is_some() {
            self.tell(room, &user.id, &user.name, false);
        }
    }

    /// Ends typing that is not repeated, for ever.
    pub async fn run(&self) {
        loop {
            let (key, typist) = self.typing.next().await;
            // A repeat may have come just then.
            if self.typing.is_live(&key) {
                continue;
            }
            let (room, user) = key;
            self.tell(&room, &user, &typist.name, false);
        }
    }

    fn tell(&self, room_id: &RoomId, user_id: &UserId, username: &str, typing: bool) {
        let payload = TypingUser {
            user_id,
            username,
            typing,
            room_id,
        };
        let (to, own) = ([Room::chat(room_id)], [Room::user(user_id)]);
        self.emitter
            .emit(Emit::new(Class::Passing, &to, EVENT, &payload).except(&own));
    }
}
