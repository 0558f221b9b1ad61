//! `GET /api/openapi.json`: the description of the routes, made from the handlers themselves.

use std::collections::BTreeMap;

use axum::{Extension, body::Bytes, http::header, response::IntoResponse};
use utoipa::{
    IntoResponses, Modify, OpenApi,
    openapi::{
        self, ContentBuilder, Ref, RefOr, Response, ResponseBuilder,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    problem::{PROBLEM_JSON, Problem},
};
use crate::error::Code;

/// What is said of the API as a whole; the routes add themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Roomcast",
        description = "Chat, presence, live tracking and push for Socket.IO clients.",
    ),
    components(schemas(Problem)),
    modifiers(&SecuritySchemes),
)]
struct Api;

struct SecuritySchemes;

impl Modify for SecuritySchemes {
    fn modify(&self, api: &mut openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("A user's JWT, or a backend's API key"))
            .build();
        let webhook = ApiKeyValue::with_description(
            "webhook-signature",
            "A payment provider's Standard Webhooks signature, with webhook-id and \
             webhook-timestamp",
        );
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let webhook = SecurityScheme::ApiKey(ApiKey::Header(webhook));
        components.add_security_scheme("webhook", webhook);
        let cookie = ApiKeyValue::with_description("roomcast_token", "A user's JWT, for streams");
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(cookie));
        components.add_security_scheme("cookie", cookie);
    }
}

/// The description without the routes.
pub fn document() -> openapi::OpenApi {
    Api::openapi()
}

/// The finished description, as JSON.
#[derive(Clone)]
pub struct Document(Bytes);

impl Document {
    /// Makes the description known to its route.
    pub fn layer(document: &openapi::OpenApi) -> Extension<Self> {
        let json = document.to_json().unwrap_or_else(|error| {
            tracing::error!(%error, "the description of the API cannot be written");
            "{}".to_owned()
        });
        Extension(Self(json.into()))
    }
}

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(describe))
}

/// This description.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    tag = "operations",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object), TooFast),
)]
async fn describe(Extension(Document(json)): Extension<Document>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], json)
}

/// Declares sets of error responses that routes share, by the codes they stand for.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident: $($code:ident),+;)*) => {$(
        $(#[$doc])*
        pub enum $name {}

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                responses(&[$(Code::$code),+])
            }
        }
    )*};
}

refusals! {
    /// Too many requests.
    TooFast: RateLimited;
    /// The caller is not known, or calls too fast.
    Unknown: Unauthenticated, TokenMalformed, TokenSignature, TokenExpired, TokenNotYetValid,
        TokenClaims, TokenRevoked, RateLimited;
    /// The caller may not do this.
    Denied: Forbidden;
    /// Parameters that do not fit.
    BadRequest: InvalidPayload;
    /// Too many event streams, or the server goes down.
    TooManyOpen: TooManyStreams, TooManyStreamsPerUser, Draining;
    /// The key was used for something else.
    KeyReused: IdempotencyKeyReused;
    /// A body that does not fit.
    BadBody: InvalidPayload, PayloadTooLarge, UnsupportedMediaType;
    /// Nothing is there.
    NotFound: NotFound;
    /// The position is not news.
    Stale: PositionStale;
    /// The store is away.
    Unavailable: StoreUnavailable;
}

/// One response a status, which names the codes it can have.
fn responses(codes: &[Code]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status = BTreeMap::<u16, Vec<&str>>::new();
    for code in codes {
        by_status
            .entry(code.status())
            .or_default()
            .push(code.as_str());
    }
    let response = |names: &[&str]| {
        let problem = Ref::from_schema_name("Problem");
        ResponseBuilder::new()
            .description(format!("`code`: {}", names.join(", ")))
            .content(
                PROBLEM_JSON,
                ContentBuilder::new().schema(Some(problem)).build(),
            )
            .build()
    };
    let described =
        |(status, names): (u16, Vec<&str>)| (status.to_string(), response(&names).into());
    by_status.into_iter().map(described).collect()
}
