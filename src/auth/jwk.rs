//! One key of a JWKS, and which key a token means.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// The sizes of RSA modulus that are accepted, in bits (RFC 7518, section 3.3, and what the
/// verifier takes).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// The bytes of an Ed25519 key, and of each coordinate on P-256.
const CURVE_BYTES: usize = 32;

/// A key as RFC 7517 writes it; what does not matter here is left out.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    decoding: Arc<DecodingKey>,
}

impl Key {
    /// Absent when the key cannot verify RS256, ES256 or EdDSA.
    fn from_json(json: &Value) -> Option<Self> {
        let jwk = Jwk::deserialize(json).ok()?;
        if jwk
            .purpose
            .as_deref()
            .is_some_and(|purpose| purpose != "sig")
        {
            return None;
        }
        let (name, algorithm, decoding) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => ("RS256", Algorithm::RS256, rsa(&jwk.n?, &jwk.e?)?),
            ("EC", Some("P-256")) => {
                let (x, y) = (coordinate(&jwk.x?)?, coordinate(&jwk.y?)?);
                let point = [&[0x04], x.as_slice(), y.as_slice()].concat();
                ("ES256", Algorithm::ES256, DecodingKey::from_ec_der(&point))
            }
            ("OKP", Some("Ed25519")) => {
                let x = coordinate(&jwk.x?)?;
                ("EdDSA", Algorithm::EdDSA, DecodingKey::from_ed_der(&x))
            }
            _ => return None,
        };
        if jwk.alg.is_some_and(|declared| declared != name) {
            return None;
        }
        Some(Self {
            id: jwk.kid,
            algorithm,
            decoding: Arc::new(decoding),
        })
    }
}

fn rsa(modulus: &str, exponent: &str) -> Option<DecodingKey> {
    let modulus = URL_SAFE_NO_PAD.decode(modulus).ok()?;
    let exponent = URL_SAFE_NO_PAD.decode(exponent).ok()?;
    let leading = modulus.iter().position(|byte| *byte != 0)?;
    let bits = (modulus.len() - leading) * 8 - modulus[leading].leading_zeros() as usize;
    RSA_BITS
        .contains(&bits)
        .then(|| DecodingKey::from_rsa_raw_components(&modulus, &exponent))
}

fn coordinate(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    (bytes.len() == CURVE_BYTES).then_some(bytes)
}

/// What a key set says to a token's algorithm and `kid`.
pub enum Choice {
    /// This key verifies it.
    Key(Arc<DecodingKey>),
    /// The key that is named does not fit the algorithm, or none is named and several fit.
    Refused,
    /// A newer set may have the key.
    Unknown,
}

/// The usable keys of a JWKS.
#[derive(Default)]
pub struct KeySet(Vec<Key>);

impl KeySet {
    /// Reads a JWKS; absent when it is none. A key that is of no use here is skipped, since
    /// issuers list keys for other purposes too.
    pub fn from_json(json: &[u8]) -> Option<Self> {
        let set: Value = serde_json::from_slice(json).ok()?;
        let keys = set.get("keys")?.as_array()?;
        Some(Self(keys.iter().filter_map(Key::from_json).collect()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that `kid` names, or without it the only one that fits the algorithm.
    pub fn choose(&self, algorithm: Algorithm, kid: Option<&str>) -> Choice {
        let named = |key: &&Key| kid.is_none() || key.id.as_deref() == kid;
        let mut fitting = self
            .0
            .iter()
            .filter(named)
            .filter(|key| key.algorithm == algorithm);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Choice::Key(Arc::clone(&key.decoding)),
            (Some(_), Some(_)) => Choice::Refused,
            (None, _) if kid.is_some() && self.0.iter().any(|key| named(&key)) => Choice::Refused,
            (None, _) => Choice::Unknown,
        }
    }
}
