//! The channels of Node's adapters and emitters.

/// What a channel is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// Events for clients.
    Broadcast,
    /// What servers ask each other.
    Request,
    /// What they answer.
    Response,
}

impl Place {
    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Broadcast => "broadcast",
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// The channels of one namespace.
#[derive(Clone, Debug)]
pub(super) struct Channels {
    pub path: &'static str,
    /// Also what the channels of single rooms begin with.
    pub broadcast: String,
    pub request: String,
    pub response: String,
    /// Answers to this node alone.
    pub own_response: String,
    /// The same, of the sharded adapter.
    pub own_sharded: String,
}

impl Channels {
    pub fn new(key: &str, path: &'static str, uid: &str) -> Self {
        Self {
            path,
            broadcast: format!("{key}#{path}#"),
            request: format!("{key}-request#{path}#"),
            response: format!("{key}-response#{path}#"),
            own_response: format!("{key}-response#{path}#{uid}#"),
            own_sharded: format!("{key}#{path}#{uid}#"),
        }
    }

    /// What the channel is for, if it is one of these.
    pub fn place(&self, channel: &str) -> Option<Place> {
        if channel.starts_with(&self.broadcast) {
            Some(Place::Broadcast)
        } else if channel == self.request {
            Some(Place::Request)
        } else if channel == self.response || channel == self.own_response {
            Some(Place::Response)
        } else {
            None
        }
    }

    /// The one room that a channel with events is for.
    pub fn room_of<'a>(&self, channel: &'a str) -> Option<&'a str> {
        let room = channel.strip_prefix(&self.broadcast)?.strip_suffix('#')?;
        (!room.is_empty()).then_some(room)
    }

    /// What a channel of the sharded adapter is for, if it is one of these.
    pub fn sharded_place(&self, channel: &str) -> Option<Place> {
        if channel == self.broadcast {
            Some(Place::Broadcast)
        } else {
            (channel == self.own_sharded).then_some(Place::Response)
        }
    }

    /// Where an event for these rooms is told: a single room has a channel of its own.
    pub fn of_rooms<'a>(&self, mut rooms: impl Iterator<Item = &'a str>) -> String {
        match (rooms.next(), rooms.next()) {
            (Some(room), None) => format!("{}{room}#", self.broadcast),
            _ => self.broadcast.clone(),
        }
    }

    /// What fits every channel with events for clients.
    pub fn broadcasts(&self) -> String {
        format!("{}*", literal(&self.broadcast))
    }

    /// What fits the channel for requests. Who listens by a pattern is not counted as a server.
    pub fn requests(&self) -> String {
        literal(&self.request)
    }
}

/// A pattern that fits this text alone.
fn literal(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text.chars() {
        if "*?[]\\^".contains(letter) {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_says_what_it_is_for() {
        let channels = Channels::new("socket.io", "/", "me");
        let places = |channel: &str| channels.place(channel);
        assert_eq!(places("socket.io#/#"), Some(Place::Broadcast));
        assert_eq!(places("socket.io#/#room:a#"), Some(Place::Broadcast));
        assert_eq!(places("socket.io-request#/#"), Some(Place::Request));
        assert_eq!(places("socket.io-response#/#me#"), Some(Place::Response));
        assert_eq!(places("socket.io-response#/#you#"), None);
        assert_eq!(places("other#/#"), None);
        assert_eq!(places("socket.io#/game#"), None);
    }

    #[test]
    fn one_room_has_a_channel_of_its_own() {
        let channels = Channels::new("k", "/x", "me");
        assert_eq!(channels.of_rooms(["a"].into_iter()), "k#/x#a#");
        assert_eq!(channels.of_rooms(["a", "b"].into_iter()), "k#/x#");
        assert_eq!(channels.of_rooms([].into_iter()), "k#/x#");
    }

    #[test]
    fn the_channel_of_a_room_names_it_whatever_is_in_its_name() {
        let channels = Channels::new("k", "/", "me");
        assert_eq!(channels.room_of("k#/#a#b#"), Some("a#b"));
        assert_eq!(channels.room_of("k#/#"), None);
        assert_eq!(channels.room_of("k#/##"), None);
    }

    #[test]
    fn a_key_is_no_pattern() {
        let channels = Channels::new("a*[b]?", "/", "me");
        assert_eq!(channels.broadcasts(), "a\\*\\[b\\]\\?#/#*");
        assert_eq!(channels.requests(), "a\\*\\[b\\]\\?-request#/#");
    }
}
