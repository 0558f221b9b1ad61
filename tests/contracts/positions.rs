//! Drivers' last positions.

use roomcast::domain::{DriverId, Position};

use crate::backend::{Volatile, at};

/// All cases, for `run!`.
macro_rules! positions {
    ($backend:ty) => {
        run! { $backend, positions:
            the_newest_position_wins_whatever_the_order_of_arrival
            a_position_of_the_same_time_replaces_the_one_before
            a_removed_position_is_returned_once
        }
    };
}
pub(crate) use positions;

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
    assert_eq!(positions.put(&driver(), position(1.0, 10)).await, Ok(true));
    assert_eq!(positions.put(&driver(), position(3.0, 30)).await, Ok(true));
    assert_eq!(positions.put(&driver(), position(2.0, 20)).await, Ok(false));
    assert_eq!(positions.get(&driver()).await, Ok(Some(position(3.0, 30))));
}

pub async fn a_position_of_the_same_time_replaces_the_one_before(backend: impl Volatile) {
    let positions = backend.positions();
    assert_eq!(positions.put(&driver(), position(1.0, 10)).await, Ok(true));
    assert_eq!(positions.put(&driver(), position(2.0, 10)).await, Ok(true));
    assert_eq!(positions.get(&driver()).await, Ok(Some(position(2.0, 10))));
}

pub async fn a_removed_position_is_returned_once(backend: impl Volatile) {
    let positions = backend.positions();
    positions.put(&driver(), position(1.0, 10)).await.unwrap();
    assert_eq!(
        positions.remove(&driver()).await,
        Ok(Some(position(1.0, 10)))
    );
    assert_eq!(positions.remove(&driver()).await, Ok(None));
    assert_eq!(positions.get(&driver()).await, Ok(None));
    // Removal forgets the time, too.
    assert_eq!(positions.put(&driver(), position(1.0, 5)).await, Ok(true));
}
