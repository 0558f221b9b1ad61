//! Ending sessions and revoking tokens.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    body::Body,
    identity::ServiceCaller,
    openapi::{BadBody, BadRequest, Denied, NotFound, Unavailable, Unknown},
    params::Path,
};
use crate::{
    domain::UserId,
    error::Result,
    services::{RevokeRequest, Services},
};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(end))
        .routes(routes!(revoke))
}

/// Disconnects every device of a user. Their tokens stay valid.
#[utoipa::path(
    delete,
    path = "/api/users/{userId}/sessions",
    operation_id = "end_sessions",
    tag = "sessions",
    params(("userId" = String, Path, description = "The user")),
    responses(
        (status = 204, description = "No device is connected."),
        Unknown, Denied, BadRequest,
    ),
    security(("bearer" = [])),
)]
async fn end(
    State(services): State<Arc<Services>>,
    _: ServiceCaller,
    Path(user): Path<UserId>,
) -> StatusCode {
    services.sessions.end(&user);
    StatusCode::NO_CONTENT
}

/// Refuses a token, or all that a user has so far, and disconnects who came with them.
#[utoipa::path(
    post,
    path = "/api/tokens/revoke",
    operation_id = "revoke_token",
    tag = "sessions",
    request_body = RevokeRequest,
    responses(
        (status = 204, description = "The tokens are refused from now on."),
        Unknown, Denied, BadBody, NotFound, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn revoke(
    State(services): State<Arc<Services>>,
    _: ServiceCaller,
    Body(request): Body<RevokeRequest>,
) -> Result<StatusCode> {
    services.sessions.revoke(request).await?;
    Ok(StatusCode::NO_CONTENT)
}
