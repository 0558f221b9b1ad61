//! How long to wait before what failed is tried again.

use std::time::Duration;

/// How long to wait after a failure.
pub(super) struct Backoff {
    /// After the first one.
    pub(super) first: Duration,
    /// The longest wait.
    pub(super) longest: Duration,
}

impl Backoff {
    /// Twice as long each time, less up to a half by chance, so that what failed together is not
    /// tried together; longer where the receiver asks for it, but never longer than the longest.
    pub(super) fn after(&self, attempts: u32, asked: Option<Duration>) -> Duration {
        let factor = 2_u32.saturating_pow(attempts.saturating_sub(1));
        let whole = self.first.saturating_mul(factor).min(self.longest);
        let wait = whole.mul_f64(rand::random_range(0.5..=1.0));
        wait.max(asked.unwrap_or_default().min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_follow_the_receiver_up_to_it() {
        let backoff = Backoff {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(60),
        };
        for (attempts, whole) in [(1, 1), (2, 2), (6, 32), (7, 60), (u32::MAX, 60)] {
            let wait = backoff.after(attempts, None);
            let whole = Duration::from_secs(whole);
            assert!((whole / 2..=whole).contains(&wait), "{attempts}: {wait:?}");
        }
        let asked = |seconds| backoff.after(1, Some(Duration::from_secs(seconds)));
        assert_eq!(asked(30), Duration::from_secs(30));
        assert_eq!(asked(3_600), Duration::from_secs(60));
        assert!(asked(0) >= Duration::from_millis(500));
    }
}
