//! Requests that may be repeated: what they say under one key is done once.

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::Serialize;

use crate::{
    domain::{ClientId, EntryId},
    error::{Error, Result},
};

/// The header that names what a request does.
pub const HEADER: &str = "Idempotency-Key";

/// The request's key, 1 to 256 bytes, if it has one. Fails with `invalid_payload`.
pub struct IdempotencyKey(pub Option<ClientId>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let Some(value) = parts.headers.get(HEADER) else {
            return Ok(Self(None));
        };
        let refused = |reason: &str| Error::invalid_payload(format!("{HEADER} {reason}"));
        let text = value
            .to_str()
            .map_err(|_| refused("must be printable text"))?;
        let key = ClientId::new(text).map_err(|error| refused(&error.to_string()))?;
        Ok(Self(Some(key)))
    }
}

/// What was stored, now or by the same request before.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Stored {
    /// Its id, as its readers get it.
    #[schema(value_type = String)]
    pub id: EntryId,
}
