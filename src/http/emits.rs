//! Events that backends send.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    body::Body,
    identity::ServiceCaller,
    openapi::{BadBody, Denied, Unknown},
};
use crate::{
    error::Result,
    services::{EmitRequest, Services},
};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(emit))
}

/// Sends an event to rooms, users or sockets, to each socket once. Nothing is kept for those who
/// are not connected.
#[utoipa::path(
    post,
    path = "/api/emit",
    tag = "events",
    request_body = EmitRequest,
    responses((status = 202, description = "The event is on its way."), Unknown, Denied, BadBody),
    security(("bearer" = [])),
)]
async fn emit(
    State(services): State<Arc<Services>>,
    _: ServiceCaller,
    Body(request): Body<EmitRequest>,
) -> Result<StatusCode> {
    services.emits.emit(request)?;
    Ok(StatusCode::ACCEPTED)
}
