//! The operator's backend by HTTP: a signed POST, and an answer of limited size.

use async_trait::async_trait;
use reqwest::{Response, header};

use super::{PostError, Webhook};
use crate::ports::{Backend, BackendAnswer, BackendFault};

/// A backend at an address. Its webhook's time limit holds for the whole answer.
pub struct HttpBackend {
    /// The address, and how it is signed for.
    pub webhook: Webhook,
    /// The largest answer, in bytes.
    pub answer_bytes: usize,
}

#[async_trait]
impl Backend for HttpBackend {
    async fn ask(&self, id: &str, body: Vec<u8>) -> Result<BackendAnswer, BackendFault> {
        let response = self.webhook.post(id, body).await;
        let response = response.map_err(|error| fault(&error))?;
        let status = response.status().as_u16();
        let media_type = media_type(&response);
        let body = self.read(response).await?;
        Ok(BackendAnswer {
            status,
            media_type,
            body,
        })
    }
}

impl HttpBackend {
    async fn read(&self, mut response: Response) -> Result<Vec<u8>, BackendFault> {
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await;
            match chunk.map_err(|error| fault(&error.into()))? {
                None => return Ok(body),
                Some(chunk) if body.len() + chunk.len() > self.answer_bytes => {
                    return Err(BackendFault::TooLarge);
                }
                Some(chunk) => body.extend_from_slice(&chunk),
            }
        }
    }
}

fn media_type(response: &Response) -> String {
    let value = response.headers().get(header::CONTENT_TYPE);
    let text = value.and_then(|value| value.to_str().ok());
    let named = text.unwrap_or_default().split(';').next();
    named.unwrap_or_default().trim().to_ascii_lowercase()
}

fn fault(error: &PostError) -> BackendFault {
    tracing::debug!(%error, "a backend could not be asked");
    match error {
        PostError::TimedOut => BackendFault::TimedOut,
        PostError::Connect => BackendFault::Unreachable,
        PostError::Unsigned | PostError::Other(_) => BackendFault::Broken,
    }
}
