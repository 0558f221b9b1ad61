//! A browser's push subscription, checked before anything is sent to the address that it names.

use std::fmt;

use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;
use url::{Host, Origin, Url};
use web_push_native::p256::PublicKey;

use crate::{
    domain::{SubscriptionId, Timestamp, UserId},
    error::{Error, Result},
};

/// The longest address of an endpoint, in bytes.
const MAX_ENDPOINT_BYTES: usize = 2_048;

/// Bytes of an uncompressed point on P-256.
const POINT_BYTES: usize = 65;

/// Bytes of the secret that authenticates what is encrypted (RFC 8291, section 3.2).
const AUTH_BYTES: usize = 16;

/// Browsers leave the padding out; some libraries write it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Which endpoints may be sent to: whatever a client names, no other host is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointHosts(Vec<Allowed>);

#[derive(Clone, Debug, PartialEq)]
enum Allowed {
    /// This host, by https on its own port.
    Host(String),
    /// Every host below this one, by https on its own port.
    Below(String),
    /// Exactly this scheme, host and port.
    Origin(Origin),
}

impl EndpointHosts {
    /// `patterns`: a host (`push.example.com`), all hosts below one (`*.push.example.com`), or an
    /// origin (`http://127.0.0.1:8080`). Fails with the pattern that is none of them.
    pub fn new<'a>(
        patterns: impl IntoIterator<Item = &'a str>,
    ) -> std::result::Result<Self, &'a str> {
        patterns
            .into_iter()
            .map(|pattern| Allowed::new(pattern).ok_or(pattern))
            .collect::<std::result::Result<_, _>>()
            .map(Self)
    }

    /// Whether the address may be sent to.
    pub fn allow(&self, endpoint: &Url) -> bool {
        let bare = endpoint.username().is_empty() && endpoint.password().is_none();
        bare && self.0.iter().any(|allowed| allowed.fits(endpoint))
    }
}

impl Allowed {
    fn new(pattern: &str) -> Option<Self> {
        if pattern.contains("://") {
            let url = Url::parse(pattern).ok()?;
            let only_origin =
                url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            let of_web = matches!(url.scheme(), "http" | "https") && url.username().is_empty();
            return (only_origin && of_web).then(|| Self::Origin(url.origin()));
        }
        match pattern.strip_prefix("*.") {
            Some(parent) => host(parent).map(Self::Below),
            None => host(pattern).map(Self::Host),
        }
    }

    fn fits(&self, endpoint: &Url) -> bool {
        let name = endpoint.host_str().unwrap_or_default();
        let by_https = endpoint.scheme() == "https" && endpoint.port().is_none();
        match self {
            Self::Host(host) => by_https && name == host,
            Self::Below(parent) => {
                let label = name.strip_suffix(parent.as_str());
                by_https && label.is_some_and(|label| label.len() > 1 && label.ends_with('.'))
            }
            Self::Origin(origin) => endpoint.origin() == *origin,
        }
    }
}

/// A host's name as addresses have it. Absent when the text is not one name and nothing else.
fn host(text: &str) -> Option<String> {
    match Host::parse(text).ok()? {
        Host::Domain(name) if !name.contains('*') => Some(name),
        Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

/// What a browser's `PushSubscription.toJSON()` gives.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BrowserSubscription {
    /// The address at the browser's push service.
    pub endpoint: String,
    /// When it ends, in milliseconds since 1970, if it does.
    #[serde(default)]
    pub expiration_time: Option<f64>,
    /// The browser's keys.
    pub keys: SubscriptionKeys,
}

/// A browser's keys, in base64url.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct SubscriptionKeys {
    /// Its public key: an uncompressed point on P-256.
    pub p256dh: String,
    /// The secret it shares with us: 16 bytes.
    pub auth: String,
}

/// A browser that takes pushes for a user. Its `Debug` shows neither address nor keys, with which
/// anybody could write to the browser.
#[derive(Clone, PartialEq)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Whose browser it is.
    pub user: UserId,
    /// The address at the browser's push service, as [`Subscription::endpoint`] writes it.
    pub endpoint: String,
    /// The browser's public key: an uncompressed point on P-256.
    pub p256dh: [u8; POINT_BYTES],
    /// The secret it shares with us.
    pub auth: [u8; AUTH_BYTES],
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was registered last.
    pub created_at: Timestamp,
}

impl Subscription {
    /// Checks what a browser gave. Fails with `invalid_payload`: the endpoint is no address of an
    /// allowed host, or the keys are none.
    pub fn new(user: UserId, given: &BrowserSubscription, hosts: &EndpointHosts) -> Result<Self> {
        let endpoint = Self::endpoint(&given.endpoint)?;
        if !hosts.allow(&endpoint) {
            return Err(Error::invalid_payload(
                "endpoint is not an https address of an allowed push service",
            ));
        }
        let point = bytes(&given.keys.p256dh).filter(|point: &[u8; POINT_BYTES]| {
            // On the curve: with another point the encryption would give keys away.
            PublicKey::from_sec1_bytes(point).is_ok()
        });
        let p256dh = point.ok_or_else(|| {
            Error::invalid_payload("keys.p256dh is not a point on P-256 in base64url")
        })?;
        let auth = bytes(&given.keys.auth)
            .ok_or_else(|| Error::invalid_payload("keys.auth is not 16 bytes in base64url"))?;
        Ok(Self {
            id: SubscriptionId::generate(),
            user,
            endpoint: endpoint.into(),
            p256dh,
            auth,
            expires_at: given.expiration_time.map(time),
            created_at: Timestamp::now(),
        })
    }

    /// An endpoint's address, written in the one way in which it is stored. Fails with
    /// `invalid_payload`.
    pub fn endpoint(text: &str) -> Result<Url> {
        let url = Url::parse(text).ok().filter(|url| {
            text.len() <= MAX_ENDPOINT_BYTES
                && url.as_str().len() <= MAX_ENDPOINT_BYTES
                && url.fragment().is_none()
        });
        url.ok_or_else(|| Error::invalid_payload("endpoint is not an address"))
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("id", &self.id)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

fn bytes<const N: usize>(encoded: &str) -> Option<[u8; N]> {
    // What is longer cannot be right, and is not worth decoding.
    if encoded.len() > N * 2 {
        return None;
    }
    BASE64.decode(encoded).ok()?.try_into().ok()
}

#[allow(clippy::cast_possible_truncation)] // Saturates, and a NaN means the beginning of time.
fn time(ms: f64) -> Timestamp {
    Timestamp::from_ms(ms as i64)
}
