//! The messages of a room, page by page.

use std::{io, sync::Arc};

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::ser::{Formatter, Serializer};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    identity::SignedIn,
    openapi::{BadRequest, Denied, Unavailable, Unknown},
    params::{Path, Query},
};
use crate::{
    domain::{Cursor, EntryId, MessagePage, RoomId},
    error::{Error, Result},
    services::{MAX_PAGE, Services},
};

/// How many messages a page has unless the caller says otherwise.
const DEFAULT_PAGE: usize = 50;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Range {
    /// A `seq` or a message's id: the messages after it, the oldest of them first.
    after: Option<String>,
    /// A `seq` or a message's id: the messages before it, the newest of them. Not with `after`.
    before: Option<String>,
    /// The most messages on the page, 1 to 100.
    #[param(default = 50, minimum = 1, maximum = 100)]
    limit: Option<usize>,
}

impl Range {
    fn limit(&self) -> Result<usize> {
        let limit = self.limit.unwrap_or(DEFAULT_PAGE);
        if (1..=MAX_PAGE).contains(&limit) {
            Ok(limit)
        } else {
            Err(Error::invalid_payload(format!(
                "limit must be between 1 and {MAX_PAGE}"
            )))
        }
    }

    fn cursor(&self) -> Result<Cursor> {
        match (&self.after, &self.before) {
            (None, None) => Ok(Cursor::Latest),
            (Some(after), None) => mark(after, Cursor::AfterSeq, Cursor::AfterId),
            (None, Some(before)) => mark(before, Cursor::BeforeSeq, Cursor::BeforeId),
            (Some(_), Some(_)) => Err(Error::invalid_payload(
                "after and before cannot be given together",
            )),
        }
    }
}

/// Digits are a `seq`; anything else is an id.
fn mark(
    text: &str,
    by_seq: impl FnOnce(u64) -> Cursor,
    by_id: impl FnOnce(EntryId) -> Cursor,
) -> Result<Cursor> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seq = text.parse().map(by_seq);
        return seq.map_err(|_| Error::invalid_payload("this seq is too large"));
    }
    let id = EntryId::new(text).map(by_id);
    id.map_err(|error| Error::invalid_payload(format!("a message's id {error}")))
}

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(messages))
}

/// A page of a room's messages, in ascending `seq`; the newest ones unless `after` or `before` is
/// given. Binary in an attachment is `{"base64": …}`.
#[utoipa::path(
    get,
    path = "/api/rooms/{roomId}/messages",
    tag = "rooms",
    params(("roomId" = String, Path, description = "The room"), Range),
    responses(
        (status = 200, description = "The page.", body = MessagePage),
        Unknown, Denied, BadRequest, Unavailable,
    ),
    security(("bearer" = [])),
)]
async fn messages(
    State(services): State<Arc<Services>>,
    caller: SignedIn,
    Path(room): Path<RoomId>,
    Query(range): Query<Range>,
) -> Result<Response> {
    let (from, limit) = (range.cursor()?, range.limit()?);
    let page = match caller {
        SignedIn::User(user) => services.chat.page(&user, room, from, limit).await?,
        SignedIn::Service => services.chat.page_for_service(room, from, limit).await?,
    };
    let json = to_json(&page).map_err(|error| {
        tracing::error!(%error, "a page of messages cannot be written as JSON");
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

fn to_json(page: &MessagePage) -> serde_json::Result<Vec<u8>> {
    let mut json = Vec::new();
    page.serialize(&mut Serializer::with_formatter(&mut json, Base64Binary))?;
    Ok(json)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{Attachment, Entry, FeedId, Message, Timestamp, UserId, Verdict};

    fn range(query: &str) -> Result<Cursor> {
        let uri = format!("/?{query}").parse().unwrap();
        let range = axum::extract::Query::<Range>::try_from_uri(&uri);
        range.unwrap().0.cursor()
    }

    #[test]
    fn digits_are_a_seq_and_anything_else_is_an_id() {
        let id = EntryId::new("0190-a").unwrap();
        assert_eq!(range(""), Ok(Cursor::Latest));
        assert_eq!(range("after=12"), Ok(Cursor::AfterSeq(12)));
        assert_eq!(range("before=0190-a"), Ok(Cursor::BeforeId(id)));
        for refused in ["after=1&before=2", "after=", "after=99999999999999999999"] {
            assert!(range(refused).is_err(), "{refused}");
        }
    }

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
