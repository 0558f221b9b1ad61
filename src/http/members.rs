//! Who belongs to a room.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    identity::ServiceCaller,
    openapi::{BadRequest, Denied, Unavailable, Unknown},
    params::Path,
};
use crate::{
    domain::{RoomId, UserId},
    error::Result,
    services::Services,
};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(add, remove))
}

/// Makes a user a member of a room.
#[utoipa::path(
    put,
    path = "/api/rooms/{roomId}/members/{userId}",
    operation_id = "add_member",
    tag = "rooms",
    params(
        ("roomId" = String, Path, description = "The room"),
        ("userId" = String, Path, description = "The user"),
    ),
    responses(
        (status = 204, description = "The user is a member."),
        Unknown, Denied, BadRequest, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn add(
    State(services): State<Arc<Services>>,
    _: ServiceCaller,
    Path((room, user)): Path<(RoomId, UserId)>,
) -> Result<StatusCode> {
    services.members.add(&room, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a membership. The user's devices leave the room at once.
#[utoipa::path(
    delete,
    path = "/api/rooms/{roomId}/members/{userId}",
    operation_id = "remove_member",
    tag = "rooms",
    params(
        ("roomId" = String, Path, description = "The room"),
        ("userId" = String, Path, description = "The user"),
    ),
    responses(
        (status = 204, description = "The user is not a member."),
        Unknown, Denied, BadRequest, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn remove(
    State(services): State<Arc<Services>>,
    _: ServiceCaller,
    Path((room, user)): Path<(RoomId, UserId)>,
) -> Result<StatusCode> {
    services.members.remove(&room, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}
