//! Series that every event or request is counted in. Each is looked up once: to look it up takes longer
//! than much of what is counted.

use std::{cell::RefCell, collections::HashMap, sync::LazyLock};

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::metric;
use crate::ports::Class;

static QUEUED: LazyLock<Gauge> = LazyLock::new(|| gauge!(metric::QUEUED_EVENTS));
static EVENT_SECONDS: LazyLock<Histogram> = LazyLock::new(|| histogram!(metric::EVENT_SECONDS));
static APPEND_SECONDS: LazyLock<Histogram> = LazyLock::new(|| histogram!(metric::APPEND_SECONDS));
static DELIVERIES: LazyLock<[(Class, Counter); 3]> = LazyLock::new(|| {
    [Class::Durable, Class::Latest, Class::Passing].map(|class| {
        let counter = counter!(metric::DELIVERIES, "class" => class.as_str());
        (class, counter)
    })
});

/// Events that wait in sockets' queues.
pub fn queued() -> &'static Gauge {
    &QUEUED
}

/// Seconds that an event has taken.
pub fn event_seconds() -> &'static Histogram {
    &EVENT_SECONDS
}

/// Seconds from an append to its commit.
pub fn append_seconds() -> &'static Histogram {
    &APPEND_SECONDS
}

/// Counts events handed to sockets.
pub fn delivered(class: Class, count: u64) {
    let known = DELIVERIES.iter().find(|(known, _)| *known == class);
    if let Some((_, counter)) = known {
        counter.increment(count);
    }
}

/// A route's requests.
struct Requests {
    seconds: Histogram,
    by_outcome: HashMap<(&'static str, u16), Counter>,
}

/// Counts a request, and how long it took.
pub fn request(route: &str, method: &'static str, status: u16, seconds: f64) {
    thread_local! {
        static ROUTES: RefCell<HashMap<Box<str>, Requests>> = RefCell::default();
    }
    ROUTES.with_borrow_mut(|routes| {
        if !routes.contains_key(route) {
            let seconds = histogram!(metric::HTTP_SECONDS, "route" => route.to_owned());
            let by_outcome = HashMap::new();
            let requests = Requests {
                seconds,
                by_outcome,
            };
            routes.insert(route.into(), requests);
        }
        let Some(requests) = routes.get_mut(route) else {
            return;
        };
        requests.seconds.record(seconds);
        let counter = requests.by_outcome.entry((method, status));
        let counter = counter.or_insert_with(|| {
            counter!(
                metric::HTTP_REQUESTS,
                "route" => route.to_owned(),
                "method" => method,
                "status" => status.to_string(),
            )
        });
        counter.increment(1);
    });
}
