//! Where a driver is, and what makes a reported position believable.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{DriverId, Timestamp};
use crate::error::{Error, Result};

/// How far ahead of our clock a phone's clock may be.
const MAX_CLOCK_AHEAD: Duration = Duration::from_secs(60);

/// A position as a phone reports it.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Degrees north, -90 to 90.
    pub lat: f64,
    /// Degrees east, -180 to 180.
    pub lng: f64,
    /// Degrees clockwise from north, 0 to 360.
    pub heading: Option<f64>,
    /// Metres per second, 0 to 500.
    pub speed: Option<f64>,
    /// Radius in metres, 0 or more.
    pub accuracy: Option<f64>,
    /// When the phone measured it: ISO 8601 text or milliseconds since 1970.
    #[serde(default, deserialize_with = "recorded_at")]
    #[schema(value_type = Option<String>)]
    pub recorded_at: Option<Timestamp>,
}

/// A checked position.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lng: f64,
    /// When it was measured (the phone's `recordedAt`, else its arrival), milliseconds since 1970.
    #[serde(serialize_with = "as_ms")]
    #[schema(value_type = i64)]
    pub timestamp: Timestamp,
    /// Degrees clockwise from north.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heading: Option<f64>,
    /// Metres per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
    /// Radius in metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
}

/// A driver's position, as `location-update` and the HTTP route carry it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriverPosition {
    /// Whose it is: one socket may watch several drivers.
    #[schema(value_type = String)]
    pub driver_id: DriverId,
    /// Where.
    #[serde(flatten)]
    pub position: Position,
}

impl Report {
    /// Checks every range. Fails with `invalid_payload`, naming the field.
    pub fn check(self, now: Timestamp) -> Result<Position> {
        within("lat", Some(self.lat), -90.0, 90.0)?;
        within("lng", Some(self.lng), -180.0, 180.0)?;
        within("heading", self.heading, 0.0, 360.0)?;
        within("speed", self.speed, 0.0, 500.0)?;
        within("accuracy", self.accuracy, 0.0, f64::MAX)?;
        let timestamp = self.recorded_at.unwrap_or(now);
        if timestamp > now.plus(MAX_CLOCK_AHEAD) {
            return Err(Error::invalid_payload("recordedAt lies in the future"));
        }
        Ok(Position {
            lat: self.lat,
            lng: self.lng,
            timestamp,
            heading: self.heading,
            speed: self.speed,
            accuracy: self.accuracy,
        })
    }
}

fn within(field: &str, value: Option<f64>, low: f64, high: f64) -> Result<()> {
    match value {
        Some(value) if !(low..=high).contains(&value) => Err(Error::invalid_payload(format!(
            "{field} must be between {low} and {high}"
        ))),
        _ => Ok(()),
    }
}

fn as_ms<S: serde::Serializer>(time: &Timestamp, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_i64(time.as_ms())
}

fn recorded_at<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> std::result::Result<Option<Timestamp>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "recordedAt must be ISO 8601 or milliseconds")]
    enum Wire {
        Ms(i64),
        Text(String),
    }
    match Option::<Wire>::deserialize(from)? {
        None => Ok(None),
        Some(Wire::Ms(ms)) => Ok(Some(Timestamp::from_ms(ms))),
        Some(Wire::Text(text)) => Timestamp::parse(&text)
            .map(Some)
            .ok_or_else(|| serde::de::Error::custom("recordedAt must be ISO 8601 or milliseconds")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> Result<Position> {
        let report: Report = serde_json::from_str(json).unwrap();
        report.check(Timestamp::from_ms(1_000_000))
    }

    #[test]
    fn a_position_off_the_globe_is_refused() {
        assert!(check(r#"{"lat": 90.5, "lng": 0}"#).is_err());
        assert!(check(r#"{"lat": 0, "lng": -181}"#).is_err());
        assert!(check(r#"{"lat": 0, "lng": 0, "heading": 400}"#).is_err());
        assert!(check(r#"{"lat": 52.5, "lng": 13.4}"#).is_ok());
    }

    #[test]
    fn a_position_from_the_future_is_refused() {
        assert!(check(r#"{"lat": 0, "lng": 0, "recordedAt": 1060001}"#).is_err());
        assert!(check(r#"{"lat": 0, "lng": 0, "recordedAt": 1060000}"#).is_ok());
    }
}
