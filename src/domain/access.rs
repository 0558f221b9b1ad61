//! Which rooms a token's `rooms` claim opens.

use wildmatch::WildMatchPattern;

use super::RoomId;

/// `*` matches any text; nothing else is special (no room id holds a NUL).
type Glob = WildMatchPattern<'*', '\0'>;

/// Room ids and `*` globs, as a token's `rooms` claim lists them.
#[derive(Clone, Debug, Default)]
pub struct RoomPatterns(Vec<Glob>);

impl RoomPatterns {
    /// From the texts of the claim. Only `*` is special.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        Self(patterns.into_iter().map(Glob::new).collect())
    }

    /// Whether one of the patterns covers the room.
    pub fn allow(&self, room: &RoomId) -> bool {
        self.0.iter().any(|pattern| pattern.matches(room.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_star_is_a_wildcard() {
        let patterns = RoomPatterns::new(["team-*", "what?"]);
        assert!(patterns.allow(&RoomId::new("team-7").unwrap()));
        assert!(patterns.allow(&RoomId::new("what?").unwrap()));
        assert!(!patterns.allow(&RoomId::new("whats").unwrap()));
        assert!(!patterns.allow(&RoomId::new("ateam-7").unwrap()));
    }
}
