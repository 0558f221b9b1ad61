//! JSON answers that may hold binary.

use std::io;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::error::{Error, Result};

/// The value as JSON; binary in it is `{"base64": …}`.
pub fn respond(value: &impl Serialize) -> Result<Response> {
    let json = to_json(value).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written as JSON");
        Error::internal()
    })?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

/// JSON in which binary is an object that names its encoding: JSON has no binary of its own, and a
/// list of numbers would be three times as long.
struct Base64Binary;

impl Formatter for Base64Binary {
    fn write_byte_array<W: io::Write + ?Sized>(
        &mut self,
        to: &mut W,
        bytes: &[u8],
    ) -> io::Result<()> {
        write!(to, r#"{{"base64":"{}"}}"#, STANDARD.encode(bytes))
    }
}

fn to_json(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut json = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut json, Base64Binary))?;
    Ok(json)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{
        Attachment, Entry, EntryId, FeedId, Message, MessagePage, RoomId, Timestamp, UserId,
        Verdict,
    };

    #[test]
    fn binary_in_an_attachment_is_written_in_base64() {
        // MessagePack for {"file": <two bytes>, "list": [1]}.
        let bytes = b"\x82\xa4file\xc4\x02\x01\xff\xa4list\x91\x01";
        let entry = Entry {
            id: EntryId::generate(),
            feed: FeedId::Room(RoomId::new("lobby").unwrap()),
            seq: 1,
            position: 1,
            event: "message:new".into(),
            author: UserId::new("alice").unwrap(),
            author_name: "Alice".into(),
            client_id: None,
            content: "look".to_owned(),
            subject: None,
            attachment: Attachment::from_bytes(bytes),
            created_at: Timestamp::from_ms(0),
            edited_at: None,
            deleted_at: None,
            origin: None,
        };
        let page = MessagePage {
            messages: Message::from_entry(Arc::new(entry)).into_iter().collect(),
            has_more: false,
            verdict: Verdict::Complete,
        };
        let page: Value = serde_json::from_slice(&to_json(&page).unwrap()).unwrap();
        assert_eq!(
            page["messages"][0]["attachment"],
            json!({"file": {"base64": "Af8="}, "list": [1]})
        );
        assert_eq!(page["hasMore"], false);
    }
}
