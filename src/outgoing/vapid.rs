//! Who we are to push services: VAPID (RFC 8292), a token signed for each of them.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use parking_lot::Mutex;
use serde::Serialize;
use url::Url;
use web_push_native::p256::{
    SecretKey, elliptic_curve::sec1::ToEncodedPoint, pkcs8::EncodePrivateKey,
};

use crate::domain::Timestamp;

/// How long a token is valid; push services take at most 24 hours.
const VALID: Duration = Duration::from_secs(12 * 60 * 60);

/// How long a token is used again. Some push services refuse who makes a new one for each message.
const REUSED: Duration = Duration::from_secs(6 * 60 * 60);

/// The most push services whose tokens are kept; beyond it all are made anew.
const MAX_TOKENS: usize = 1_000;

/// Why there can be no identity. It does not hold the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VapidError {
    /// The private key is none.
    #[error("is not the 32 bytes of a P-256 private key in base64url")]
    Key,
    /// The subject is none.
    #[error("must begin with mailto: or https:// and say who operates this server")]
    Subject,
}

impl VapidError {
    /// The key of the configuration that it is about.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Key => "vapid_private_key",
            Self::Subject => "vapid_subject",
        }
    }
}

/// The server's identity for push services.
pub struct Vapid {
    signing: EncodingKey,
    public_key: String,
    subject: String,
    tokens: Mutex<HashMap<String, Token>>,
}

struct Token {
    authorization: String,
    until: Instant,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    exp: i64,
    sub: &'a str,
}

impl Vapid {
    /// `private_key`: 32 bytes in base64url, without padding; `subject`: a `mailto:` or `https:`
    /// address by which a push service reaches the operator.
    pub fn new(private_key: &str, subject: &str) -> Result<Self, VapidError> {
        let bytes = URL_SAFE_NO_PAD
            .decode(private_key.trim_end_matches('='))
            .map_err(|_| VapidError::Key)?;
        let secret = SecretKey::from_slice(&bytes).map_err(|_| VapidError::Key)?;
        let der = secret.to_pkcs8_der().map_err(|_| VapidError::Key)?;
        let named = ["mailto:", "https://"]
            .into_iter()
            .filter_map(|start| subject.strip_prefix(start))
            .any(|rest| !rest.trim().is_empty());
        if !named {
            return Err(VapidError::Subject);
        }
        let point = secret.public_key().to_encoded_point(false);
        Ok(Self {
            signing: EncodingKey::from_ec_der(der.as_bytes()),
            public_key: URL_SAFE_NO_PAD.encode(point.as_bytes()),
            subject: subject.to_owned(),
            tokens: Mutex::default(),
        })
    }

    /// What browsers subscribe with: the uncompressed point in base64url.
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// The `Authorization` of a message to this endpoint. Absent when it cannot be signed.
    pub(super) fn authorization(&self, endpoint: &Url) -> Option<String> {
        let service = endpoint.origin().ascii_serialization();
        let now = Instant::now();
        let mut tokens = self.tokens.lock();
        if let Some(token) = tokens.get(&service)
            && token.until > now
        {
            return Some(token.authorization.clone());
        }
        let claims = Claims {
            aud: &service,
            exp: Timestamp::now().plus(VALID).as_secs(),
            sub: &self.subject,
        };
        let header = Header::new(Algorithm::ES256);
        let jwt = jsonwebtoken::encode(&header, &claims, &self.signing).ok()?;
        let authorization = format!("vapid t={jwt}, k={}", self.public_key);
        if tokens.len() >= MAX_TOKENS {
            tokens.clear();
        }
        let token = Token {
            authorization: authorization.clone(),
            until: now + REUSED,
        };
        tokens.insert(service, token);
        Some(authorization)
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation};
    use serde_json::Value;

    use super::*;

    // The example of RFC 8291, section 5.
    const PRIVATE: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
    const PUBLIC: &str =
        "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";

    #[test]
    fn a_token_is_for_one_push_service_and_can_be_verified_with_the_public_key() {
        let vapid = Vapid::new(PRIVATE, "mailto:ops@example.com").unwrap();
        assert_eq!(vapid.public_key(), PUBLIC);
        let endpoint = Url::parse("https://push.example:8443/abc?d=e").unwrap();
        let authorization = vapid.authorization(&endpoint).unwrap();
        let token = authorization.strip_prefix("vapid t=").unwrap();
        let (token, key) = token.split_once(", k=").unwrap();
        assert_eq!(key, PUBLIC);
        let point = URL_SAFE_NO_PAD.decode(key).unwrap();
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_audience(&["https://push.example:8443"]);
        let key = DecodingKey::from_ec_der(&point);
        let claims = jsonwebtoken::decode::<Value>(token, &key, &rules).unwrap();
        assert_eq!(claims.claims["sub"], "mailto:ops@example.com");
        let left = claims.claims["exp"].as_i64().unwrap() - Timestamp::now().as_secs();
        assert!((11 * 3600..=12 * 3600).contains(&left), "{left}");
    }

    #[test]
    fn a_token_is_used_again_for_its_push_service_alone() {
        let vapid = Vapid::new(PRIVATE, "https://example.com/contact").unwrap();
        let token = |url: &str| vapid.authorization(&Url::parse(url).unwrap()).unwrap();
        let first = token("https://push.example/a");
        assert_eq!(token("https://push.example/b"), first);
        assert_ne!(token("https://push.example.com/a"), first);
    }

    #[test]
    fn keys_and_subjects_that_are_none_are_refused() {
        let zero = "A".repeat(43);
        for key in ["", "abc", "%", PUBLIC, &zero] {
            let refused = Vapid::new(key, "mailto:ops@example.com").err();
            assert_eq!(refused, Some(VapidError::Key), "{key}");
        }
        for subject in ["", "mailto:", "ops@example.com", "http://example.com"] {
            let refused = Vapid::new(PRIVATE, subject).err();
            assert_eq!(refused, Some(VapidError::Subject), "{subject}");
        }
    }
}
