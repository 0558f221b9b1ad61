//! Metrics as numbers again, from their text: what the server says of itself and what operators
//! scrape are the same figures.

use std::collections::HashMap;

/// The samples of one moment, summed over their labels.
#[derive(Debug, Default)]
pub struct Samples {
    sums: HashMap<String, f64>,
    /// By histogram, how many were at most so long, for each bound.
    buckets: HashMap<String, Vec<(f64, f64)>>,
}

impl Samples {
    /// Reads the Prometheus text format. Lines that it does not understand are left out.
    pub fn read(text: &str) -> Self {
        let mut samples = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if samples.add(line).is_none() && !line.is_empty() {
                tracing::debug!("a metric's line cannot be read");
            }
        }
        samples
    }

    fn add(&mut self, line: &str) -> Option<()> {
        let (name, value) = line.rsplit_once(' ')?;
        let value: f64 = value.parse().ok()?;
        let (name, labels) = name.split_once('{').unwrap_or((name, ""));
        match name.strip_suffix("_bucket") {
            Some(histogram) => {
                let bound = labels.rsplit_once("le=\"")?.1;
                let bound: f64 = bound.split('"').next()?.parse().ok()?;
                let buckets = self.buckets.entry(histogram.to_owned()).or_default();
                match buckets.iter_mut().find(|(other, _)| *other == bound) {
                    Some((_, count)) => *count += value,
                    None => buckets.push((bound, value)),
                }
            }
            None => *self.sums.entry(name.to_owned()).or_default() += value,
        }
        Some(())
    }

    /// The sum of a metric over its labels, 0 where it has not been counted yet.
    pub fn sum(&self, name: &str) -> f64 {
        self.sums.get(name).copied().unwrap_or(0.0)
    }

    /// What this share of the observations since `before` was within, as Prometheus's
    /// `histogram_quantile` estimates it: as if those between two bounds were spread evenly. Absent
    /// when nothing was observed; what is beyond the largest bound counts as that.
    pub fn percentile_since(&self, before: &Self, histogram: &str, share: f64) -> Option<f64> {
        let now = self.buckets.get(histogram)?;
        let none = Vec::new();
        let earlier = before.buckets.get(histogram).unwrap_or(&none);
        let mut since: Vec<(f64, f64)> = now
            .iter()
            .map(|(bound, count)| {
                let was = earlier.iter().find(|(other, _)| other == bound);
                (*bound, count - was.map_or(0.0, |(_, count)| *count))
            })
            .collect();
        since.sort_by(|one, other| one.0.total_cmp(&other.0));
        let all = since.last()?.1;
        if all <= 0.0 {
            return None;
        }
        let wanted = all * share;
        let at = since.iter().position(|(_, count)| *count >= wanted)?;
        let (upper, count) = since[at];
        let (lower, below) = at.checked_sub(1).map_or((0.0, 0.0), |under| since[under]);
        if upper.is_infinite() {
            return Some(lower);
        }
        Some(lower + (upper - lower) * (wanted - below) / (count - below))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "x_seconds_bucket{route=\"a\",le=\"0.1\"} 10\n\
                          x_seconds_bucket{route=\"a\",le=\"0.5\"} 10\n\
                          x_seconds_bucket{route=\"a\",le=\"+Inf\"} 10\n";
    const NOW: &str = "# HELP hits Hits\nhits{a=\"1\"} 2\nhits{a=\"2 3\"} 3\n\
                       x_seconds_bucket{route=\"a\",le=\"0.1\"} 10\n\
                       x_seconds_bucket{route=\"a\",le=\"0.5\"} 19\n\
                       x_seconds_bucket{route=\"a\",le=\"+Inf\"} 20\n";

    #[test]
    fn a_metric_is_summed_over_its_labels() {
        let samples = Samples::read(NOW);
        assert_eq!(samples.sum("hits"), 5.0);
        assert_eq!(samples.sum("misses"), 0.0);
    }

    #[test]
    fn percentiles_are_of_what_came_since() {
        let (before, now) = (Samples::read(BEFORE), Samples::read(NOW));
        let percentile = |share| now.percentile_since(&before, "x_seconds", share);
        // Half of the 9 between the bounds.
        assert!((percentile(0.45).unwrap() - 0.3).abs() < 1e-9);
        assert_eq!(percentile(0.9), Some(0.5));
        assert_eq!(percentile(0.99), Some(0.5));
        assert_eq!(now.percentile_since(&now, "x_seconds", 0.5), None);
        assert_eq!(now.percentile_since(&before, "other", 0.5), None);
    }
}
