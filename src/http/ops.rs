//! Health and metrics.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Extension, Json, Router,
    extract::{ConnectInfo, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{App, problem};
use crate::{
    config::Config,
    error::{Code, Error, Result},
};

/// The format of Prometheus' text.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Headers that proxies add: who sends one is not a direct caller.
const FORWARDED: [&str; 2] = ["forwarded", "x-forwarded-for"];

/// Something that is asked by each probe, so it must not wait.
pub type Probe = Arc<dyn Fn() -> bool + Send + Sync>;

/// Whether clients should be sent here. Cheap to clone; clones share their state.
#[derive(Clone)]
pub struct Readiness {
    draining: Arc<AtomicBool>,
    store_is_healthy: Probe,
    redis: Option<RedisProbe>,
}

/// Whether other nodes can be reached.
#[derive(Clone)]
pub struct RedisProbe {
    /// Whether they can.
    pub is_up: Probe,
    /// Whether this node is not ready where they cannot.
    pub is_required: bool,
}

impl Readiness {
    /// `store_is_healthy`: whether the store can be used; `redis`: where there may be other nodes.
    pub fn new(store_is_healthy: Probe, redis: Option<RedisProbe>) -> Self {
        Self {
            draining: Arc::default(),
            store_is_healthy,
            redis,
        }
    }

    /// Not ready from now on: the server is going down.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Why clients should go elsewhere; nothing when this server is ready.
    fn obstacles(&self) -> Vec<Obstacle> {
        let draining = self.draining.load(Ordering::Relaxed);
        let without_store = !(self.store_is_healthy)();
        let draining = draining.then_some(Obstacle::Draining);
        let without_store = without_store.then_some(Obstacle::Store);
        let is_required = self.redis.as_ref().is_some_and(|redis| redis.is_required);
        let without_redis = self.degraded().filter(|_| is_required);
        let all = [draining, without_store, without_redis];
        all.into_iter().flatten().collect()
    }

    /// What is missing that this node can do without.
    fn degraded(&self) -> Option<Obstacle> {
        let redis = self.redis.as_ref()?;
        (!(redis.is_up)()).then_some(Obstacle::Redis)
    }
}

/// What keeps the server from being ready.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Obstacle {
    /// It is going down.
    Draining,
    /// The store cannot be used.
    Store,
    /// Other nodes cannot be reached.
    Redis,
}

#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok` or `ready`.
    status: &'static str,
    /// What is missing that this node can do without.
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded: Option<Obstacle>,
}

#[derive(Serialize, ToSchema)]
struct NotReady {
    #[serde(flatten)]
    problem: problem::Problem,
    /// What keeps the server from being ready.
    reasons: Vec<Obstacle>,
}

/// The routes as everybody may use them.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(live))
        .routes(routes!(ready))
        .routes(routes!(metrics))
}

/// The routes for a listener that only operators reach.
pub fn private_routes() -> Router<App> {
    Router::new()
        .route("/healthz", get(live))
        .route("/readyz", get(ready))
        .route("/metrics", get(async |State(metrics)| render(&metrics)))
}

/// Whether the process lives.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operations",
    responses((status = 200, description = "It does.", body = Health)),
)]
async fn live() -> Json<Health> {
    Json(Health {
        status: "ok",
        degraded: None,
    })
}

/// Whether clients should be sent here.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operations",
    responses(
        (status = 200, description = "They should.", body = Health),
        (
            status = 503,
            description = "They should not, for the stated reasons.",
            body = NotReady,
            content_type = "application/problem+json",
        ),
    ),
)]
async fn ready(State(readiness): State<Readiness>) -> Response {
    let reasons = readiness.obstacles();
    let error = match reasons.first() {
        None => {
            let (status, degraded) = ("ready", readiness.degraded());
            return Json(Health { status, degraded }).into_response();
        }
        Some(Obstacle::Draining) => Error::new(Code::Draining, "The server is going down"),
        Some(Obstacle::Store) => Error::new(Code::StoreUnavailable, "The store is unavailable"),
        Some(Obstacle::Redis) => {
            Error::new(Code::ClusterUnavailable, "Other nodes cannot be reached")
        }
    };
    let problem = problem::Problem::from(&error);
    problem::respond(&error, &NotReady { problem, reasons })
}

/// Metrics as Prometheus reads them. Only for direct callers from the server's own machine, and
/// only where operators have no listener of their own.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operations",
    responses(
        (status = 200, description = "The metrics.", body = String, content_type = "text/plain"),
        super::openapi::NotFound,
    ),
)]
async fn metrics(
    State(config): State<Arc<Config>>,
    State(metrics): State<PrometheusHandle>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
) -> Result<Response> {
    let is_local =
        peer.is_some_and(|Extension(ConnectInfo(peer))| peer.ip().to_canonical().is_loopback());
    let is_forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name));
    if !config.ops.listen.is_empty() || !is_local || is_forwarded {
        return Err(problem::not_found().await);
    }
    Ok(render(&metrics))
}

fn render(metrics: &PrometheusHandle) -> Response {
    let kind = [(header::CONTENT_TYPE, PROMETHEUS_TEXT)];
    (kind, metrics.render()).into_response()
}
