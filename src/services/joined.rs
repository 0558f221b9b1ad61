//! The rule that one speaks only in a room that one has joined.

use crate::{
    domain::{Room, RoomId, SocketId},
    error::{Code, Error, Result},
    ports::Sockets,
};

/// Fails with `not_in_room` unless the socket has joined the chat room.
pub fn check_joined(sockets: &dyn Sockets, socket: &SocketId, room: &RoomId) -> Result<()> {
    if sockets.is_in(socket, &Room::chat(room)) {
        Ok(())
    } else {
        Err(Error::new(Code::NotInRoom, "Join the room first"))
    }
}
