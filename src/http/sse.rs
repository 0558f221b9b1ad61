//! The event streams.

use axum::{
    body::Body,
    extract::{FromRequestParts, State},
    http::{HeaderName, Version, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    identity::Reader,
    openapi::{BadRequest, Denied, TooManyOpen, Unavailable, Unknown},
    params::{Path, Query},
};
use crate::{
    domain::{ChannelId, FeedId, VendorId},
    error::{Code, Error, Result},
    realtime::streams::{Connection, Hangup, Opening, Source},
    services::{DASHBOARD, Orders},
};

/// The header by which a client says where it was.
const LAST_EVENT_ID: &str = "last-event-id";

const HEADERS: [(HeaderName, &str); 3] = [
    (header::CONTENT_TYPE, "text/event-stream"),
    (header::CACHE_CONTROL, "no-cache"),
    // Proxies such as nginx hold answers back unless told not to.
    (HeaderName::from_static("x-accel-buffering"), "no"),
];

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(orders))
        .routes(routes!(notifications))
        .routes(routes!(channel))
}

/// A user who wants a stream, and where their client was.
struct Client(Opening);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Position {
    /// For clients that cannot set the header.
    last_event_id: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Reader(user) = Reader::from_request_parts(parts, state).await?;
        let header = parts.headers.get(LAST_EVENT_ID);
        // What is not text is no event's id, and is answered as one that is not known.
        let header = header.map(|value| value.to_str().unwrap_or("\u{fffd}\0").to_owned());
        let Query(query) = Query::<Position>::from_request_parts(parts, state).await?;
        let given = |text: &String| !text.is_empty();
        let header = header.filter(given);
        Ok(Self(Opening {
            user,
            last_event_id: header.or(query.last_event_id.filter(given)),
            connection: connection(parts),
        }))
    }
}

/// The reader's connection; over HTTP/2 other answers share it.
fn connection(parts: &mut Parts) -> Connection {
    let hangup = parts.extensions.remove::<Hangup>().unwrap_or_default();
    match parts.version {
        Version::HTTP_2 => Connection::Shared(hangup),
        _ => Connection::Own(hangup),
    }
}

async fn stream(app: &App, source: Source, opening: Opening) -> Result<Response> {
    let user = opening.user.clone();
    let reader = app.streams.open(source, opening).await?;
    if app.auth.is_revoked(&user) {
        // Revoked while it was opened, when there was nothing to end yet.
        return Err(Error::invalid_token(Code::TokenRevoked));
    }
    Ok((HEADERS, Body::from_stream(reader)).into_response())
}

/// A vendor's orders as they come: `connected`, then `new-order`.
#[utoipa::path(
    get,
    path = "/api/vendor/{vendorId}/notifications/stream",
    operation_id = "stream_orders",
    tag = "streams",
    params(
        ("vendorId" = String, Path, description = "The vendor, who must be the caller"),
        ("Last-Event-ID" = Option<String>, Header, description = "The last event that was seen"),
        ("lastEventId" = Option<String>, Query, description = "The same, without a header"),
        ("access_token" = Option<String>, Query, description = "The token, for an EventSource"),
    ),
    responses(
        (status = 200, description = "The stream.", content_type = "text/event-stream"),
        Unknown, Denied, BadRequest, TooManyOpen, Unavailable,
    ),
    security(("bearer" = []), ("cookie" = [])),
)]
async fn orders(
    State(app): State<App>,
    Path(vendor): Path<VendorId>,
    Client(opening): Client,
) -> Result<Response> {
    Orders::check_is_vendor(&opening.user, &vendor)?;
    stream(&app, Source::Feed(FeedId::Vendor(vendor)), opening).await
}

/// A user's notifications as they come: `connected`, then `notification` or the event that was
/// named, and `payment-status`.
#[utoipa::path(
    get,
    path = "/events/notifications",
    operation_id = "stream_notifications",
    tag = "streams",
    params(
        ("Last-Event-ID" = Option<String>, Header, description = "The last event that was seen"),
        ("lastEventId" = Option<String>, Query, description = "The same, without a header"),
        ("access_token" = Option<String>, Query, description = "The token, for an EventSource"),
    ),
    responses(
        (status = 200, description = "The stream.", content_type = "text/event-stream"),
        Unknown, BadRequest, TooManyOpen, Unavailable,
    ),
    security(("bearer" = []), ("cookie" = [])),
)]
async fn notifications(State(app): State<App>, Client(opening): Client) -> Result<Response> {
    let feed = FeedId::User(opening.user.id.clone());
    stream(&app, Source::Feed(feed), opening).await
}

/// A channel: `connected`, `initial` with its last value, then `update` or the event that was
/// named. `dashboard:metrics` carries the server's own figures every 5 s.
#[utoipa::path(
    get,
    path = "/events/stream/{channel}",
    operation_id = "stream_channel",
    tag = "streams",
    params(
        ("channel" = String, Path, description = "The channel"),
        ("Last-Event-ID" = Option<String>, Header, description = "The last event that was seen"),
        ("lastEventId" = Option<String>, Query, description = "The same, without a header"),
        ("access_token" = Option<String>, Query, description = "The token, for an EventSource"),
    ),
    responses(
        (status = 200, description = "The stream.", content_type = "text/event-stream"),
        Unknown, BadRequest, TooManyOpen, Unavailable,
    ),
    security(("bearer" = []), ("cookie" = [])),
)]
async fn channel(
    State(app): State<App>,
    Path(channel): Path<ChannelId>,
    Client(opening): Client,
) -> Result<Response> {
    let source = if channel.as_str() == DASHBOARD {
        Source::Unstored(channel)
    } else {
        Source::Channel(channel)
    };
    stream(&app, source, opening).await
}
