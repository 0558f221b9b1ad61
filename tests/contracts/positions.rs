//! Drivers' last positions.

use std::time::Duration;

use roomcast::domain::{DriverId, Position};
use tokio::time::timeout;

use crate::backend::{Volatile, at};

/// All cases, for `run!`.
macro_rules! positions {
    ($backend:ty) => {
        run! { $backend, positions:
            the_newest_position_wins_whatever_the_order_of_arrival
            a_position_of_the_same_time_replaces_the_one_before
            a_position_lapses_once_after_the_newest_report
        }
    };
}
pub(crate) use positions;

/// For as long as a test takes.
const LONG: Duration = Duration::from_secs(10);

fn driver() -> DriverId {
    DriverId::new("dora").unwrap()
}

fn position(lat: f64, ms: i64) -> Position {
    Position {
        lat,
        lng: 13.4,
        timestamp: at(ms),
        heading: None,
        speed: Some(3.0),
        accuracy: None,
    }
}

pub async fn the_newest_position_wins_whatever_the_order_of_arrival(backend: impl Volatile) {
    let positions = backend.positions();
    assert_eq!(positions.get(&driver()).await, Ok(None));
    assert_eq!(
        positions.put(&driver(), position(1.0, 10), LONG).await,
        Ok(true)
    );
    assert_eq!(
        positions.put(&driver(), position(3.0, 30), LONG).await,
        Ok(true)
    );
    assert_eq!(
        positions.put(&driver(), position(2.0, 20), LONG).await,
        Ok(false)
    );
    assert_eq!(positions.get(&driver()).await, Ok(Some(position(3.0, 30))));
}

pub async fn a_position_of_the_same_time_replaces_the_one_before(backend: impl Volatile) {
    let positions = backend.positions();
    assert_eq!(
        positions.put(&driver(), position(1.0, 10), LONG).await,
        Ok(true)
    );
    assert_eq!(
        positions.put(&driver(), position(2.0, 10), LONG).await,
        Ok(true)
    );
    assert_eq!(positions.get(&driver()).await, Ok(Some(position(2.0, 10))));
}

pub async fn a_position_lapses_once_after_the_newest_report(backend: impl Volatile) {
    let positions = backend.positions();
    let (short, newest) = (Duration::from_millis(30), position(2.0, 20));
    let dora = driver();
    let put = |position, fresh_for| positions.put(&dora, position, fresh_for);
    assert_eq!(put(position(1.0, 10), short).await, Ok(true));
    assert_eq!(put(newest.clone(), short * 2).await, Ok(true));
    let lapsed = timeout(LONG, positions.lapsed()).await.unwrap();
    assert_eq!(lapsed, Ok(vec![(driver(), newest)]));
    assert_eq!(positions.get(&driver()).await, Ok(None));
    assert!(timeout(short * 3, positions.lapsed()).await.is_err());
    // With it its time is forgotten.
    assert_eq!(put(position(1.0, 5), LONG).await, Ok(true));
}
