//! What backends post to users, vendors and channels, as its readers get it.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{ClientId, Entry, EntryId, FeedId, NewEntry, Timestamp, UserId};
use crate::error::{Error, Result};

/// The longest name of an event, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// Names that Socket.IO keeps for itself; a client library throws on them.
const RESERVED: [&str; 6] = [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
];

/// Names that mean something else on an event stream.
const OF_STREAMS: [&str; 4] = ["connected", "error", "initial", "open"];

/// Checks the name of an event for sockets that a backend gives: 1 to 256 bytes, none that
/// Socket.IO keeps for itself. Fails with `invalid_payload`.
pub fn check_event_name(name: &str) -> Result<()> {
    let fits = (1..=MAX_NAME_BYTES).contains(&name.len()) && !RESERVED.contains(&name);
    fits.then_some(()).ok_or_else(refused_name)
}

/// Checks the name of an event for sockets and event streams: in a stream it is one line, and not
/// one of the stream's own. Fails with `invalid_payload`.
pub fn check_posted_name(name: &str) -> Result<()> {
    check_event_name(name)?;
    let fits = !name.chars().any(char::is_control) && !OF_STREAMS.contains(&name);
    fits.then_some(()).ok_or_else(refused_name)
}

fn refused_name() -> Error {
    Error::invalid_payload("event is not a name that can be sent")
}

/// An entry that a backend has posted, serialized as its readers get it: what was posted, and for
/// users and vendors, where it is an object, the entry's `id`, or `entryId` where it has an `id` of
/// its own, and `createdAt` where it has none.
#[derive(Clone, Debug, PartialEq)]
pub struct Posted(Arc<Entry>);

impl Posted {
    /// What is behind a stored entry, if a backend has posted it.
    pub fn from_entry(entry: Arc<Entry>) -> Option<Self> {
        match entry.feed {
            FeedId::Room(_) | FeedId::Direct(..) => None,
            FeedId::User(_) | FeedId::Vendor(_) | FeedId::Channel(_) => Some(Self(entry)),
        }
    }

    /// The stored entry.
    pub fn entry(&self) -> &Entry {
        &self.0
    }

    /// An entry to be appended. `key` makes that idempotent within the feed.
    pub fn draft(feed: FeedId, event: Arc<str>, value: &Value, key: Option<ClientId>) -> NewEntry {
        NewEntry {
            id: EntryId::generate(),
            feed,
            event,
            author: UserId::backend(),
            author_name: "".into(),
            client_id: key,
            content: value.to_string(),
            subject: None,
            attachment: None,
            created_at: Timestamp::now(),
            origin: None,
        }
    }
}

impl Serialize for Posted {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let Self(entry) = self;
        let unreadable = |error| serde::ser::Error::custom(format!("not JSON: {error}"));
        let mut value: Value = serde_json::from_str(&entry.content).map_err(unreadable)?;
        match (&entry.feed, &mut value) {
            (FeedId::Channel(_), _) => {}
            (_, Value::Object(fields)) => complete(fields, entry),
            _ => {}
        }
        value.serialize(to)
    }
}

fn complete(fields: &mut Map<String, Value>, entry: &Entry) {
    let name = if fields.contains_key("id") {
        "entryId"
    } else {
        "id"
    };
    fields.insert(name.to_owned(), entry.id.as_str().into());
    let created_at = || entry.created_at.to_string().into();
    fields.entry("createdAt").or_insert_with(created_at);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{ChannelId, VendorId};

    fn posted(feed: FeedId, value: &Value) -> Value {
        let new = Posted::draft(feed, "event".into(), value, None);
        let entry = Entry {
            id: EntryId::new("e1").unwrap(),
            created_at: Timestamp::from_ms(0),
            ..new.stored(1, 1)
        };
        let posted = Posted::from_entry(Arc::new(entry)).unwrap();
        serde_json::to_value(posted).unwrap()
    }

    #[test]
    fn an_object_for_a_vendor_gets_the_id_and_the_time_that_it_lacks() {
        let orders = || FeedId::Vendor(VendorId::new("v1").unwrap());
        let plain = posted(orders(), &json!({"total": 7}));
        let completed = json!({"total": 7, "id": "e1", "createdAt": "1970-01-01T00:00:00.000Z"});
        assert_eq!(plain, completed);
        let own = posted(orders(), &json!({"id": "order-1", "createdAt": 5}));
        assert_eq!(
            own,
            json!({"id": "order-1", "createdAt": 5, "entryId": "e1"})
        );
        assert_eq!(posted(orders(), &json!("text")), json!("text"));
    }

    #[test]
    fn what_a_channel_carries_is_left_as_it_is() {
        let channel = FeedId::Channel(ChannelId::new("prices").unwrap());
        assert_eq!(posted(channel, &json!({"b": 1})), json!({"b": 1}));
    }

    #[test]
    fn names_that_clients_keep_for_themselves_are_refused() {
        for name in ["", "connect", "error", "initial", "a\nb", &"x".repeat(257)] {
            assert!(check_posted_name(name).is_err(), "{name}");
        }
        check_posted_name("order-shipped").unwrap();
        check_event_name("error").unwrap();
    }
}
