//! Values that are used but never shown.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

/// Stands for what is not shown.
const HIDDEN: &str = "***";

/// Text that is never shown: it appears as `***` (as nothing when empty) wherever it is written.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn shown(&self) -> &'static str {
        if self.is_empty() { "" } else { HIDDEN }
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.shown())
    }
}

/// Why a text cannot be an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// The text is empty.
    #[error("an API key must not be empty")]
    Empty,
    /// The text begins with `sha256:` but is no digest.
    #[error("`sha256:` must be followed by 64 hexadecimal digits")]
    Digest,
}

/// API keys, of which only the SHA-256 digests are kept.
///
/// Read from texts: a key in clear, or `sha256:` and the 64 hexadecimal digits of its digest.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ApiKeys(Vec<[u8; 32]>);

impl ApiKeys {
    /// From keys in clear or as digests.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, ApiKeyError> {
        texts
            .into_iter()
            .map(digest)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The digest of each key.
    pub fn digests(&self) -> &[[u8; 32]] {
        &self.0
    }
}

fn digest(text: &str) -> Result<[u8; 32], ApiKeyError> {
    if text.is_empty() {
        return Err(ApiKeyError::Empty);
    }
    let Some(digits) = text.strip_prefix("sha256:") else {
        return Ok(Sha256::digest(text).into());
    };
    let mut digest = [0; 32];
    hex::decode_to_slice(digits, &mut digest).map_err(|_| ApiKeyError::Digest)?;
    Ok(digest)
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |digest: &[u8; 32]| format!("sha256:{}…", hex::encode(&digest[..4]));
        f.debug_list().entries(self.0.iter().map(short)).finish()
    }
}

impl Serialize for ApiKeys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|_| HIDDEN))
    }
}

impl<'de> Deserialize<'de> for ApiKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        Self::new(texts.iter().map(String::as_str)).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    #[test]
    fn a_secret_is_never_shown() {
        let secret = Secret::new("hunter2");
        assert_eq!(secret.expose(), "hunter2");
        assert_eq!(format!("{secret} {secret:?}"), r#"*** "***""#);
        assert_eq!(serde_json::to_string(&secret).unwrap(), r#""***""#);
    }

    #[test]
    fn an_api_key_is_the_same_in_clear_and_as_its_digest() {
        let clear = ApiKeys::new(["secret"]).unwrap();
        let hashed = ApiKeys::new([format!("sha256:{DIGEST}").as_str()]).unwrap();
        assert_eq!(clear, hashed);
        assert_eq!(hex::encode(clear.digests()[0]), DIGEST);
        assert_eq!(format!("{clear:?}"), r#"["sha256:2bb80d53…"]"#);
    }

    #[test]
    fn an_empty_key_or_half_a_digest_is_refused() {
        assert_eq!(ApiKeys::new([""]), Err(ApiKeyError::Empty));
        assert_eq!(ApiKeys::new(["sha256:abcd"]), Err(ApiKeyError::Digest));
    }
}
