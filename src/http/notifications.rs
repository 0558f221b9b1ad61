//! Notifications: posted by backends, read by their users.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    body::Body,
    idempotency::{IdempotencyKey, Stored},
    identity::{Reader, ServiceCaller},
    json,
    openapi::{BadBody, BadRequest, Denied, KeyReused, Unavailable, Unknown},
    page::Range,
    params::Query,
};
use crate::{
    domain::Verdict,
    error::Result,
    services::{Listed, Services},
};

/// A page of notifications.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct NotificationPage {
    /// What was posted, with `id`, `seq`, `event` and `createdAt`.
    #[schema(value_type = Vec<Object>)]
    notifications: Vec<Listed>,
    has_more: bool,
    verdict: Verdict,
}

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(post, list))
}

/// Stores a notification for a user, an object with `userId` and, if it is not to be
/// `notification`, the name of its `event`. The user's sockets and streams get it with its `id`.
#[utoipa::path(
    post,
    path = "/api/notifications",
    operation_id = "post_notification",
    tag = "notifications",
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats store nothing")),
    request_body = Object,
    responses(
        (status = 201, description = "It is stored.", body = Stored),
        Unknown, Denied, BadBody, KeyReused, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn post(
    State(services): State<Arc<Services>>,
    _: ServiceCaller,
    IdempotencyKey(key): IdempotencyKey,
    Body(body): Body<Map<String, Value>>,
) -> Result<(StatusCode, Json<Stored>)> {
    let id = services.notifications.post(body, key).await?;
    Ok((StatusCode::CREATED, Json(Stored { id })))
}

/// A page of the caller's notifications and outcomes of payments, in ascending `seq`; the newest
/// ones unless `after` or `before` is given.
#[utoipa::path(
    get,
    path = "/api/notifications",
    operation_id = "list_notifications",
    tag = "notifications",
    params(Range),
    responses(
        (status = 200, description = "The page.", body = NotificationPage),
        Unknown, BadRequest, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn list(
    State(services): State<Arc<Services>>,
    Reader(user): Reader,
    Query(range): Query<Range>,
) -> Result<Response> {
    let (from, limit) = (range.cursor()?, range.limit()?);
    let page = services.notifications.page(&user.id, from, limit).await?;
    json::respond(&NotificationPage {
        notifications: page.items,
        has_more: page.has_more,
        verdict: page.verdict,
    })
}
