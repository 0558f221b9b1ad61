//! Which page of a feed a caller wants.

use serde::Deserialize;

use crate::{
    domain::{Cursor, EntryId},
    error::{Error, Result},
    services::MAX_PAGE,
};

/// How many entries a page has unless the caller says otherwise.
const DEFAULT_PAGE: usize = 50;

/// Which page of a feed.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Range {
    /// A `seq` or an id: the entries after it, the oldest of them first.
    after: Option<String>,
    /// A `seq` or an id: the entries before it, the newest of them. Not with `after`.
    before: Option<String>,
    /// The most entries on the page, 1 to 100.
    #[param(default = 50, minimum = 1, maximum = 100)]
    limit: Option<usize>,
}

impl Range {
    /// How many are asked for. Fails with `invalid_payload`.
    pub fn limit(&self) -> Result<usize> {
        let limit = self.limit.unwrap_or(DEFAULT_PAGE);
        if (1..=MAX_PAGE).contains(&limit) {
            Ok(limit)
        } else {
            Err(Error::invalid_payload(format!(
                "limit must be between 1 and {MAX_PAGE}"
            )))
        }
    }

    /// Where the page begins. Fails with `invalid_payload`.
    pub fn cursor(&self) -> Result<Cursor> {
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
    id.map_err(|error| Error::invalid_payload(format!("an id {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
