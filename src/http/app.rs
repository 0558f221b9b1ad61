//! What the routes work with.

use std::{ops::Deref, sync::Arc};

use axum::extract::FromRef;
use metrics_exporter_prometheus::PrometheusHandle;

use super::{Readiness, Requests, demo::SampleUser};
use crate::{auth::Auth, config::Config, realtime::streams::StreamHub, services::Services};

/// The parts, by a handle that is cheap to clone: every request does so several times.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] is made of.
pub struct Parts {
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

impl From<Parts> for App {
    fn from(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl FromRef<App> for Arc<Services> {
    fn from_ref(app: &App) -> Self {
        app.services.clone()
    }
}

impl FromRef<App> for Auth {
    fn from_ref(app: &App) -> Self {
        app.auth.clone()
    }
}

impl FromRef<App> for Arc<Config> {
    fn from_ref(app: &App) -> Self {
        app.config.clone()
    }
}

impl FromRef<App> for Readiness {
    fn from_ref(app: &App) -> Self {
        app.readiness.clone()
    }
}

impl FromRef<App> for PrometheusHandle {
    fn from_ref(app: &App) -> Self {
        app.metrics.clone()
    }
}
