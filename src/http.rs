//! The HTTP routes: one file a feature; what all of them share has a file each beside them.

mod address;
mod body;
mod channels;
mod chat;
pub mod client_files;
mod cors;
pub mod demo;
mod embedded;
mod emits;
mod idempotency;
mod identity;
mod inventory;
mod json;
mod limits;
mod measure;
mod members;
mod notifications;
mod openapi;
mod ops;
mod orders;
mod page;
mod params;
mod payments;
mod presence;
mod problem;
mod push;
mod sessions;
mod sse;
mod sync;
mod to_end;
mod tracking;
mod unread;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    middleware::{from_fn, from_fn_with_state},
    routing::any,
};
use metrics_exporter_prometheus::PrometheusHandle;
use utoipa_axum::router::OpenApiRouter;

use self::{address::Proxies, cors::Origins, demo::SampleUser, identity::Gate};
use crate::{
    auth::Auth,
    config::{Config, ConfigError},
    realtime::{engine::Engine, streams::StreamHub},
    services::Services,
};

pub use limits::Requests;
pub use ops::{Readiness, RedisProbe};

/// What the routes work with.
#[derive(Clone, FromRef)]
pub struct App {
    /// What the server does.
    pub services: Arc<Services>,
    /// Who may call.
    pub auth: Auth,
    /// How often they may.
    pub requests: Arc<Requests>,
    /// The configuration.
    pub config: Arc<Config>,
    /// Whether clients should be sent here.
    pub readiness: Readiness,
    /// The metrics.
    pub metrics: PrometheusHandle,
    /// Event streams.
    pub streams: Arc<StreamHub>,
    /// Whom the demo can sign in.
    pub sample_users: Vec<SampleUser>,
}

/// Every route but those of clients' sockets, which [`outside`] adds.
pub fn router(app: &App) -> Router {
    let gate = Gate::new(app.auth.clone(), app.requests.clone());
    let streams = from_fn_with_state(gate.for_streams(), identity::identify);
    let api = api()
        .route_layer(from_fn_with_state(gate, identity::identify))
        .merge(sse::routes().route_layer(streams));
    let (router, document) = api.merge(ops::routes()).split_for_parts();
    let router = router.with_state(app.clone());
    let router = if app.config.server.demo {
        router.merge(demo::routes(app.sample_users.clone()))
    } else {
        router
    };
    problem::complete(router)
        .layer(openapi::Document::layer(&document))
        .layer(DefaultBodyLimit::max(app.config.limits.payload_bytes))
        .layer(problem::catch_panics())
        .layer(from_fn(to_end::run))
        .layer(from_fn(measure::measure))
}

/// What passes the gate: clients and backends call it.
fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::document())
        .merge(payments::routes())
        .merge(tracking::routes())
        .merge(inventory::routes())
        .merge(emits::routes())
        .merge(chat::routes())
        .merge(members::routes())
        .merge(presence::routes())
        .merge(push::routes())
        .merge(notifications::routes())
        .merge(orders::routes())
        .merge(channels::routes())
        .merge(sync::routes())
        .merge(sessions::routes())
        .merge(openapi::routes())
}

/// Health and metrics alone, for the listener of operators.
pub fn ops_router(app: &App) -> Router {
    let router = ops::private_routes().with_state(app.clone());
    problem::complete(router).layer(problem::catch_panics())
}

/// Puts the Socket.IO endpoint and the stock client's files beside the routes, and around all of
/// them the check of a WebSocket's `Origin`, CORS, and the client's address. Outside of what the
/// routes have around them: a poll whose client hangs up ends with it.
pub fn outside(router: Router, engine: Engine, config: &Config) -> Result<Router, ConfigError> {
    let origins = Origins::new(&config.server.allowed_origins);
    let proxies: Proxies = config.server.proxies()?.into();
    let endpoint = any(move |request| async move { engine.serve(request).await });
    let client_files =
        client_files::routes().method_not_allowed_fallback(problem::method_not_allowed);
    let router = router
        .route("/socket.io", endpoint.clone())
        .route("/socket.io/", endpoint)
        .merge(client_files)
        .layer(from_fn_with_state(
            origins.clone(),
            cors::check_upgrade_origin,
        ))
        .layer(cors::layer(origins))
        .layer(from_fn_with_state(proxies, address::note))
        .layer(from_fn(unread::finish));
    Ok(router)
}
