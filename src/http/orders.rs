//! Orders: posted by backends, read by their vendors.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    body::Body,
    idempotency::{IdempotencyKey, Stored},
    identity::{ServiceCaller, SignedIn},
    json,
    openapi::{BadBody, BadRequest, Denied, KeyReused, Unavailable, Unknown},
    page::Range,
    params::{Path, Query},
};
use crate::{
    domain::{VendorId, Verdict},
    error::Result,
    services::{Listed, Orders, Services},
};

/// A page of orders.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct OrderPage {
    /// What was posted, with `id`, `seq`, `event` and `createdAt`.
    #[schema(value_type = Vec<Object>)]
    orders: Vec<Listed>,
    has_more: bool,
    verdict: Verdict,
}

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(post))
        .routes(routes!(post_for, list))
}

/// Stores an order, an object with `vendorId`. The vendor's streams and sockets get `new-order`.
#[utoipa::path(
    post,
    path = "/api/orders",
    operation_id = "post_order",
    tag = "orders",
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats store nothing")),
    request_body = Object,
    responses(
        (status = 201, description = "It is stored.", body = Stored),
        Unknown, Denied, BadBody, KeyReused, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn post(
    State(services): State<Arc<Services>>,
    _: ServiceCaller,
    IdempotencyKey(key): IdempotencyKey,
    Body(order): Body<Map<String, Value>>,
) -> Result<(StatusCode, Json<Stored>)> {
    let id = services.orders.post(order, key).await?;
    Ok((StatusCode::CREATED, Json(Stored { id })))
}

/// Stores an order for this vendor. The vendor's streams and sockets get `new-order`.
#[utoipa::path(
    post,
    path = "/api/vendor/{vendorId}/orders",
    operation_id = "post_order_for_vendor",
    tag = "orders",
    params(
        ("vendorId" = String, Path, description = "The vendor"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats store nothing"),
    ),
    request_body = Object,
    responses(
        (status = 201, description = "It is stored.", body = Stored),
        Unknown, Denied, BadBody, KeyReused, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn post_for(
    State(services): State<Arc<Services>>,
    _: ServiceCaller,
    Path(vendor): Path<VendorId>,
    IdempotencyKey(key): IdempotencyKey,
    Body(order): Body<Map<String, Value>>,
) -> Result<(StatusCode, Json<Stored>)> {
    let id = services.orders.post_for(vendor, order, key).await?;
    Ok((StatusCode::CREATED, Json(Stored { id })))
}

/// A page of a vendor's orders, in ascending `seq`; the newest ones unless `after` or `before` is
/// given. For that vendor and for services.
#[utoipa::path(
    get,
    path = "/api/vendor/{vendorId}/orders",
    operation_id = "list_orders",
    tag = "orders",
    params(("vendorId" = String, Path, description = "The vendor"), Range),
    responses(
        (status = 200, description = "The page.", body = OrderPage),
        Unknown, Denied, BadRequest, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn list(
    State(services): State<Arc<Services>>,
    caller: SignedIn,
    Path(vendor): Path<VendorId>,
    Query(range): Query<Range>,
) -> Result<Response> {
    if let SignedIn::User(user) = caller {
        Orders::check_is_vendor(&user, &vendor)?;
    }
    let (from, limit) = (range.cursor()?, range.limit()?);
    let page = services.orders.page(&vendor, from, limit).await?;
    json::respond(&OrderPage {
        orders: page.items,
        has_more: page.has_more,
        verdict: page.verdict,
    })
}
