//! Channels: values that backends publish.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    body::Body,
    idempotency::{IdempotencyKey, Stored},
    identity::{ServiceCaller, SignedIn},
    json,
    openapi::{BadBody, BadRequest, Denied, KeyReused, Unavailable, Unknown},
    page::Range,
    params::{Path, Query},
};
use crate::{
    domain::{ChannelId, Object as JsonObject, Verdict},
    error::Result,
    services::{Listed, Publication, Services},
};

/// A page of what a channel has carried.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct UpdatePage {
    /// `id`, `seq`, `event`, `createdAt` and `data`.
    #[schema(value_type = Vec<Object>)]
    updates: Vec<Listed>,
    has_more: bool,
    verdict: Verdict,
}

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(publish, list))
}

/// Publishes a value. The channel's streams get it as `update`, or as the event that is named.
#[utoipa::path(
    post,
    path = "/api/channels/{channel}",
    tag = "channels",
    params(
        ("channel" = String, Path, description = "The channel"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats publish nothing"),
    ),
    request_body = Publication,
    responses(
        (status = 202, description = "It is on its way.", body = Stored),
        Unknown, Denied, BadBody, KeyReused, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn publish(
    State(services): State<Arc<Services>>,
    _: ServiceCaller,
    Path(channel): Path<ChannelId>,
    IdempotencyKey(key): IdempotencyKey,
    Body(JsonObject(publication)): Body<JsonObject<Publication>>,
) -> Result<(StatusCode, Json<Stored>)> {
    let id = services.channels.publish(channel, publication, key).await?;
    Ok((StatusCode::ACCEPTED, Json(Stored { id })))
}

/// A page of what was published, in ascending `seq`; the newest unless `after` or `before` is
/// given.
#[utoipa::path(
    get,
    path = "/api/channels/{channel}",
    operation_id = "list_updates",
    tag = "channels",
    params(("channel" = String, Path, description = "The channel"), Range),
    responses(
        (status = 200, description = "The page.", body = UpdatePage),
        Unknown, Denied, BadRequest, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn list(
    State(services): State<Arc<Services>>,
    _: SignedIn,
    Path(channel): Path<ChannelId>,
    Query(range): Query<Range>,
) -> Result<Response> {
    let (from, limit) = (range.cursor()?, range.limit()?);
    let page = services.channels.page(&channel, from, limit).await?;
    json::respond(&UpdatePage {
        updates: page.items,
        has_more: page.has_more,
        verdict: page.verdict,
    })
}
