//! Events as they are written into a stream.

use std::fmt::Write;

use bytes::Bytes;
use serde::Serialize;

/// A comment, which clients skip.
pub const KEEP_ALIVE: Bytes = Bytes::from_static(b":\n\n");

/// How long clients wait before they come back.
pub fn retry(ms: u64) -> String {
    format!("retry: {ms}\n")
}

/// Adds an event. `data` is one line, as JSON is; neither id nor name holds a line's end.
pub fn add(text: &mut String, id: Option<&str>, name: &str, data: &str) {
    if let Some(id) = id {
        let _ = writeln!(text, "id: {id}");
    }
    let _ = write!(text, "event: {name}\ndata: {data}\n\n");
}

/// An event alone.
pub fn event(id: Option<&str>, name: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_else(|error| {
        tracing::error!(%error, "an event cannot be written as JSON");
        "null".to_owned()
    });
    let mut text = String::with_capacity(data.len() + name.len() + 64);
    add(&mut text, id, name, &data);
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_its_id_its_name_and_one_line_of_data() {
        let written = event(Some("7"), "update", &"two\nlines");
        assert_eq!(written, "id: 7\nevent: update\ndata: \"two\\nlines\"\n\n");
        assert_eq!(event(None, "update", &1), "event: update\ndata: 1\n\n");
    }
}
