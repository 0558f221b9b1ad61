//! The HTTP routes: one file a feature; what all of them share has a file each beside them.

mod address;
mod app;
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
mod outside;
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

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{Next, from_fn, from_fn_with_state},
    routing::any,
};
use utoipa_axum::router::OpenApiRouter;

use self::{cors::Origins, identity::Gate};
use crate::{
    config::{Config, ConfigError},
    realtime::engine::Engine,
};

pub use app::{App, Parts};
pub use limits::Requests;
pub use ops::{Readiness, RedisProbe};
pub use outside::Outside;

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
        // Of these the first is outermost. Each call of `layer` would cost a request two boxes.
        .layer((
            from_fn(async |request, next| to_end::run(measure::measure(request, next)).await),
            DefaultBodyLimit::max(app.config.limits.payload_bytes),
            openapi::Document::layer(&document),
        ))
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
    let caught = async |request, next: Next| problem::caught(next.run(request)).await;
    problem::complete(router).layer(from_fn(caught))
}

/// Puts the Socket.IO endpoint and the stock client's files beside the routes, and around all of
/// them the check of a WebSocket's `Origin`, CORS, and the client's address. Outside of what the
/// routes have around them: a poll whose client hangs up ends with it.
pub fn outside(router: Router, engine: Engine, config: &Config) -> Result<Outside, ConfigError> {
    let endpoint = any(move |request| async move { engine.serve(request).await });
    let client_files =
        client_files::routes().method_not_allowed_fallback(problem::method_not_allowed);
    let router = router
        .route("/socket.io", endpoint.clone())
        .route("/socket.io/", endpoint)
        .merge(client_files);
    let origins = Origins::new(&config.server.allowed_origins);
    let proxies = config.server.proxies()?.into();
    Ok(Outside::new(router, origins, proxies))
}
