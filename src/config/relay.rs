//! Rules for what else workers publish on Redis.

use serde::{Deserialize, Serialize};

use super::{
    error::{ConfigError, ensure},
    schema::choice,
};

/// Where the id stands in a channel and in a room.
const ID: &str = "{id}";

/// Channels that are heard already, or are our own.
const BUILT_IN: [&str; 6] = [
    "inventory-updates",
    "orders",
    "notifications:{id}",
    "broadcast:room:{id}",
    "broadcast:user:{id}",
    "presence:updates",
];

choice! {
    /// As which built-in channel a message is taken.
    pub enum RelayAs {
        /// As an event for a room.
        Event = "event",
        /// As on the channel `orders`.
        Orders = "orders",
        /// As `POST /api/notifications`.
        Notifications = "notifications",
        /// As on the channel `inventory-updates`.
        Inventory = "inventory-updates",
    }
}

/// One `[[relay]]` rule: what is heard, and what it becomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayRule {
    /// The channel, with at most one `{id}`, which stands for any text. Empty: a stream.
    #[serde(default)]
    pub channel: String,
    /// The Redis Stream, which nodes read as a consumer group. Empty: a channel.
    #[serde(default)]
    pub stream: String,
    /// As what a message is taken.
    #[serde(default = "event", rename = "as")]
    pub kind: RelayAs,
    /// The room: `{id}` is that of the channel, `{/pointer}` a text or whole number of the message.
    #[serde(default)]
    pub room: String,
    /// The event's name.
    #[serde(default)]
    pub event: String,
    /// A JSON pointer to the event's argument in the message; "" = all of it.
    #[serde(default)]
    pub payload: String,
}

fn event() -> RelayAs {
    RelayAs::Event
}

impl RelayRule {
    /// Its name in errors, logs and metrics.
    pub fn name(&self) -> &str {
        if self.stream.is_empty() {
            &self.channel
        } else {
            &self.stream
        }
    }

    /// What a channel has in the place of `{id}`, if it is one of the rule's.
    pub fn id_in<'a>(&self, channel: &'a str) -> Option<&'a str> {
        let (prefix, suffix) = parts(&self.channel);
        match suffix {
            None => (channel == prefix).then_some(""),
            Some(suffix) => channel.strip_prefix(prefix)?.strip_suffix(suffix),
        }
    }

    /// The pattern by which Redis knows the channel, where it has an `{id}`.
    pub fn pattern(&self) -> Option<String> {
        let (prefix, suffix) = parts(&self.channel);
        suffix.map(|suffix| format!("{}*{}", escape(prefix), escape(suffix)))
    }

    fn check(&self) -> Result<(), ConfigError> {
        let name = self.name();
        ensure(self.channel.is_empty() != self.stream.is_empty(), || {
            format!("relay {name:?}: either channel or stream must be given")
        })?;
        ensure(self.channel.matches(ID).count() <= 1, || {
            format!("relay {name:?}: the channel may contain {ID} once")
        })?;
        let is_pointer = |text: &str| text.is_empty() || text.starts_with('/');
        ensure(is_pointer(&self.payload), || {
            format!("relay {name:?}: payload must be a JSON pointer, such as /data")
        })?;
        if self.kind != RelayAs::Event {
            return ensure(self.room.is_empty() && self.event.is_empty(), || {
                format!("relay {name:?}: room and event are only for as = \"event\"")
            });
        }
        ensure(!self.room.is_empty() && !self.event.is_empty(), || {
            format!("relay {name:?}: room and event must be given")
        })?;
        crate::domain::check_event_name(&self.event)
            .map_err(|error| ConfigError::new(format!("relay {name:?}: {}", error.message())))?;
        let has_id = self.channel.contains(ID);
        ensure(has_id || !self.room.contains(ID), || {
            format!("relay {name:?}: the room contains {ID}, and the channel does not")
        })
    }

    /// Whether some message would be heard by both.
    fn overlaps(&self, other: &str) -> bool {
        let (one, two) = (parts(&self.channel), parts(other));
        let either = |a: &str, b: &str| a.starts_with(b) || b.starts_with(a);
        let either_end = |a: &str, b: &str| a.ends_with(b) || b.ends_with(a);
        match (one, two) {
            ((a, None), (b, None)) => a == b,
            ((a, Some(end)), (b, None)) | ((b, None), (a, Some(end))) => {
                b.len() >= a.len() + end.len() && b.starts_with(a) && b.ends_with(end)
            }
            ((a, Some(end)), (b, Some(other_end))) => either(a, b) && either_end(end, other_end),
        }
    }
}

