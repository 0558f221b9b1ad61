//! Rules for events that only put their sender into a room.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{
    error::{ConfigError, ensure},
    schema::choice,
};

/// Where the id stands in a room template.
const ID: &str = "{id}";

/// Rooms that a rule must not reach: chat rooms and users' devices.
const GUARDED: [&str; 2] = ["room:", "user:"];

/// The shortest text before the id. Every socket has a room named by its own id; a text this long
/// is not the beginning of one by chance.
const MIN_PREFIX_CHARS: usize = 4;

choice! {
    /// Who may send an event.
    pub enum Who {
        /// Anyone who is connected, guests too.
        Anyone = "guest",
        /// A signed-in user.
        User = "user",
        /// A user with the role `driver`.
        Driver = "driver",
        /// A user with the role `vendor`.
        Vendor = "vendor",
        /// A service.
        Service = "service",
    }
}

choice! {
    /// What a new watcher is sent at once.
    pub enum SnapshotKind {
        /// Nothing.
        None = "none",
        /// The driver's last position, if it is fresh.
        Position = "position",
        /// The product's last known stock, if any.
        Stock = "stock",
    }
}

/// One `[[watch]]` rule: an event of the client and the room that it enters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchRule {
    /// The event that enters the room; its argument is the id.
    pub event: String,
    /// The event that leaves the room. Empty: none.
    #[serde(default)]
    pub leave: String,
    /// The room, with exactly one `{id}` after at least four other characters.
    pub room: String,
    /// Who may send both events.
    #[serde(default = "signed_in")]
    pub who: Who,
    /// What a new watcher is sent at once. Only for the room of the built-in rule that has it.
    #[serde(default = "nothing")]
    pub snapshot: SnapshotKind,
}

fn signed_in() -> Who {
    Who::User
}

fn nothing() -> SnapshotKind {
    SnapshotKind::None
}

impl WatchRule {
    fn delivery() -> Self {
        Self {
            event: "watch-delivery".into(),
            leave: "unwatch-delivery".into(),
            room: "tracking:{id}".into(),
            who: Who::User,
            snapshot: SnapshotKind::Position,
        }
    }

    fn product() -> Self {
        Self {
            event: "join-product-room".into(),
            leave: "leave-product-room".into(),
            room: "product-{id}".into(),
            who: Who::Anyone,
            snapshot: SnapshotKind::Stock,
        }
    }

    /// What stands before the id in the room's name.
    fn prefix(&self) -> &str {
        self.room.split_once(ID).map_or("", |(prefix, _)| prefix)
    }

    /// The room's name for an id.
    pub fn room_name(&self, id: &str) -> String {
        self.room.replacen(ID, id, 1)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let Self { event, room, .. } = self;
        ensure(!event.is_empty(), || "watch: a rule has no event".into())?;
        ensure(room.matches(ID).count() == 1, || {
            format!("watch rule {event:?}: room {room:?} must contain {ID} exactly once")
        })?;
        let prefix = self.prefix();
        ensure(prefix.chars().count() >= MIN_PREFIX_CHARS, || {
            format!(
                "watch rule {event:?}: room {room:?} must have at least {MIN_PREFIX_CHARS} \
                 characters before {ID}"
            )
        })?;
        // `room{id}` would enter `room:secret` for the id `:secret`.
        let is_guarded =
            |guarded: &&str| prefix.starts_with(*guarded) || guarded.starts_with(prefix);
        ensure(!GUARDED.iter().any(is_guarded), || {
            format!("watch rule {event:?}: room {room:?} must not reach room: or user: rooms")
        })?;
        ensure(self.has_its_snapshot(), || {
            format!(
                "watch rule {event:?}: snapshot = position is only for the room {}, stock for {}",
                Self::delivery().room,
                Self::product().room
            )
        })
    }

    fn has_its_snapshot(&self) -> bool {
        match self.snapshot {
            SnapshotKind::None => true,
            SnapshotKind::Position => self.room == Self::delivery().room,
            SnapshotKind::Stock => self.room == Self::product().room,
        }
    }

