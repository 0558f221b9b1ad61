//! Events that backends send to rooms, users or sockets.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    domain::{Args, Room, SocketId, UserId, check_event_name},
    error::{Error, Result},
    ports::{Class, Emit, Emitter},
};

/// The most rooms, users and sockets that one emit can name.
pub const MAX_TARGETS: usize = 1_000;

/// Rooms by their full name (`room:lobby`), users and sockets by id.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EmitTarget {
    /// Full names of rooms.
    pub rooms: Vec<String>,
    /// Ids of users, all of whose devices are meant.
    #[schema(value_type = Vec<String>)]
    pub users: Vec<UserId>,
    /// Ids of sockets.
    #[schema(value_type = Vec<String>)]
    pub sockets: Vec<SocketId>,
}

impl EmitTarget {
    fn len(&self) -> usize {
        self.rooms.len() + self.users.len() + self.sockets.len()
    }

    fn to_rooms(&self) -> Vec<Room> {
        let rooms = self.rooms.iter().map(|name| Room::named(name.as_str()));
        let users = self.users.iter().map(Room::user);
        let sockets = self.sockets.iter().map(Room::socket);
        rooms.chain(users).chain(sockets).collect()
    }
}

/// An event that a backend wants sent.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmitRequest {
    /// The event's name, 1 to 256 bytes.
    pub event: String,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<Value>,
    /// Who gets it. At least one target is named.
    pub to: EmitTarget,
    /// Who does not get it.
    #[serde(default)]
    pub except: EmitTarget,
    /// The namespace, `/` by default.
    pub namespace: Option<String>,
    /// Only for those who are there: it is not kept for clients whose transport has dropped for a
    /// moment. Whatever this says, such emits go first when a reader is slow.
    #[serde(default)]
    pub volatile: bool,
}

/// Emits of backends.
pub struct Emits {
    /// The way out.
    pub emitter: Arc<dyn Emitter>,
}

impl Emits {
    /// Fails with `invalid_payload` when nobody or too many are named, or when the event's name is
    /// reserved.
    pub fn check(request: &EmitRequest) -> Result<()> {
        check_event_name(&request.event)?;
        if request.to.len() == 0 {
            return Err(Error::invalid_payload("to names nobody"));
        }
        if request.to.len() + request.except.len() > MAX_TARGETS {
            return Err(Error::invalid_payload(format!(
                "to and except name more than {MAX_TARGETS}"
            )));
        }
        Ok(())
    }

    /// Sends the event, to each socket once. Fails as [`Emits::check`] does.
    pub fn emit(&self, request: EmitRequest) -> Result<()> {
        Self::check(&request)?;
        let name = request.event.as_str();
        let (to, except) = (request.to.to_rooms(), request.except.to_rooms());
        let args = Args(request.args);
        let namespace = request.namespace.as_deref().unwrap_or("/");
        let emit = Emit::new(Class::Passing, &to, name, &args).except(&except);
        let emit = emit.in_namespace(namespace);
        self.emitter.emit(if request.volatile {
            emit.volatile()
        } else {
            emit
        });
        Ok(())
    }
}
