//! Offline push: browsers that take it, and pushes that were given up.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    body::Body,
    identity::{Caller, ServiceCaller},
    openapi::{BadBody, BadRequest, Denied, NotFound, TooFast, Unavailable, Unknown},
    params::{Path, Query},
};
use crate::{
    domain::{BrowserSubscription, DeadLetter, DeliveryId, SubscriptionId},
    error::{Error, Result},
    services::Services,
};

/// How many dead letters are listed unless the caller says otherwise.
const DEFAULT_LETTERS: usize = 50;

/// The most dead letters in one answer.
const MAX_LETTERS: usize = 1_000;

/// What a browser subscribes with.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PublicKey {
    /// The `applicationServerKey`, in base64url.
    public_key: String,
}

/// A registered browser.
#[derive(Serialize, ToSchema)]
struct Registered {
    /// Its id.
    #[schema(value_type = String)]
    id: SubscriptionId,
}

/// A browser that is to be forgotten.
#[derive(Deserialize, ToSchema)]
struct Endpoint {
    /// The address at the browser's push service.
    endpoint: String,
}

/// Pushes that were given up, the newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DeadLetters {
    dead_letters: Vec<DeadLetter>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Most {
    /// The most dead letters in the answer, 1 to 1000.
    #[param(default = 50, minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(public_key))
        .routes(routes!(subscribe, unsubscribe))
        .routes(routes!(dead_letters))
        .routes(routes!(retry))
}

/// The key with which browsers subscribe (`applicationServerKey`).
#[utoipa::path(
    get,
    path = "/api/push/public-key",
    operation_id = "push_public_key",
    tag = "push",
    responses((status = 200, description = "The key.", body = PublicKey), NotFound, TooFast),
)]
async fn public_key(State(services): State<Arc<Services>>) -> Result<Json<PublicKey>> {
    let public_key = services.push.public_key()?.to_owned();
    Ok(Json(PublicKey { public_key }))
}

/// Registers the caller's browser for what happens while they have no device online. The body is
/// what `PushSubscription.toJSON()` gives. The same endpoint again replaces what was known of it,
/// and makes it the caller's.
#[utoipa::path(
    post,
    path = "/api/push/subscriptions",
    operation_id = "push_subscribe",
    tag = "push",
    request_body = BrowserSubscription,
    responses(
        (status = 201, description = "The browser is registered.", body = Registered),
        Unknown, BadBody, NotFound, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn subscribe(
    State(services): State<Arc<Services>>,
    Caller(caller): Caller,
    Body(given): Body<BrowserSubscription>,
) -> Result<(StatusCode, Json<Registered>)> {
    let id = services.push.subscribe(&caller.user()?.id, &given).await?;
    Ok((StatusCode::CREATED, Json(Registered { id })))
}

/// Forgets the caller's browser. Nothing happens when it is not theirs.
#[utoipa::path(
    delete,
    path = "/api/push/subscriptions",
    operation_id = "push_unsubscribe",
    tag = "push",
    request_body = Endpoint,
    responses(
        (status = 204, description = "The caller has no such browser."),
        Unknown, BadBody, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn unsubscribe(
    State(services): State<Arc<Services>>,
    Caller(caller): Caller,
    Body(Endpoint { endpoint }): Body<Endpoint>,
) -> Result<StatusCode> {
    let user = caller.user()?;
    services.push.unsubscribe(&user.id, &endpoint).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Pushes that were tried as often as configured and are not tried any more.
#[utoipa::path(
    get,
    path = "/api/push/dead-letters",
    operation_id = "push_dead_letters",
    tag = "push",
    params(Most),
    responses(
        (status = 200, description = "The newest ones.", body = DeadLetters),
        Unknown, Denied, BadRequest, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn dead_letters(
    State(services): State<Arc<Services>>,
    _: ServiceCaller,
    Query(Most { limit }): Query<Most>,
) -> Result<Json<DeadLetters>> {
    let limit = limit.unwrap_or(DEFAULT_LETTERS);
    if !(1..=MAX_LETTERS).contains(&limit) {
        return Err(Error::invalid_payload(format!(
            "limit must be between 1 and {MAX_LETTERS}"
        )));
    }
    let dead_letters = services.push.dead_letters(limit).await?;
    Ok(Json(DeadLetters { dead_letters }))
}

/// Sends a push again that was given up.
#[utoipa::path(
    post,
    path = "/api/push/dead-letters/{id}/retry",
    operation_id = "push_retry",
    tag = "push",
    params(("id" = String, Path, description = "The dead letter")),
    responses(
        (status = 204, description = "It is on its way."),
        Unknown, Denied, BadRequest, NotFound, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn retry(
    State(services): State<Arc<Services>>,
    _: ServiceCaller,
    Path(id): Path<DeliveryId>,
) -> Result<StatusCode> {
    services.push.retry(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
