//! What runs beside the listener.

use std::{sync::Arc, time::Duration};

use metrics::gauge;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{StartError, dashboard};
use crate::{
    admin::Admin,
    http::{self, App},
    realtime::namespace::Hub,
    services::Services,
    stores::Durable,
    telemetry::metric,
    wiring::ClusterLink,
};

/// How often the gauges are set.
const GAUGE_INTERVAL: Duration = Duration::from_secs(1);

/// How often a store that failed is tried again.
const PROBE_INTERVAL: Duration = Duration::from_secs(2);

/// What runs beside the listener; it ends when this is dropped.
pub(super) struct Background(Vec<JoinHandle<()>>);

impl Background {
    pub(super) async fn start(
        services: Arc<Services>,
        hub: Arc<Hub>,
        store: Arc<dyn Durable>,
        app: &App,
    ) -> Result<Self, StartError> {
        let mut tasks = vec![
            tokio::spawn(async move { heal(&*store).await }),
            tokio::spawn(async move { services.run_clocks().await }),
            tokio::spawn(set_gauges(hub.clone(), app.metrics.clone())),
            tokio::spawn({
                let streams = app.streams.clone();
                async move { streams.run().await }
            }),
            tokio::spawn(dashboard::run(
                hub,
                app.streams.clone(),
                app.metrics.clone(),
            )),
        ];
        let address = &app.config.ops.listen;
        if !address.is_empty() {
            let failed = |source| StartError::Listen {
                address: address.clone(),
                source,
            };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            let router = http::ops_router(app);
            tasks.push(tokio::spawn(async move {
                if let Err(error) = axum::serve(listener, router).await {
                    tracing::error!(%error, "the operations listener failed");
                }
            }));
        }
        Ok(Self(tasks))
    }
}

impl Background {
    /// Shows administrators what is to be seen.
    pub(super) fn add_admin(&mut self, admin: Admin, metrics: PrometheusHandle) {
        let showing = async move { Box::pin(admin.run(metrics)).await };
        self.0.push(tokio::spawn(showing));
    }

    /// Tells other nodes, and hears them.
    pub(super) fn add_cluster(&mut self, cluster: Arc<ClusterLink>, services: Arc<Services>) {
        let up = gauge!(metric::REDIS_UP);
        let watched = cluster.clone();
        self.0.push(tokio::spawn(async move {
            let mut tick = tokio::time::interval(GAUGE_INTERVAL);
            loop {
                tick.tick().await;
                up.set(if watched.is_up() { 1.0 } else { 0.0 });
            }
        }));
        let (beside, its) = (cluster.clone(), services.clone());
        self.0
            .push(tokio::spawn(async move { beside.run_beside(&its).await }));
        let talk = async move { Box::pin(cluster.run(&services)).await };
        self.0.push(tokio::spawn(talk));
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

/// Tries a failed store again: while it is not ready, nobody sends work that would show.
async fn heal(store: &dyn Durable) {
    let mut tick = tokio::time::interval(PROBE_INTERVAL);
    loop {
        tick.tick().await;
        if !store.is_healthy() {
            store.probe().await;
        }
    }
}

async fn set_gauges(hub: Arc<Hub>, metrics: PrometheusHandle) {
    let connections = gauge!(metric::CONNECTIONS);
    let pending = gauge!(metric::PENDING_BYTES);
    let mut tick = tokio::time::interval(GAUGE_INTERVAL);
    loop {
        tick.tick().await;
        #[allow(clippy::cast_precision_loss)] // Far fewer connections than 2^52.
        {
            connections.set(hub.connected() as f64);
            pending.set(hub.pending_bytes() as f64);
        }
        // Histograms fold what they have collected; without this they grow between scrapes.
        metrics.run_upkeep();
    }
}
