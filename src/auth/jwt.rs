//! The signature of a JWT: which key and algorithm may vouch for it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, crypto, errors::ErrorKind};
use serde::Deserialize;
use serde_json::Value;

use super::jwks::Jwks;
use crate::error::Code;

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// Checks signatures. The keys that are configured decide on the algorithm; the token's header
/// only says which of them it means.
pub struct Verifier {
    secret: Option<DecodingKey>,
    jwks: Option<Jwks>,
}

impl Verifier {
    pub fn new(secret: Option<&[u8]>, jwks: Option<Jwks>) -> Self {
        Self {
            secret: secret.map(DecodingKey::from_secret),
            jwks,
        }
    }

    /// Another number whenever the keys may be others. The public keys are read again as they age,
    /// as when they verify a token.
    pub fn keys(&self) -> u64 {
        self.jwks.as_ref().map_or(0, Jwks::round)
    }

    /// The payload of a token whose signature fits.
    pub async fn payload(&self, token: &str) -> Result<Vec<u8>, Code> {
        let (message, signature) = token.rsplit_once('.').ok_or(Code::TokenMalformed)?;
        let (header, payload) = message.split_once('.').ok_or(Code::TokenMalformed)?;
        if payload.contains('.') {
            return Err(Code::TokenMalformed);
        }
        let header: Header =
            serde_json::from_slice(&decode(header)?).map_err(|_| Code::TokenMalformed)?;
        // RFC 7515, section 4.1.11: what must be understood and is not makes a token invalid.
        if header.crit.is_some() {
            return Err(Code::TokenSignature);
        }
        self.check(&header, message, signature).await?;
        decode(payload)
    }

    async fn check(&self, header: &Header, message: &str, signature: &str) -> Result<(), Code> {
        let algorithm = match header.alg.as_str() {
            "HS256" => {
                let secret = self.secret.as_ref().ok_or(Code::TokenSignature)?;
                return verify(message, signature, secret, Algorithm::HS256);
            }
            "RS256" => Algorithm::RS256,
            "ES256" => Algorithm::ES256,
            "EdDSA" => Algorithm::EdDSA,
            _ => return Err(Code::TokenSignature),
        };
        let jwks = self.jwks.as_ref().ok_or(Code::TokenSignature)?;
        let key = jwks
            .find(algorithm, header.kid.as_deref())
            .await
            .ok_or(Code::TokenSignature)?;
        verify(message, signature, &key, algorithm)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, Code> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| Code::TokenMalformed)
}

fn verify(
    message: &str,
    signature: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
) -> Result<(), Code> {
    match crypto::verify(signature, message.as_bytes(), key, algorithm) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Code::TokenSignature),
        Err(error) if matches!(error.kind(), ErrorKind::Base64(_)) => Err(Code::TokenMalformed),
        Err(_) => Err(Code::TokenSignature),
    }
}
