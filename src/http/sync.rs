//! `GET /api/sync`: what the caller missed.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    identity::Reader,
    json,
    openapi::{BadRequest, Unavailable, Unknown},
    params::Query,
};
use crate::{
    error::Result,
    services::{Services, Sync},
};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Since {
    /// The `cursor` of an earlier answer, or an ISO 8601 time; from the beginning unless given.
    since: Option<String>,
}

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(sync))
}

/// A page of what came since: `messages` of the caller's rooms, `directMessages`, `notifications`,
/// `orders` of a vendor, `presenceUpdates`; `cursor` to go on from, `hasMore`, and `verdict`.
#[utoipa::path(
    get,
    path = "/api/sync",
    tag = "sync",
    params(Since),
    responses(
        (status = 200, description = "The page.", body = Object),
        Unknown, BadRequest, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn sync(
    State(services): State<Arc<Services>>,
    Reader(user): Reader,
    Query(Since { since }): Query<Since>,
) -> Result<Response> {
    let known = Sync::known(since.as_deref().unwrap_or_default())?;
    json::respond(&services.sync.since(&user, known).await?)
}
