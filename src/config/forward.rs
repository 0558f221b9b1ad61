//! Rules for events that the operator's backend answers.

use std::{collections::HashSet, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    MAX_MS, Secret, Who,
    error::{ConfigError, ensure, ensure_http_url, ensure_webhook_secret},
};

/// Roomcast's own events, which cannot be forwarded.
pub(crate) const OWN_EVENTS: [&str; 15] = [
    "auth:refresh",
    "join:room",
    "leave:room",
    "message:send",
    "chat:message",
    "message:edit",
    "message:delete",
    "chat:read",
    "messages:since",
    "typing:start",
    "typing:stop",
    "send-message",
    "presence:update",
    "presence:get",
    "sync",
];

/// One `[[forward]]` rule: an event of clients, and the address that answers it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForwardRule {
    /// The event.
    pub event: String,
    /// The http(s) address to which it is sent by POST.
    pub url: String,
    /// Signs what is sent there.
    pub secret: Secret,
    /// Who may send the event.
    #[serde(default = "signed_in")]
    pub who: Who,
    /// How long the response may take, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    /// The most requests of this node under way at a time.
    #[serde(default = "max_in_flight")]
    pub max_in_flight: usize,
    /// After how many failures in a row the backend is left alone.
    #[serde(default = "failures")]
    pub failures: u32,
    /// For how long it is left alone, in milliseconds; then one event is tried.
    #[serde(default = "pause_ms")]
    pub pause_ms: u64,
    /// The largest response, in bytes.
    #[serde(default = "response_bytes")]
    pub response_bytes: usize,
}

fn signed_in() -> Who {
    Who::User
}

fn timeout_ms() -> u64 {
    5_000
}

fn max_in_flight() -> usize {
    64
}

fn failures() -> u32 {
    5
}

fn pause_ms() -> u64 {
    5_000
}

fn response_bytes() -> usize {
    1_000_000
}

impl ForwardRule {
    /// A rule with the defaults.
    pub fn new(event: impl Into<String>, url: impl Into<String>, secret: Secret) -> Self {
        Self {
            event: event.into(),
            url: url.into(),
            secret,
            who: signed_in(),
            timeout_ms: timeout_ms(),
            max_in_flight: max_in_flight(),
            failures: failures(),
            pause_ms: pause_ms(),
            response_bytes: response_bytes(),
        }
    }

    /// How long the response may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// For how long a backend that fails is left alone.
    pub fn pause(&self) -> Duration {
        Duration::from_millis(self.pause_ms)
    }

    fn check(&self, event_timeout_ms: u64) -> Result<(), ConfigError> {
        let name = format!("forward {:?}", self.event);
        crate::domain::check_event_name(&self.event)
            .map_err(|error| ConfigError::new(format!("{name}: {}", error.message())))?;
        ensure(!self.url.is_empty(), || format!("{name}: url is not set"))?;
        ensure_http_url(&format!("{name}: url"), &self.url)?;
        ensure(!self.secret.is_empty(), || {
            format!("{name}: secret is not set")
        })?;
        ensure_webhook_secret(&format!("{name}: secret"), &self.secret)?;
        let counts = [
            ("timeout_ms", self.timeout_ms),
            ("max_in_flight", self.max_in_flight as u64),
            ("failures", self.failures.into()),
            ("pause_ms", self.pause_ms),
            ("response_bytes", self.response_bytes as u64),
        ];
        for (key, count) in counts {
            ensure(count >= 1, || format!("{name}: {key} must be at least 1"))?;
        }
        ensure(self.pause_ms <= MAX_MS, || {
            format!("{name}: pause_ms must be at most {MAX_MS} (a year)")
        })?;
        ensure(self.timeout_ms <= event_timeout_ms, || {
            format!(
                "{name}: timeout_ms must be at most socket.event_timeout_ms ({event_timeout_ms})"
            )
        })
    }
}

/// Checks each rule, and that no event has another handler. `taken`: the events of other rules.
pub(super) fn check<'a>(
    rules: &'a [ForwardRule],
    taken: impl Iterator<Item = &'a str>,
    event_timeout_ms: u64,
) -> Result<(), ConfigError> {
    let mut events: HashSet<_> = OWN_EVENTS.into_iter().chain(taken).collect();
    for rule in rules {
        rule.check(event_timeout_ms)?;
        ensure(events.insert(&rule.event), || {
            format!("forward: the event {:?} is declared already", rule.event)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(event: &str) -> ForwardRule {
        ForwardRule::new(event, "http://127.0.0.1/", Secret::new("a secret"))
    }

    fn refusal(rules: &[ForwardRule]) -> String {
        let taken = ["watch-table"].into_iter();
        check(rules, taken, 30_000).unwrap_err().to_string()
    }

    #[test]
    fn an_event_with_another_handler_cannot_be_forwarded() {
        check(&[rule("order:place"), rule("pay")], [].into_iter(), 30_000).unwrap();
        for event in ["message:send", "watch-table"] {
            let error = refusal(&[rule(event)]);
            assert!(error.contains("declared already"), "{error}");
        }
        assert!(refusal(&[rule("pay"), rule("pay")]).contains("declared already"));
    }

    #[test]
    fn half_a_rule_is_refused() {
        let whole = || rule("pay");
        let wrong = [
            rule("connect"),
            rule(""),
            ForwardRule {
                url: String::new(),
                ..whole()
            },
            ForwardRule {
                url: "ftp://x".into(),
                ..whole()
            },
            ForwardRule {
                secret: Secret::default(),
                ..whole()
            },
            ForwardRule {
                secret: Secret::new("whsec_%"),
                ..whole()
            },
            ForwardRule {
                timeout_ms: 0,
                ..whole()
            },
            ForwardRule {
                timeout_ms: 30_001,
                ..whole()
            },
            ForwardRule {
                max_in_flight: 0,
                ..whole()
            },
            ForwardRule {
                failures: 0,
                ..whole()
            },
            ForwardRule {
                pause_ms: u64::MAX,
                ..whole()
            },
            ForwardRule {
                response_bytes: 0,
                ..whole()
            },
        ];
        for rule in wrong {
            let error = refusal(std::slice::from_ref(&rule));
            assert!(error.starts_with("forward"), "{rule:?}: {error}");
        }
    }
}
