//! Payments: requested by clients, settled by backends or providers.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    body::{Body, RawBody},
    identity::{Caller, ServiceCaller},
    openapi::{BadBody, Denied, NotFound, Unavailable, Unknown},
    params::Path,
};
use crate::{
    domain::{Outcome, PaymentId},
    error::Result,
    services::{PaymentReceipt, PaymentRequest, Services},
    webhook::Signature,
};

/// How a payment ended.
#[derive(Deserialize, ToSchema)]
struct Settlement {
    status: Outcome,
}

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(request))
        .routes(routes!(settle))
}

/// Requests a payment. Its outcome goes to the socket as `payment-status`: `true` or `false`.
#[utoipa::path(
    post,
    path = "/api/payments/make-payment-with-socket",
    tag = "payments",
    request_body = PaymentRequest,
    responses(
        (status = 200, description = "The payment is on its way.", body = PaymentReceipt),
        Unknown, Denied, BadBody, Unavailable,
    ),
    security((), ("bearer" = [])),
)]
async fn request(
    State(services): State<Arc<Services>>,
    Caller(caller): Caller,
    Body(request): Body<PaymentRequest>,
) -> Result<Json<PaymentReceipt>> {
    services.payments.request(&caller, request).await.map(Json)
}

/// Settles a payment, as a service or by the provider's signed webhook. A repeat changes nothing.
#[utoipa::path(
    post,
    path = "/api/payments/{paymentId}/status",
    tag = "payments",
    params(("paymentId" = String, Path, description = "The payment")),
    request_body = Settlement,
    responses(
        (status = 204, description = "The payment is settled."),
        Unknown, Denied, BadBody, NotFound, Unavailable,
    ),
    security(("bearer" = []), ("webhook" = [])),
)]
async fn settle(
    State(services): State<Arc<Services>>,
    Path(payment): Path<PaymentId>,
    headers: HeaderMap,
    service: Result<ServiceCaller>,
    body: RawBody,
) -> Result<StatusCode> {
    match signature(&headers) {
        Some(signature) => services
            .payments
            .check_signature(&signature, &body.0, &payment)?,
        None => {
            service?;
        }
    }
    let Settlement { status } = body.parse()?;
    services.payments.settle(&payment, status).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The signature of a request that does not identify itself in another way.
fn signature(headers: &HeaderMap) -> Option<Signature<'_>> {
    if headers.contains_key(header::AUTHORIZATION) {
        return None;
    }
    let text = |name| headers.get(name)?.to_str().ok();
    Some(Signature {
        id: text("webhook-id")?,
        timestamp: text("webhook-timestamp")?,
        signatures: text("webhook-signature")?,
    })
}
