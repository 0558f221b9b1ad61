//! Counts requests and measures how long they take.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    http::Method,
    middleware::Next,
    response::Response,
};

use super::problem;
use crate::telemetry::series;

/// The route of requests that fit none: a client must not be able to make up labels.
const NO_ROUTE: &str = "none";

/// Notes route, method, status and duration of a request; a handler's panic becomes an answer.
pub async fn measure(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = known(request.method());
    let response = problem::caught(next.run(request)).await;
    series::request(
        route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str),
        method,
        response.status().as_u16(),
        started.elapsed().as_secs_f64(),
    );
    response
}

fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
