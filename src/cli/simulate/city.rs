//! The demo's invented city, and ways through it that never end. The demo's map is drawn from the
//! same file.

use std::{collections::BTreeMap, sync::Arc};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::Deserialize;

const MAP: &str = include_str!("../../../client-demo/src/pages/delivery/city.json");

const METRES_PER_DEGREE: f64 = 111_320.0;

/// Metres east and south of the city's north-west corner.
type Point = [f64; 2];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Map {
    north_west: Corner,
    junctions: BTreeMap<String, Point>,
    streets: Vec<Street>,
}

#[derive(Deserialize)]
struct Corner {
    lat: f64,
    lng: f64,
}

#[derive(Deserialize)]
struct Street {
    path: Vec<String>,
}

/// Junctions by number, and which of them are one street away.
pub(super) struct City {
    north_west: Corner,
    junctions: Vec<Point>,
    next: Vec<Vec<usize>>,
}

impl City {
    /// Reads the map that is in this binary.
    pub(super) fn load() -> serde_json::Result<Self> {
        let map: Map = serde_json::from_str(MAP)?;
        let number: BTreeMap<_, _> = map.junctions.keys().zip(0..).collect();
        let mut next = vec![Vec::new(); map.junctions.len()];
        for street in &map.streets {
            for ends in street.path.windows(2) {
                if let [Some(&one), Some(&other)] = [number.get(&ends[0]), number.get(&ends[1])] {
                    next[one].push(other);
                    next[other].push(one);
                }
            }
        }
        Ok(Self {
            north_west: map.north_west,
            junctions: map.junctions.into_values().collect(),
            next,
        })
    }

    /// Degrees north and east.
    fn coordinates(&self, [x, y]: Point) -> [f64; 2] {
        let east = METRES_PER_DEGREE * self.north_west.lat.to_radians().cos();
        [
            self.north_west.lat - y / METRES_PER_DEGREE,
            self.north_west.lng + x / east,
        ]
    }
}

/// Along streets, at each junction into another one. The same seed takes the same turns.
pub(super) struct Journey {
    city: Arc<City>,
    random: StdRng,
    from: usize,
    to: usize,
    /// Metres from `from`.
    gone: f64,
}

impl Journey {
    /// The n-th journey starts far from the ones before it.
    pub(super) fn new(city: Arc<City>, n: usize) -> Self {
        // 17 has no factor in common with the number of junctions.
        let start = (n * 17 + 9) % city.junctions.len();
        let mut journey = Self {
            random: StdRng::seed_from_u64(n as u64),
            from: start,
            to: start,
            gone: 0.0,
            city,
        };
        journey.to = journey.turn(start, start);
        journey
    }

    /// The next junction: any but the one that was just left.
    fn turn(&mut self, at: usize, left: usize) -> usize {
        let ways = self.city.next[at].iter().filter(|way| **way != left);
        let ways: Vec<usize> = ways.copied().collect();
        match ways.len() {
            0 => left,
            count => ways[self.random.random_range(0..count)],
        }
    }

    fn ends(&self) -> [Point; 2] {
        [self.from, self.to].map(|junction| self.city.junctions[junction])
    }

    fn length(&self) -> f64 {
        let [from, to] = self.ends();
        (to[0] - from[0]).hypot(to[1] - from[1])
    }

    /// Goes on, round as many corners as it takes.
    pub(super) fn advance(&mut self, metres: f64) {
        self.gone += metres;
        while self.gone >= self.length() {
            self.gone -= self.length();
            let at = self.to;
            self.to = self.turn(at, self.from);
            self.from = at;
        }
    }

    fn point(&self) -> Point {
        let ([from, to], share) = (self.ends(), self.gone / self.length());
        [0, 1].map(|n| from[n] + (to[n] - from[n]) * share)
    }

    /// Degrees north and east.
    pub(super) fn coordinates(&self) -> [f64; 2] {
        self.city.coordinates(self.point())
    }

    /// Degrees clockwise from north, 0 to 360.
    pub(super) fn heading(&self) -> f64 {
        let [from, to] = self.ends();
        (to[0] - from[0])
            .atan2(from[1] - to[1])
            .to_degrees()
            .rem_euclid(360.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn city() -> Arc<City> {
        Arc::new(City::load().unwrap())
    }

    #[test]
    fn every_junction_can_be_reached_and_left_by_another_street() {
        let city = city();
        assert!(city.next.iter().all(|next| next.len() >= 2));
        let mut reached = vec![false; city.next.len()];
        let mut left = vec![0];
        while let Some(junction) = left.pop() {
            if !std::mem::replace(&mut reached[junction], true) {
                left.extend(&city.next[junction]);
            }
        }
        assert!(reached.into_iter().all(|is_reached| is_reached));
    }

    #[test]
    fn a_journey_goes_along_streets_and_never_turns_back() {
        let city = city();
        let mut journey = Journey::new(city.clone(), 3);
        for _ in 0..2_000 {
            let (from, to) = (journey.from, journey.to);
            assert!(city.next[from].contains(&to));
            journey.advance(15.0);
            assert!(journey.gone < journey.length());
            assert!((0.0..360.0).contains(&journey.heading()));
            // No street is so short that there are two turns.
            if journey.from != from {
                assert_eq!(journey.from, to);
                assert_ne!(journey.to, from);
            }
        }
    }

    #[test]
    fn the_same_journey_is_taken_again() {
        let [mut one, mut other] = [1, 1].map(|n| Journey::new(city(), n));
        let mut another = Journey::new(city(), 2);
        for journey in [&mut one, &mut other, &mut another] {
            journey.advance(5_000.0);
        }
        assert_eq!(one.coordinates(), other.coordinates());
        assert_ne!(one.coordinates(), another.coordinates());
    }

    #[test]
    fn north_is_up_and_east_is_right() {
        let city = city();
        let [north, west] = city.coordinates([0.0, 0.0]);
        let [south, east] = city.coordinates([1_200.0, 800.0]);
        assert!(north > south && east > west);
        // 800 m are as many degrees of latitude anywhere.
        assert!((north - south - 800.0 / METRES_PER_DEGREE).abs() < 1e-9);
    }
}
