//! The operator's backend, which is asked by HTTP.

use async_trait::async_trait;

/// What a backend said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The media type, without parameters and in lower case; "" where there is none.
    pub media_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl BackendAnswer {
    /// Whether the status is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What the answer tells people of a refusal: `error`, or `detail` as problem details have it.
    pub fn told(&self) -> Option<String> {
        let body: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        let text = body.get("error").or_else(|| body.get("detail"))?.as_str()?;
        Some(text.chars().take(MAX_TOLD_CHARS).collect())
    }
}

/// The longest text of a backend's refusal that clients are shown.
const MAX_TOLD_CHARS: usize = 200;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackendFault {
    /// None in time; it is not known whether the request took effect.
    #[error("no answer in time")]
    TimedOut,
    /// The backend cannot be reached.
    #[error("cannot be reached")]
    Unreachable,
    /// The connection broke.
    #[error("the connection broke")]
    Broken,
    /// The answer is larger than it may be.
    #[error("the answer is too large")]
    TooLarge,
}

/// Asks a backend.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// Posts a JSON body, once. `id` names the request.
    async fn ask(&self, id: &str, body: Vec<u8>) -> Result<BackendAnswer, BackendFault>;
}
