//! Who is talking: tokens, guests and API keys become a [`domain::Identity`](Identity).

mod api_keys;
mod claims;
mod jwk;
mod jwks;
mod jwks_source;
mod jwt;
mod known;
mod mint;
mod options;
mod revocations;
mod room_gate;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

use std::{path::Path, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

pub use jwks_source::JwksError;
pub use mint::{MintClaims, MintError, mint};
pub use options::{AuthOptions, AuthSetupError, Guests, JwksSource};
pub use room_gate::{WebhookGate, WebhookOptions};

use self::{
    api_keys::ApiKeys,
    claims::Expectations,
    jwks::{Jwks, Pace},
    jwks_source::Loader,
    jwt::Verifier,
    known::Known,
    revocations::Revocations,
};
use crate::{
    domain::{Identity, Timestamp, User},
    error::{Code, Error, Result},
    ports::{Revocation, RevocationStore},
};

/// The longest token or API key that is looked at, in bytes.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Identifies whoever connects or calls. Cheap to clone.
#[derive(Clone)]
pub struct Auth(Arc<Inner>);

struct Inner {
    verifier: Verifier,
    /// Of those who come with each request; a socket shows its token once.
    callers: Known,
    expectations: Expectations,
    guests: Guests,
    api_keys: ApiKeys,
    revocations: Revocations,
    revocation_store: Arc<dyn RevocationStore>,
}

impl Auth {
    /// Loads the keys and the revocations.
    ///
    /// Fails on a secret that is empty, a JWKS file that cannot be read, and a JWKS without a key
    /// that fits RS256, ES256 or EdDSA. A JWKS address that does not answer is only logged: it is
    /// asked again when a token needs it.
    pub async fn new(
        options: AuthOptions,
        revocations: Arc<dyn RevocationStore>,
    ) -> Result<Self, AuthSetupError> {
        let pace = Pace::new(options.jwks_refresh);
        Self::with_pace(options, revocations, pace).await
    }

    async fn with_pace(
        options: AuthOptions,
        revocation_store: Arc<dyn RevocationStore>,
        pace: Pace,
    ) -> Result<Self, AuthSetupError> {
        if options.jwt_secret.as_ref().is_some_and(Vec::is_empty) {
            return Err(AuthSetupError::EmptySecret);
        }
        let jwks = match options.jwks {
            Some(source) => Some(open_jwks(source, pace).await?),
            None => None,
        };
        let revoked = revocation_store.load(Timestamp::now()).await?;
        Ok(Self(Arc::new(Inner {
            verifier: Verifier::new(options.jwt_secret.as_deref(), jwks),
            callers: Known::default(),
            expectations: Expectations {
                issuer: options.issuer,
                audience: options.audience,
                leeway: options.leeway,
            },
            guests: options.guests,
            api_keys: ApiKeys::new(options.api_keys),
            revocations: Revocations::new(revoked),
            revocation_store,
        })))
    }

    /// Who holds this token; nobody's (absent or empty) is a guest's. Never accepts API keys.
    ///
    /// Fails with `Authentication required` when there is no token and guests are refused, and
    /// with `Invalid token` when there is one: the code says why.
    pub async fn identify(&self, token: Option<&str>) -> Result<Identity> {
        match token.filter(|token| !token.is_empty()) {
            Some(token) => self.verify(token).await.map_err(Error::invalid_token),
            None if self.allows_guests() => Ok(Identity::Guest),
            None => Err(Error::unauthenticated()),
        }
    }

    /// Who sent this bearer credential (see [`bearer`]): an API key's service, which is named by
    /// the first 8 hex digits of the key's SHA-256, else as [`Auth::identify`].
    pub async fn identify_bearer(&self, credential: Option<&str>) -> Result<Identity> {
        let short = credential.filter(|text| !text.is_empty() && text.len() <= MAX_TOKEN_BYTES);
        let Some(credential) = short else {
            return self.identify(credential).await;
        };
        let keys = self.0.verifier.keys();
        if let Some(user) = self.0.callers.find(credential, keys) {
            let (expiry, now) = (user.token.expires_at, Timestamp::now());
            let still = self.0.expectations.check_expiry(expiry, now);
            let still = still.and_then(|()| self.check_revoked(&user));
            return still
                .map(|()| Identity::User(user))
                .map_err(Error::invalid_token);
        }
        if let Some(service) = self.0.api_keys.service(credential) {
            return Ok(Identity::Service(service));
        }
        let identity = self.identify(Some(credential)).await?;
        if let Identity::User(user) = &identity {
            self.0.callers.add(credential, keys, user.clone());
        }
        Ok(identity)
    }

    /// Stores a revocation, then applies it at once. `until` is the `exp` of the revoked token.
    ///
    /// Fails with `store_unavailable`, and then nothing is revoked.
    pub async fn revoke(&self, revocation: Revocation, until: Option<Timestamp>) -> Result<()> {
        // The token itself is accepted for as long as the leeway after its `exp`.
        let stored = until.map(|expiry| expiry.plus(self.0.expectations.leeway));
        self.0.revocation_store.add(&revocation, stored).await?;
        self.note_revoked(revocation, until);
        Ok(())
    }

    /// Applies a revocation that is stored already.
    pub fn note_revoked(&self, revocation: Revocation, until: Option<Timestamp>) {
        let until = until.map(|expiry| expiry.plus(self.0.expectations.leeway));
        self.0.revocations.add(revocation, until, Timestamp::now());
    }

    /// Applies whatever is stored. Fails with `store_unavailable`.
    pub async fn reload(&self) -> Result<()> {
        let now = Timestamp::now();
        for revocation in self.0.revocation_store.load(now).await? {
            self.0.revocations.add(revocation, None, now);
        }
        Ok(())
    }

    /// Whether the user, or the token they came with, has been revoked since.
    pub fn is_revoked(&self, user: &User) -> bool {
        self.0.revocations.cover(user)
    }

    /// Whether somebody without a token is a guest.
    pub fn allows_guests(&self) -> bool {
        self.0.guests == Guests::Allowed
    }

    /// Names a token that carries no `jti`: SHA-256, in hex, of what is signed. The signature is
    /// left out, since one of ES256 can be changed into another that fits.
    pub fn digest(token: &str) -> String {
        let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
        hex::encode(Sha256::digest(signed))
    }

    /// When a token says that it expires. Nothing about it is checked: this only bounds how long
    /// its revocation is kept.
    pub fn expiry(token: &str) -> Option<Timestamp> {
        #[derive(serde::Deserialize)]
        struct Expiry {
            exp: i64,
        }
        let payload = token.split('.').nth(1)?;
        let json = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let Expiry { exp } = serde_json::from_slice(&json).ok()?;
        Some(Timestamp::from_ms(exp.saturating_mul(1000)))
    }

    async fn verify(&self, token: &str) -> Result<Identity, Code> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Code::TokenMalformed);
        }
        let payload = self.0.verifier.payload(token).await?;
        let (digest, now) = (Self::digest(token), Timestamp::now());
        let user = self.0.expectations.check(&payload, digest, now)?;
        self.check_revoked(&user)?;
        Ok(Identity::User(Arc::new(user)))
    }

    fn check_revoked(&self, user: &User) -> Result<(), Code> {
        if self.is_revoked(user) {
            return Err(Code::TokenRevoked);
        }
        Ok(())
    }
}

async fn open_jwks(source: JwksSource, pace: Pace) -> Result<Jwks, AuthSetupError> {
    let source_name = match &source {
        JwksSource::File(path) => format!("file {}", path.display()),
        JwksSource::Url(_) => "address".to_owned(),
    };
    let opened = match Loader::new(source) {
        Ok(loader) => Jwks::open(loader, pace).await,
        Err(error) => Err(error),
    };
    opened.map_err(|error| AuthSetupError::Jwks { source_name, error })
}

/// Whether the keys of a JWKS file can be used. An address is not asked.
pub fn check_jwks_file(path: &Path) -> Result<(), AuthSetupError> {
    let keys = jwks_source::read_keys(path).and_then(|keys| {
        if keys.is_empty() {
            Err(JwksError::NoUsableKey)
        } else {
            Ok(())
        }
    });
    keys.map_err(|error| AuthSetupError::Jwks {
        source_name: format!("file {}", path.display()),
        error,
    })
}

/// The credential of an `Authorization: Bearer …` header's value; the scheme in any case.
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, credential) = header.trim().split_once(' ')?;
    let credential = credential.trim_start();
    (scheme.eq_ignore_ascii_case("bearer") && !credential.is_empty()).then_some(credential)
}
