//! Signatures of webhooks, as the Standard Webhooks specification lays down: HMAC-SHA256 over
//! `{webhook-id}.{webhook-timestamp}.{raw body}`.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    domain::Timestamp,
    error::{Code, Error, Result},
};

/// The three headers of a signed webhook.
#[derive(Clone, Copy, Debug)]
pub struct Signature<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`: seconds since 1970.
    pub timestamp: &'a str,
    /// `webhook-signature`: one or more of `v1,{base64}`, separated by spaces.
    pub signatures: &'a str,
}

/// The key that both sides share.
pub struct WebhookKey(Vec<u8>);

/// The error for every signature that does not fit; it does not say why.
pub(crate) fn invalid() -> Error {
    Error::new(Code::SignatureInvalid, "Invalid signature")
}

impl WebhookKey {
    /// `secret`: `whsec_` and base64, else plain text. Absent when that is not base64, and when
    /// nothing is left, with which anybody could sign.
    pub fn new(secret: &str) -> Option<Self> {
        let key = match secret.strip_prefix("whsec_") {
            Some(encoded) => STANDARD.decode(encoded).ok()?,
            None => secret.as_bytes().to_vec(),
        };
        (!key.is_empty()).then_some(Self(key))
    }

    /// The `webhook-signature` of a body.
    pub fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> Option<String> {
        let mac = self.mac(id, timestamp, body)?.finalize();
        Some(format!("v1,{}", STANDARD.encode(mac.into_bytes())))
    }

    /// Fails with `signature_invalid` when no signature fits the body, or when the signature's time
    /// is further than `tolerance` from ours, either way.
    pub fn check(
        &self,
        given: &Signature<'_>,
        body: &[u8],
        now: Timestamp,
        tolerance: Duration,
    ) -> Result<()> {
        let seconds: i64 = given.timestamp.parse().map_err(|_| invalid())?;
        let at = Timestamp::from_ms(seconds.saturating_mul(1000));
        if at.age(now) > tolerance || now.age(at) > tolerance {
            return Err(invalid());
        }
        let fits = given
            .signatures
            .split(' ')
            .filter_map(|signature| signature.strip_prefix("v1,"))
            .filter_map(|encoded| STANDARD.decode(encoded).ok())
            .any(|signature| {
                // Compares in constant time.
                self.mac(given.id, given.timestamp, body)
                    .is_some_and(|mac| mac.verify_slice(&signature).is_ok())
            });
        if fits { Ok(()) } else { Err(invalid()) }
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of the Standard Webhooks specification.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const GIVEN: Signature<'_> = Signature {
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp: "1614265330",
        signatures: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    };

    fn check(body: &[u8], seconds_later: i64) -> Result<()> {
        let now = Timestamp::from_ms((1_614_265_330 + seconds_later) * 1000);
        let key = WebhookKey::new(SECRET).unwrap();
        key.check(&GIVEN, body, now, Duration::from_secs(300))
    }

    #[test]
    fn the_specifications_example_is_made_and_accepted() {
        let key = WebhookKey::new(SECRET).unwrap();
        let made = key.sign(GIVEN.id, GIVEN.timestamp, BODY);
        assert_eq!(made.as_deref(), Some(GIVEN.signatures));
        assert_eq!(check(BODY, 10), Ok(()));
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        for secret in ["", "whsec_", "whsec_%"] {
            assert!(WebhookKey::new(secret).is_none(), "{secret}");
        }
    }

    #[test]
    fn another_body_and_an_old_or_future_signature_are_refused() {
        assert_eq!(check(b"{}", 10), Err(invalid()));
        assert_eq!(check(BODY, 301), Err(invalid()));
        assert_eq!(check(BODY, -301), Err(invalid()));
    }
}
