//! What every request passes before the routes: where it comes from, whether its page may send it, and
//! in the end what is left of its body.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_http::cors::CorsLayer;

use super::{
    address::{self, Proxies},
    cors::{self, Origins},
    unread,
};

/// Answers every request. Clones share all of it.
#[derive(Clone)]
pub struct Outside(Arc<Parts>);

struct Parts {
    cors: CorsLayer,
    origins: Origins,
    proxies: Proxies,
    router: Router,
}

impl Outside {
    pub(super) fn new(router: Router, origins: Origins, proxies: Proxies) -> Self {
        Self(Arc::new(Parts {
            cors: cors::layer(origins.clone()),
            origins,
            proxies,
            router,
        }))
    }

    /// Answers a request. Only what pages may have sent costs what CORS does.
    pub async fn answer(&self, request: Request) -> Response {
        if !cors::concerns(&request) {
            return cors::varies(self.pass(request).await);
        }
        let pass = service_fn(async |request| Ok::<_, Infallible>(self.pass(request).await));
        match self.0.cors.layer(pass).oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    async fn pass(&self, mut request: Request) -> Response {
        address::note(&mut request, &self.0.proxies);
        if let Err(error) = self.0.origins.check_upgrade(&request) {
            return error.into_response();
        }
        let route = async |request| match self.0.router.clone().call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        unread::finish(request, route).await
    }
}
