//! Who calls: found out once per request, then read by the extractors of the handlers.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, header, request::Parts},
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
}

impl Gate {
    /// `requests_per_second`: of one caller; 0 = no limit.
    pub fn new(auth: Auth, requests_per_second: u32) -> Self {
        Self {
            auth,
            requests: Arc::new(Requests::new(requests_per_second)),
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
    let identity = identity(&gate.auth, request.headers()).await;
    let key = match &identity {
        Ok(Identity::User(user)) => Key::User(user.id.clone()),
        Ok(Identity::Service(name)) => Key::Service(name.clone()),
        Ok(Identity::Guest) | Err(_) => Key::Address(address(&request)),
    };
    gate.requests.check(&key)?;
    request.extensions_mut().insert(Identified(identity));
    Ok(next.run(request).await)
}

async fn identity(auth: &Auth, headers: &HeaderMap) -> Result<Identity> {
    let credential = match headers.get(header::AUTHORIZATION) {
        Some(value) => {
            let bearer = value.to_str().ok().and_then(auth::bearer);
            Some(bearer.ok_or_else(Error::unauthenticated)?)
        }
        None => None,
    };
    auth.identify_bearer(credential).await
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
