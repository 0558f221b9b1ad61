//! Parameters of paths and queries, read into validated types.

use axum::{
    extract::{
        self, FromRequestParts,
        rejection::{PathRejection, QueryRejection},
    },
    http::StatusCode,
};

use crate::error::Error;

/// The parameters of the path. Fails with `invalid_payload`.
#[derive(FromRequestParts)]
#[from_request(via(extract::Path), rejection(Error))]
pub struct Path<T>(pub T);

/// The query. Fails with `invalid_payload`.
#[derive(FromRequestParts)]
#[from_request(via(extract::Query), rejection(Error))]
pub struct Query<T>(pub T);

impl From<PathRejection> for Error {
    fn from(rejection: PathRejection) -> Self {
        refused(rejection.status(), rejection.body_text())
    }
}

impl From<QueryRejection> for Error {
    fn from(rejection: QueryRejection) -> Self {
        refused(rejection.status(), rejection.body_text())
    }
}

fn refused(status: StatusCode, text: String) -> Error {
    if status.is_client_error() {
        return Error::invalid_payload(text);
    }
    tracing::error!(text, "a route does not fit its handler");
    Error::internal()
}
