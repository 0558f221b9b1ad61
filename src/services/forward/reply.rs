//! What a backend's answer says: the ack as it stands, or the ack with events to be sent.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::{
    domain::Object,
    ports::BackendAnswer,
    services::{EmitRequest, Emits},
};

/// The media type of an answer that is an envelope: `{ack?, emit?}`. Any other is the ack itself,
/// whatever it looks like.
pub const ENVELOPE: &str = "application/vnd.roomcast.reply+json";

/// The most events in one answer.
pub const MAX_EMITS: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    #[serde(default, deserialize_with = "given")]
    ack: Option<Value>,
    #[serde(default)]
    emit: Vec<EmitRequest>,
}

/// `null` is an ack, too.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// What a successful answer says.
#[derive(Debug)]
pub(super) struct Reply {
    /// The ack.
    pub(super) ack: Value,
    /// Events to be sent, each of which can be.
    pub(super) emits: Vec<EmitRequest>,
}

impl Reply {
    /// Reads an answer of success; what is wrong with it, otherwise.
    pub(super) fn read(answer: &BackendAnswer) -> Result<Self, String> {
        let envelope = if answer.media_type == ENVELOPE {
            let envelope: Object<_> =
                serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
            envelope.0
        } else if answer.body.is_empty() {
            Envelope {
                ack: None,
                emit: Vec::new(),
            }
        } else {
            let ack = serde_json::from_slice(&answer.body).map_err(|_| "it is not JSON")?;
            Envelope {
                ack: Some(ack),
                emit: Vec::new(),
            }
        };
        let Envelope { ack, emit: emits } = envelope;
        if emits.len() > MAX_EMITS {
            return Err(format!("emit has more than {MAX_EMITS} events"));
        }
        for emit in &emits {
            Emits::check(emit).map_err(|error| format!("emit: {}", error.message()))?;
        }
        Ok(Self {
            // Acks of success say so, unless the backend says something else.
            ack: ack.unwrap_or_else(|| json!({ "ok": true })),
            emits,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(media_type: &str, body: &str) -> Result<Reply, String> {
        Reply::read(&BackendAnswer {
            status: 200,
            media_type: media_type.to_owned(),
            body: body.as_bytes().to_vec(),
        })
    }

    #[test]
    fn json_is_the_ack_as_it_stands_even_where_it_looks_like_an_envelope() {
        for body in [r#"{"ok":false}"#, "null", "[1,2]", r#"{"ack":1,"emit":[]}"#] {
            let reply = read("application/json", body).unwrap();
            assert_eq!(reply.ack, serde_json::from_str::<Value>(body).unwrap());
            assert!(reply.emits.is_empty());
        }
        assert_eq!(read("", "").unwrap().ack, json!({ "ok": true }));
        assert!(read("text/html", "<h1>Welcome</h1>").is_err());
    }

    #[test]
    fn an_envelope_has_an_ack_and_events() {
        let emit = r#"{"event":"paid","args":[1],"to":{"users":["bob"]}}"#;
        let reply = read(ENVELOPE, &format!(r#"{{"ack":null,"emit":[{emit}]}}"#)).unwrap();
        assert_eq!((reply.ack, reply.emits.len()), (Value::Null, 1));
        assert_eq!(read(ENVELOPE, "{}").unwrap().ack, json!({ "ok": true }));
    }

    #[test]
    fn an_envelope_that_does_not_fit_is_none() {
        let to_nobody = r#"{"emit":[{"event":"paid","to":{}}]}"#;
        let reserved = r#"{"emit":[{"event":"connect","to":{"users":["bob"]}}]}"#;
        for body in ["", "[]", r#"{"acks":1}"#, to_nobody, reserved] {
            assert!(read(ENVELOPE, body).is_err(), "{body}");
        }
        let one = r#"{"event":"paid","to":{"users":["bob"]}}"#;
        let many = vec![one; MAX_EMITS + 1].join(",");
        assert!(read(ENVELOPE, &format!(r#"{{"emit":[{many}]}}"#)).is_err());
    }
}