    /// Whether an id can make one rule's room out of the other's template, past its `who`.
    fn overlaps(&self, other: &Self) -> bool {
        self.room != other.room
            && (self.prefix().starts_with(other.prefix())
                || other.prefix().starts_with(self.prefix()))
    }
}

/// The built-in rules that no configured rule replaces, then the configured ones.
pub(super) fn with_built_in(configured: &[WatchRule]) -> Vec<WatchRule> {
    [WatchRule::delivery(), WatchRule::product()]
        .into_iter()
        .filter(|rule| configured.iter().all(|other| other.event != rule.event))
        .chain(configured.iter().cloned())
        .collect()
}

/// Checks each rule, and that no two share an event or reach each other's rooms.
pub(super) fn check(rules: &[WatchRule]) -> Result<(), ConfigError> {
    let mut events = HashSet::new();
    for (index, rule) in rules.iter().enumerate() {
        rule.check()?;
        for event in [&rule.event, &rule.leave] {
            ensure(event.is_empty() || events.insert(event), || {
                format!("watch: the event {event:?} is declared twice")
            })?;
        }
        if let Some(other) = rules[..index].iter().find(|other| other.overlaps(rule)) {
            return Err(ConfigError::new(format!(
                "watch rule {:?}: room {:?} overlaps with {:?} of {:?}",
                rule.event, rule.room, other.room, other.event
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(event: &str, room: &str) -> WatchRule {
        WatchRule {
            event: event.into(),
            leave: String::new(),
            room: room.into(),
            who: Who::User,
            snapshot: SnapshotKind::None,
        }
    }

    fn refusal(configured: &[WatchRule]) -> String {
        check(&with_built_in(configured)).unwrap_err().to_string()
    }

    #[test]
    fn the_built_in_rules_come_first_and_hold() {
        let rules = with_built_in(&[rule("watch-table", "table:{id}:orders")]);
        let events: Vec<_> = rules.iter().map(|rule| rule.event.as_str()).collect();
        assert_eq!(
            events,
            ["watch-delivery", "join-product-room", "watch-table"]
        );
        assert_eq!(rules[2].room_name("7"), "table:7:orders");
        check(&rules).unwrap();
    }

    #[test]
    fn a_configured_rule_replaces_the_built_in_one_of_its_event() {
        let public = WatchRule {
            who: Who::Anyone,
            ..WatchRule::delivery()
        };
        let rules = with_built_in(std::slice::from_ref(&public));
        check(&rules).unwrap();
        assert_eq!(rules.len(), 2);
        assert_eq!(rules[1], public);
    }

    #[test]
    fn a_rule_cannot_reach_chat_rooms_users_or_single_sockets() {
        for room in [
            "room:{id}",
            "user:x{id}",
            "room{id}",
            "{id}",
            "r{id}",
            "chat",
            "a-{id}-{id}",
        ] {
            assert!(
                refusal(&[rule("peek", room)]).contains("\"peek\""),
                "{room}"
            );
        }
    }

    #[test]
    fn a_rule_cannot_reach_the_rooms_of_another() {
        let error = refusal(&[rule("peek", "track{id}")]);
        assert!(error.contains("overlaps"), "{error}");
    }

    #[test]
    fn two_rules_cannot_share_an_event() {
        let twice = [
            rule("watch-table", "table-{id}"),
            rule("watch-table", "board-{id}"),
        ];
        assert!(refusal(&twice).contains("declared twice"));
        assert!(refusal(&[rule("unwatch-delivery", "table-{id}")]).contains("declared twice"));
    }

    #[test]
    fn a_snapshot_belongs_to_the_room_of_its_built_in_rule() {
        let other = WatchRule {
            snapshot: SnapshotKind::Stock,
            ..rule("watch-table", "table-{id}")
        };
        assert!(refusal(&[other]).contains("snapshot"));
        let same = WatchRule {
            snapshot: SnapshotKind::Stock,
            ..rule("watch-product", "product-{id}")
        };
        check(&with_built_in(&[same])).unwrap();
    }
}
