//! What backends post to a feed: stored once, whoever asks how often.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::MAX_PAGE;
use crate::{
    domain::{ClientId, Cursor, EntryId, FeedId, IdError, Posted, Verdict},
    error::{Code, Error, Result},
    ports::FeedStore,
};

/// Appends what a backend posts; its id. `key` makes that idempotent within the feed. Fails with
/// `idempotency_key_reused` when it was used there for something else.
pub async fn post(
    feeds: &dyn FeedStore,
    feed: FeedId,
    event: Arc<str>,
    value: &Value,
    key: Option<ClientId>,
) -> Result<EntryId> {
    let new = Posted::draft(feed, event, value, key);
    let (event, content) = (new.event.clone(), new.content.clone());
    let appended = feeds.append(new).await?;
    let entry = &appended.entry;
    if appended.duplicate && (entry.content != content || entry.event != event) {
        return Err(Error::new(
            Code::IdempotencyKeyReused,
            "This Idempotency-Key was used for something else",
        ));
    }
    Ok(entry.id.clone())
}

/// What was posted to a feed, page by page, in ascending `seq`.
#[derive(Debug)]
pub struct PostedPage {
    /// The entries.
    pub items: Vec<Listed>,
    /// Whether more lie in the direction of reading.
    pub has_more: bool,
    /// How the page joins the cursor.
    pub verdict: Verdict,
}

/// Reads a page; `limit` is cut to [`MAX_PAGE`].
pub async fn page(
    feeds: &dyn FeedStore,
    feed: &FeedId,
    from: Cursor,
    limit: usize,
) -> Result<PostedPage> {
    let page = feeds.page(feed, from, limit.clamp(1, MAX_PAGE)).await?;
    let entries = page.entries.into_iter().map(Arc::new);
    Ok(PostedPage {
        items: entries.filter_map(Posted::from_entry).map(Listed).collect(),
        has_more: page.has_more,
        verdict: page.verdict,
    })
}

/// An entry in a list, where no event names it: what its readers get live, with `seq` and `event`
/// where it has none itself. What is no object, and what a channel carries, is `data`.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed(pub Posted);

impl Serialize for Listed {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let entry = self.0.entry();
        let live = serde_json::to_value(&self.0).map_err(serde::ser::Error::custom)?;
        let mut fields = match live {
            Value::Object(fields) if !matches!(entry.feed, FeedId::Channel(_)) => fields,
            data => {
                let (id, at) = (
                    entry.id.as_str().into(),
                    entry.created_at.to_string().into(),
                );
                let own = [("id", id), ("createdAt", at), ("data", data)];
                own.map(|(name, value)| (name.to_owned(), value))
                    .into_iter()
                    .collect()
            }
        };
        let own: [(&str, Value); 2] = [("seq", entry.seq.into()), ("event", (*entry.event).into())];
        for (name, value) in own {
            fields.entry(name).or_insert(value);
        }
        fields.serialize(to)
    }
}

/// An id in an object, text or a whole number. Fails with `invalid_payload`.
pub fn id_in<T>(
    object: &Map<String, Value>,
    field: &str,
    make: impl FnOnce(String) -> std::result::Result<T, IdError>,
) -> Result<T> {
    let text = match object.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if !number.is_f64() => number.to_string(),
        Some(_) => {
            let expected = format!("{field} must be text or a whole number");
            return Err(Error::invalid_payload(expected));
        }
        None => return Err(Error::invalid_payload(format!("missing field `{field}`"))),
    };
    make(text).map_err(|error| Error::invalid_payload(format!("{field} {error}")))
}
