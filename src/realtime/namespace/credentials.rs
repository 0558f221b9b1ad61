//! What a client brings when it asks for a namespace.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use socketioxide_core::Value;

use crate::error::{Code, Error, Result};

/// Who the client says it is, and which session it wants back.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Its token.
    pub token: Option<String>,
    /// The secret of the session that it had.
    pub pid: Option<String>,
    /// The last event that it has received.
    pub offset: Option<String>,
}

#[derive(Deserialize)]
struct Auth {
    token: Option<serde_json::Value>,
    pid: Option<serde_json::Value>,
    offset: Option<serde_json::Value>,
}

impl Credentials {
    /// From CONNECT's `auth`; the token may stand in the query instead. What is not an object
    /// brings nothing.
    pub fn read(auth: Option<&Value>, query_token: Option<&str>) -> Result<Self> {
        let query_token = query_token.map(str::to_owned);
        let Some(auth) = auth.and_then(object::<Auth>) else {
            let token = query_token;
            return Ok(Self {
                token,
                ..Self::default()
            });
        };
        let token = match auth.token {
            None | Some(serde_json::Value::Null) => query_token,
            Some(serde_json::Value::String(token)) => Some(token),
            Some(_) => return Err(Error::invalid_token(Code::TokenMalformed)),
        };
        let text = |value: Option<serde_json::Value>| value?.as_str().map(str::to_owned);
        Ok(Self {
            token,
            pid: text(auth.pid),
            offset: text(auth.offset),
        })
    }
}

/// What CONNECT brought; an empty object where that was nothing.
pub fn brought(auth: Option<&Value>) -> serde_json::Value {
    let auth = auth.and_then(object::<serde_json::Value>);
    auth.unwrap_or_else(|| json!({}))
}

/// What CONNECT brought, if it is that.
pub fn object<T: DeserializeOwned>(auth: &Value) -> Option<T> {
    match auth {
        Value::Str(text, _) => serde_json::from_str(text).ok(),
        Value::Bytes(bytes) => rmp_serde::from_slice(bytes).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(auth: &str, query: Option<&str>) -> Result<Credentials> {
        let auth = Value::Str(auth.to_owned().into(), None);
        Credentials::read(Some(&auth), query)
    }

    #[test]
    fn the_token_is_auth_s_else_the_query_s_and_must_be_a_text() {
        let token = |auth, query| read(auth, query).unwrap().token;
        assert_eq!(token(r#"{"token":"a"}"#, Some("q")).as_deref(), Some("a"));
        assert_eq!(token(r#"{"token":null}"#, Some("q")).as_deref(), Some("q"));
        assert_eq!(token("[]", Some("q")).as_deref(), Some("q"));
        assert_eq!(token("nonsense", None), None);
        let error = read(r#"{"token":7}"#, None).unwrap_err();
        assert_eq!(error.code(), Code::TokenMalformed);
    }

    #[test]
    fn what_is_wanted_back_must_be_texts_to_count() {
        let asked = read(r#"{"pid":"p","offset":"o"}"#, None).unwrap();
        assert_eq!(asked.pid.as_deref(), Some("p"));
        assert_eq!(asked.offset.as_deref(), Some("o"));
        let asked = read(r#"{"pid":1,"offset":{}}"#, None).unwrap();
        assert_eq!(asked, Credentials::default());
    }
}
