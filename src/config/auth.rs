//! Who may connect, and how they prove who they are.

use std::time::Duration;

use super::{
    ApiKeys, Secret,
    error::{ConfigError, ensure, ensure_http_url},
    schema::section,
};

/// HS256 secrets shorter than this can be guessed; they are warned of, not refused.
const SHORT_SECRET_BYTES: usize = 16;

section! {
    /// Who may connect, and how they prove who they are.
    pub struct Auth = "auth" {
        /// The shared secret of HS256 tokens, 16 bytes or more. "" = no HS256 tokens.
        #[env("JWT_SECRET")]
        pub jwt_secret: Secret = Secret::default(),
        /// A JWKS file with the public keys of RS256, ES256 and EdDSA tokens. "" = off.
        pub jwks_file: String = String::new(),
        /// The http(s) address of such a JWKS. "" = off. Not together with jwks_file.
        pub jwks_url: String = String::new(),
        /// How long fetched or read keys are used before they are looked up again, in milliseconds.
        #[min(1)]
        pub jwks_refresh_ms: u64 = 300_000,
        /// The `iss` that tokens must carry. "" = any.
        pub issuer: String = String::new(),
        /// The `aud` that tokens must carry. "" = any.
        pub audience: String = String::new(),
        /// By how much `exp` and `nbf` may be off, for clocks that differ, in milliseconds.
        pub leeway_ms: u64 = 0,
        /// Let clients without a token in as guests, who may use only what is public.
        pub guests: bool = false,
        /// The keys of backends (`Authorization: Bearer <key>`), each in clear or as "sha256:" and
        /// the 64 hexadecimal digits of its SHA-256. [] = no backend may call.
        #[env("API_KEYS")]
        pub api_keys: ApiKeys = ApiKeys::default(),
    }
}

impl Auth {
    /// How long keys are used before they are looked up again.
    pub fn jwks_refresh(&self) -> Duration {
        Duration::from_millis(self.jwks_refresh_ms)
    }

    /// By how much a token's times may be off.
    pub fn leeway(&self) -> Duration {
        Duration::from_millis(self.leeway_ms)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let has_jwks = !self.jwks_file.is_empty() || !self.jwks_url.is_empty();
        ensure(!self.jwt_secret.is_empty() || has_jwks, || {
            "JWT_SECRET is not set: set it (or auth.jwks_file / auth.jwks_url), \
             or start with --dev"
                .into()
        })?;
        ensure(
            self.jwks_file.is_empty() || self.jwks_url.is_empty(),
            || "auth.jwks_file and auth.jwks_url are both set; set one of them".into(),
        )?;
        ensure_http_url("auth.jwks_url", &self.jwks_url)
    }

    pub(super) fn warning(&self) -> Option<String> {
        let length = self.jwt_secret.expose().len();
        (1..SHORT_SECRET_BYTES).contains(&length).then(|| {
            format!("auth.jwt_secret has {length} bytes; with fewer than {SHORT_SECRET_BYTES} it can be guessed")
        })
    }
}
