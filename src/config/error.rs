//! Why a configuration cannot be used.

use super::Secret;
use crate::webhook::WebhookKey;

/// One line that names the key, where its value came from if that is known, and what is wrong.
/// It never holds the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    pub(super) fn new(line: impl Into<String>) -> Self {
        Self(line.into())
    }
}

/// Fails with the line unless the condition holds.
pub(super) fn ensure(condition: bool, line: impl FnOnce() -> String) -> Result<(), ConfigError> {
    if condition {
        Ok(())
    } else {
        Err(ConfigError(line()))
    }
}

/// Fails when a webhook's secret is given and is no key.
pub(super) fn ensure_webhook_secret(key: &str, secret: &Secret) -> Result<(), ConfigError> {
    let is_key = WebhookKey::new(secret.expose()).is_some();
    ensure(secret.is_empty() || is_key, || {
        format!("{key} must have base64 after whsec_")
    })
}

/// Fails unless the text is empty or an HTTP address.
pub(super) fn ensure_http_url(key: &str, url: &str) -> Result<(), ConfigError> {
    let is_http = url.starts_with("http://") || url.starts_with("https://");
    ensure(url.is_empty() || is_http, || {
        format!("{key} must begin with http:// or https://")
    })
}
