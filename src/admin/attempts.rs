//! How often a password may be tried.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// For how long failures count.
const WINDOW: Duration = Duration::from_secs(60);

/// The most failures of one address in that time; of IPv6, of its network.
const MAX_FAILURES: u32 = 10;

/// The most failures in all, so that many addresses get no further, nor keep the processor busy.
const MAX_FAILURES_IN_ALL: u32 = 200;

/// Failures of late.
#[derive(Default)]
pub(super) struct Attempts(Mutex<Option<Window>>);

struct Window {
    began: Instant,
    in_all: u32,
    by_address: HashMap<Option<IpAddr>, u32>,
}

impl Attempts {
    /// Counts an attempt as a failure; whether it may be made.
    pub fn begin(&self, address: Option<IpAddr>) -> bool {
        let mut window = self.0.lock();
        let window = match &mut *window {
            Some(window) if window.began.elapsed() < WINDOW => window,
            old => old.insert(Window {
                began: Instant::now(),
                in_all: 0,
                by_address: HashMap::new(),
            }),
        };
        if window.in_all >= MAX_FAILURES_IN_ALL {
            return false;
        }
        let failures = window.by_address.entry(address.map(network)).or_default();
        if *failures >= MAX_FAILURES {
            return false;
        }
        *failures += 1;
        window.in_all += 1;
        true
    }

    /// It was none.
    pub fn succeeded(&self, address: Option<IpAddr>) {
        if let Some(window) = &mut *self.0.lock()
            && let Some(failures) = window.by_address.get_mut(&address.map(network))
        {
            *failures = failures.saturating_sub(1);
            window.in_all = window.in_all.saturating_sub(1);
        }
    }
}

/// Who has one address of IPv6 has all of its network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            IpAddr::V6(network.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn an_address_that_fails_too_often_is_not_asked_any_more_and_others_are() {
        let attempts = Attempts::default();
        for _ in 0..MAX_FAILURES {
            assert!(attempts.begin(address("2001:db8::1")));
        }
        assert!(!attempts.begin(address("2001:db8::2")));
        assert!(attempts.begin(address("192.0.2.1")));
        assert!(attempts.begin(None));
    }

    #[test]
    fn a_login_that_succeeds_is_no_failure() {
        let attempts = Attempts::default();
        for _ in 0..=MAX_FAILURES {
            assert!(attempts.begin(address("192.0.2.1")));
            attempts.succeeded(address("192.0.2.1"));
        }
    }

    #[test]
    fn many_addresses_get_no_further_than_all_may() {
        let attempts = Attempts::default();
        let made = (0..1_000_u32).filter(|n| attempts.begin(Some(IpAddr::V4((*n).into()))));
        assert_eq!(made.count(), MAX_FAILURES_IN_ALL as usize);
    }
}
