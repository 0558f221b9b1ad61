//! Who calls: found out once per request, then read by the extractors of the handlers.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Uri, header, request::Parts},
    middleware::Next,
    response::Response,
};

use super::limits::{Key, Requests};
use crate::{
    auth::{self, Auth},
    domain::{Identity, User},
    error::{Error, Result},
    realtime::engine::ClientAddress,
};

/// What a request passes before its handler.
#[derive(Clone)]
pub struct Gate {
    auth: Auth,
    requests: Arc<Requests>,
    credentials: Credentials,
}

/// Where a request may say who calls.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Credentials {
    /// `Authorization`.
    Header,
    /// `Authorization`, else the query's `access_token`, else the cookie `roomcast_token`: an
    /// `EventSource` cannot set headers.
    Anywhere,
}

/// The cookie that may bring a token.
const COOKIE: &str = "roomcast_token";

impl Gate {
    /// `requests`: how many of them callers may make.
    pub fn new(auth: Auth, requests: Arc<Requests>) -> Self {
        Self {
            auth,
            requests,
            credentials: Credentials::Header,
        }
    }

    /// The same for event streams, whose clients cannot set headers. They only read, so that
    /// another site's page that makes a browser send the cookie gains nothing.
    #[must_use]
    pub fn for_streams(&self) -> Self {
        Self {
            credentials: Credentials::Anywhere,
            ..self.clone()
        }
    }
}

/// Who called, or why that is not known. The handler decides whether it matters.
#[derive(Clone)]
struct Identified(Result<Identity>);

/// Finds out who calls and fails with `rate_limited` when they call too fast. Callers that are not
/// known count by their address, those with an invalid token too.
pub async fn identify(
    State(gate): State<Gate>,
    mut request: Request,
    next: Next,
) -> Result<Response> {
    let identity = match credential(&gate, &request) {
        Ok(Credential::Bearer(text)) => gate.auth.identify_bearer(Some(&text)).await,
        Ok(Credential::Token(text)) => gate.auth.identify(Some(&text)).await,
        Ok(Credential::None) => gate.auth.identify(None).await,
        Err(error) => Err(error),
    };
    let key = match &identity {
        Ok(Identity::User(user)) => Key::User(user.id.clone()),
        Ok(Identity::Service(name)) => Key::Service(name.clone()),
        Ok(Identity::Guest) | Err(_) => Key::Address(address(&request)),
    };
    gate.requests.check(&key)?;
    request.extensions_mut().insert(Identified(identity));
    Ok(next.run(request).await)
}

/// What a request brings.
enum Credential {
    /// A token or an API key.
    Bearer(String),
    /// A token.
    Token(String),
    None,
}

fn credential(gate: &Gate, request: &Request) -> Result<Credential> {
    let headers = request.headers();
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let bearer = value.to_str().ok().and_then(auth::bearer);
        let bearer = bearer.ok_or_else(Error::unauthenticated)?;
        return Ok(Credential::Bearer(bearer.to_owned()));
    }
    let token = match gate.credentials {
        Credentials::Header => None,
        Credentials::Anywhere => in_query(request.uri()).or_else(|| in_cookie(headers)),
    };
    Ok(token.map_or(Credential::None, Credential::Token))
}

fn in_query(uri: &Uri) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Query {
        access_token: Option<String>,
    }
    let query = axum::extract::Query::<Query>::try_from_uri(uri).ok()?;
    query.0.access_token.filter(|token| !token.is_empty())
}

fn in_cookie(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).into_iter();
    let pairs = cookies.filter_map(|value| value.to_str().ok());
    let mut pairs = pairs.flat_map(|text| text.split(';'));
    pairs.find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE && !value.is_empty()).then(|| value.trim_matches('"').to_owned())
    })
}

fn address(request: &Request) -> Option<IpAddr> {
    let address = request.extensions().get::<ClientAddress>();
    address.map(|ClientAddress(address)| *address)
}

fn identified(parts: &Parts) -> Result<Identity> {
    match parts.extensions.get::<Identified>() {
        Some(Identified(identity)) => identity.clone(),
        None => {
            tracing::error!("a route asks for an identity that nobody has found out");
            Err(Error::internal())
        }
    }
}

/// Anybody: a guest (where guests are allowed), a user or a service.
pub struct Caller(pub Identity);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        identified(parts).map(Self)
    }
}

/// Anybody but a guest.
pub enum SignedIn {
    /// A user.
    User(Arc<User>),
    /// A backend, which may read everything.
    Service,
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let identity = identified(parts)?;
        if identity.is_service() {
            return Ok(Self::Service);
        }
        Ok(Self::User(identity.user()?.clone()))
    }
}

/// A user, whatever their roles.
pub struct Reader(pub Arc<User>);

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        identified(parts)?.user().cloned().map(Self)
    }
}

/// A backend: an API key, or a token with the role `service`. Others are refused: users with
/// `forbidden`, unknown callers with `unauthenticated`.
pub struct ServiceCaller;

impl<S: Sync> FromRequestParts<S> for ServiceCaller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let identity = identified(parts)?;
        if identity.is_service() {
            return Ok(Self);
        }
        identity.user()?;
        Err(Error::forbidden())
    }
}