/// What stands before `{id}`, and what after it.
fn parts(channel: &str) -> (&str, Option<&str>) {
    match channel.split_once(ID) {
        Some((prefix, suffix)) => (prefix, Some(suffix)),
        None => (channel, None),
    }
}

/// Redis' patterns give these a meaning.
fn escape(text: &str) -> String {
    let special = |c: char| "*?[]\\^-".contains(c);
    text.chars().fold(String::new(), |mut out, c| {
        if special(c) {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

/// Checks each rule, and that no message is heard twice.
pub(super) fn check(rules: &[RelayRule]) -> Result<(), ConfigError> {
    for (index, rule) in rules.iter().enumerate() {
        rule.check()?;
        let name = rule.name();
        if rule.channel.is_empty() {
            let is_known = rules[..index]
                .iter()
                .any(|other| other.stream == rule.stream);
            ensure(!is_known, || format!("relay {name:?} is declared twice"))?;
            continue;
        }
        let others = rules[..index].iter().map(|other| other.channel.as_str());
        let others = others.filter(|other| !other.is_empty());
        for other in BUILT_IN.into_iter().chain(others) {
            ensure(!rule.overlaps(other), || {
                format!("relay {name:?} overlaps with the channel {other:?}")
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(channel: &str, room: &str) -> RelayRule {
        RelayRule {
            channel: channel.into(),
            stream: String::new(),
            kind: RelayAs::Event,
            room: room.into(),
            event: "changed".into(),
            payload: String::new(),
        }
    }

    fn refusal(rules: &[RelayRule]) -> String {
        check(rules).unwrap_err().to_string()
    }

    #[test]
    fn a_channel_gives_the_id_that_it_carries() {
        let tables = rule("tables:{id}:changed", "table-{id}");
        check(std::slice::from_ref(&tables)).unwrap();
        assert_eq!(tables.id_in("tables:7:changed"), Some("7"));
        assert_eq!(tables.id_in("tables:7"), None);
        assert_eq!(tables.pattern().as_deref(), Some("tables:*:changed"));
        let plain = rule("prices", "all-prices");
        assert_eq!(
            (plain.id_in("prices"), plain.id_in("price")),
            (Some(""), None)
        );
        assert_eq!(plain.pattern(), None);
        assert_eq!(rule("a*{id}", "r").pattern().as_deref(), Some(r"a\**"));
    }

    #[test]
    fn a_rule_that_would_hear_what_another_hears_is_refused() {
        for channel in [
            "orders",
            "ord{id}",
            "notifications:{id}",
            "{id}",
            "notifications:x",
        ] {
            let error = refusal(&[rule(channel, "room-x")]);
            assert!(error.contains("overlaps"), "{channel}: {error}");
        }
        let error = refusal(&[rule("a:{id}", "r-{id}"), rule("a:b:{id}", "s-{id}")]);
        assert!(error.contains("a:b:{id}"), "{error}");
        check(&[rule("a:{id}", "r-{id}"), rule("b:{id}", "s-{id}")]).unwrap();
    }

    #[test]
    fn half_a_rule_is_refused() {
        let wrong = [
            rule("", "room"),
            rule("a", "room-{id}"),
            rule("{id}{id}", "room-{id}"),
            rule("a", ""),
            RelayRule {
                payload: "data".into(),
                ..rule("a", "room")
            },
            RelayRule {
                kind: RelayAs::Orders,
                ..rule("a", "room")
            },
            RelayRule {
                event: "connect".into(),
                ..rule("a", "room")
            },
        ];
        for rule in wrong {
            assert!(
                refusal(std::slice::from_ref(&rule)).starts_with("relay"),
                "{rule:?}"
            );
        }
    }
}
