//! Measures a curve, and says how it grows.

use crate::{
    Outcome,
    check::Faults,
    curves::{Curve, Expected},
    point::Figure,
    scene::Plan,
    spread::Spread,
};

/// An exponent of so little says nothing.
const SLIGHT: f64 = 0.1;
/// So much may be had from the cheapest point to the last: caches are colder, and fewer messages
/// share a write. What is quadratic costs four times as much for four times as many members.
const MOST_RISE: f64 = 2.5;

/// What the rounds at one size gave.
pub struct Sized {
    pub size: usize,
    pub figures: Vec<Figure>,
}

impl Sized {
    pub fn spread(&self) -> Option<Spread> {
        Spread::of(self.figures.iter().map(|figure| figure.value))
    }

    pub fn operations(&self) -> u64 {
        self.figures.iter().map(|figure| figure.operations).sum()
    }
}

/// A curve that was measured.
pub struct Measured {
    pub curve: &'static Curve,
    pub points: Vec<Sized>,
}

/// How a cost grows.
#[derive(Clone, Copy, Debug)]
pub struct Growth {
    /// The cost at the last point, of that at the first.
    pub ratio: f64,
    /// The same, of that at the cheapest one.
    pub rise: f64,
    /// Of the power of the size that fits best.
    pub exponent: f64,
}

impl Growth {
    pub fn word(&self) -> &'static str {
        if self.exponent > SLIGHT {
            "grows"
        } else if self.exponent < -SLIGHT {
            "falls"
        } else {
            "flat"
        }
    }

    pub fn is_as(&self, expected: Expected) -> bool {
        match expected {
            Expected::Flat => self.exponent.abs() <= SLIGHT,
            Expected::AtMostFlat => self.exponent <= SLIGHT && self.rise <= MOST_RISE,
            Expected::AsTold => self.exponent <= 1.0 + SLIGHT,
        }
    }

    /// Of costs by sizes; none without two sizes, or where something costs nothing.
    pub fn of(points: &[(f64, f64)]) -> Option<Self> {
        let ratio = points.last()?.1 / points.first()?.1;
        let least = points
            .iter()
            .map(|(_, cost)| *cost)
            .fold(f64::INFINITY, f64::min);
        let rise = points.last()?.1 / least;
        let count = points.len() as f64;
        let logs = points.iter().map(|(size, cost)| (size.ln(), cost.ln()));
        let sums = logs
            .clone()
            .fold((0.0, 0.0), |(x, y), (size, cost)| (x + size, y + cost));
        let (middle, height) = (sums.0 / count, sums.1 / count);
        let (mut up, mut across) = (0.0, 0.0);
        for (size, cost) in logs {
            up += (size - middle) * (cost - height);
            across += (size - middle).powi(2);
        }
        let exponent = up / across;
        let growth = Self {
            ratio,
            rise,
            exponent,
        };
        [ratio, rise, exponent]
            .iter()
            .all(|number| number.is_finite())
            .then_some(growth)
    }
}

impl Measured {
    /// By how much there is in all.
    pub fn place(&self, point: &Sized) -> f64 {
        (self.curve.besides + point.size) as f64
    }

    pub fn growth(&self) -> Option<Growth> {
        let cost = |point: &Sized| Some((self.place(point), point.spread()?.median));
        Growth::of(&self.points.iter().filter_map(cost).collect::<Vec<_>>())
    }

    pub fn faults(&self) -> Faults {
        let mut all = Faults::default();
        let figures = self.points.iter().flat_map(|point| &point.figures);
        figures.for_each(|figure| all += figure.faults);
        all
    }
}

/// One point after the other in each of the rounds, after one that warms up.
pub fn measure(curve: &'static Curve, plan: &Plan, rounds: usize) -> Outcome<Measured> {
    let (mut opened, mut points) = (Vec::new(), Vec::new());
    for size in curve.sizes {
        let size = if *size == 0 { 0 } else { plan.scaled(*size) };
        let point = (curve.open)(size);
        opened.push(point.map_err(|error| format!("at {size}: {error}"))?);
        let figures = Vec::new();
        points.push(Sized { size, figures });
    }
    for round in 0..=rounds {
        for (open, point) in opened.iter_mut().zip(&mut points) {
            let figure = open.round(plan.round);
            let figure = figure.map_err(|error| format!("at {}: {error}", point.size))?;
            if round > 0 {
                point.figures.push(figure);
            } else if !figure.faults.is_none() {
                return Err(format!("at {}: {:?}", point.size, figure.faults).into());
            }
        }
    }
    Ok(Measured { curve, points })
}
