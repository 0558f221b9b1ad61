//! The messages of a room, page by page.

use std::sync::Arc;

use axum::{Json, extract::State, response::Response};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    identity::{Reader, SignedIn},
    json,
    openapi::{BadRequest, Denied, Unavailable, Unknown},
    page::Range,
    params::{Path, Query},
};
use crate::{
    domain::{MessagePage, RoomId},
    error::Result,
    services::{RoomOverview, Services},
};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(rooms))
        .routes(routes!(messages))
}

/// The caller's rooms.
#[derive(Serialize, utoipa::ToSchema)]
struct Rooms {
    rooms: Vec<RoomOverview>,
}

/// The rooms of which the caller is a member, and how much of each is unread.
#[utoipa::path(
    get,
    path = "/api/rooms",
    tag = "rooms",
    responses(
        (status = 200, description = "The rooms.", body = Rooms),
        Unknown, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn rooms(State(services): State<Arc<Services>>, reader: Reader) -> Result<Json<Rooms>> {
    let rooms = services.chat.rooms_of(&reader.0).await?;
    Ok(Json(Rooms { rooms }))
}

/// A page of a room's messages, in ascending `seq`; the newest ones unless `after` or `before` is
/// given. Binary in an attachment is `{"base64": …}`.
#[utoipa::path(
    get,
    path = "/api/rooms/{roomId}/messages",
    tag = "rooms",
    params(("roomId" = String, Path, description = "The room"), Range),
    responses(
        (status = 200, description = "The page.", body = MessagePage),
        Unknown, Denied, BadRequest, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn messages(
    State(services): State<Arc<Services>>,
    caller: SignedIn,
    Path(room): Path<RoomId>,
    Query(range): Query<Range>,
) -> Result<Response> {
    let (from, limit) = (range.cursor()?, range.limit()?);
    let page = match caller {
        SignedIn::User(user) => services.chat.page(&user, room, from, limit).await?,
        SignedIn::Service => services.chat.page_for_service(room, from, limit).await?,
    };
    json::respond(&page)
}
