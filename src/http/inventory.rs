//! Stock of products.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::Number;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    body::Body,
    identity::ServiceCaller,
    openapi::{BadBody, Denied, Unavailable, Unknown},
    params::Path,
};
use crate::{domain::ProductId, error::Result, services::Services};

/// A product's stock.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Stock {
    /// What `inventory-update` carries.
    #[schema(value_type = f64)]
    new_inventory: Number,
}

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(set))
}

/// Sets a product's stock. Its watchers get `inventory-update` with the number.
#[utoipa::path(
    put,
    path = "/api/products/{productId}/inventory",
    tag = "products",
    params(("productId" = String, Path, description = "The product")),
    request_body = Stock,
    responses(
        (status = 204, description = "The stock is set."),
        Unknown, Denied, BadBody, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn set(
    State(services): State<Arc<Services>>,
    _: ServiceCaller,
    Path(product): Path<ProductId>,
    Body(stock): Body<Stock>,
) -> Result<StatusCode> {
    services
        .inventory
        .set(&product, stock.new_inventory)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
