//! Where drivers are.

use std::{fmt, sync::Arc};

use axum::{Json, extract::State, http::StatusCode};
use serde::{
    Deserialize, Deserializer,
    de::{
        MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};
use utoipa::openapi::{RefOr, Schema, schema::OneOfBuilder};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    body::Body,
    identity::{Caller, SignedIn},
    openapi::{BadBody, BadRequest, Denied, NotFound, Stale, Unavailable, Unknown},
    params::Path,
};
use crate::{
    domain::{DriverId, DriverPosition, Report},
    error::{Error, Result},
    services::Services,
};

/// What a phone reports.
enum Reports {
    /// Where it is.
    One(Report),
    /// Where it was while it had no network, in any order.
    List(Vec<Report>),
}

impl From<Reports> for Vec<Report> {
    fn from(reports: Reports) -> Self {
        match reports {
            Reports::One(report) => vec![report],
            Reports::List(list) => list,
        }
    }
}

impl utoipa::PartialSchema for Reports {
    fn schema() -> RefOr<Schema> {
        let either = OneOfBuilder::new()
            .item(<Report as utoipa::PartialSchema>::schema())
            .item(<Vec<Report> as utoipa::PartialSchema>::schema());
        either.into()
    }
}

impl utoipa::ToSchema for Reports {}

/// Reads either shape directly, so that an error names the field that does not fit.
impl<'de> Deserialize<'de> for Reports {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Reports;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a position {lat, lng, ...} or a list of them")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Reports, A::Error> {
                Report::deserialize(MapAccessDeserializer::new(map)).map(Reports::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Reports, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Reports::List)
            }
        }

        from.deserialize_any(Either)
    }
}

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(report, position))
}

/// Reports a driver's position, or those of a time without network. The driver's watchers get
/// `location-update` with the newest.
#[utoipa::path(
    post,
    path = "/api/driver/{driverId}/location",
    tag = "tracking",
    params(("driverId" = String, Path, description = "The driver")),
    request_body = Reports,
    responses(
        (status = 204, description = "The newest position is kept."),
        Unknown, Denied, BadBody, Stale, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn report(
    State(services): State<Arc<Services>>,
    Caller(caller): Caller,
    Path(driver): Path<DriverId>,
    Body(reports): Body<Reports>,
) -> Result<StatusCode> {
    let reports = reports.into();
    services.tracking.report(&caller, &driver, reports).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A driver's position, while it is fresh.
#[utoipa::path(
    get,
    path = "/api/driver/{driverId}/location",
    tag = "tracking",
    params(("driverId" = String, Path, description = "The driver")),
    responses(
        (status = 200, description = "The last position.", body = DriverPosition),
        Unknown, BadRequest, NotFound, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn position(
    State(services): State<Arc<Services>>,
    _: SignedIn,
    Path(driver): Path<DriverId>,
) -> Result<Json<DriverPosition>> {
    let position = services.tracking.position(&driver).await?;
    let unknown = || Error::not_found("Where this driver is, is not known now");
    position.map(Json).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<usize, String> {
        let reports = serde_json::from_str::<Reports>(json);
        let reports = reports.map_err(|error| error.to_string())?;
        Ok(Vec::from(reports).len())
    }

    #[test]
    fn one_position_and_a_list_of_them_are_read() {
        assert_eq!(read(r#"{"lat": 1, "lng": 2}"#), Ok(1));
        assert_eq!(
            read(r#"[{"lat": 1, "lng": 2}, {"lat": 1, "lng": 3}]"#),
            Ok(2)
        );
    }

    #[test]
    fn a_position_that_does_not_fit_is_refused_by_its_field() {
        assert!(read(r#"{"lat": 1}"#).unwrap_err().contains("`lng`"));
        assert!(read(r#"[{"lng": 1}]"#).unwrap_err().contains("`lat`"));
        assert!(read("7").unwrap_err().contains("a position {lat, lng"));
    }
}
