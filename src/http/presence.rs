//! Who is there.

use std::{collections::HashMap, sync::Arc};

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    identity::SignedIn,
    openapi::{BadRequest, Denied, Unavailable, Unknown},
    params::{Path, Query},
};
use crate::{
    domain::{Presence, Room, RoomId, UserId},
    error::{Error, Result},
    services::Services,
};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The ids of the users, at most 100, with commas in between.
    users: String,
}

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(in_room))
        .routes(routes!(of_users))
}

/// The presence of the users in a room, by user id.
#[utoipa::path(
    get,
    path = "/api/rooms/{roomId}/presence",
    operation_id = "room_presence",
    tag = "presence",
    params(("roomId" = String, Path, description = "The room")),
    responses(
        (status = 200, description = "Those in the room.", body = HashMap<String, Presence>),
        Unknown, Denied, BadRequest, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn in_room(
    State(services): State<Arc<Services>>,
    caller: SignedIn,
    Path(room): Path<RoomId>,
) -> Result<Json<HashMap<UserId, Presence>>> {
    if let SignedIn::User(user) = caller {
        services.chat.access.check(&user, &room).await?;
    }
    let room = Room::chat(&room);
    services.presence.in_room(&room).await.map(Json)
}

/// The presence of up to 100 users, by user id.
#[utoipa::path(
    get,
    path = "/api/presence",
    operation_id = "presence",
    tag = "presence",
    params(Asked),
    responses(
        (status = 200, description = "Each of them.", body = HashMap<String, Presence>),
        Unknown, BadRequest, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn of_users(
    State(services): State<Arc<Services>>,
    _: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Json<HashMap<UserId, Presence>>> {
    let users = asked.users.split(',').map(UserId::new);
    let users = users
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::invalid_payload(format!("users: each id {error}")))?;
    services.presence.get(&users).await.map(Json)
}
