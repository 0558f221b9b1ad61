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
    /// What of an answer is read.
    pub reads: Reads,
}

/// What of an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// All of it; one that is too large, or does not come to its end, is a failure.
    Whole,
    /// Of success the status alone, whatever follows; of anything else as much as there is room for.
    Refusals,
}

#[async_trait]
impl Backend for HttpBackend {
    async fn ask(&self, id: &str, body: Vec<u8>) -> Result<BackendAnswer, BackendFault> {
        let response = self.webhook.post(id, body).await;
        let response = response.map_err(|error| fault(&error))?;
        let status = response.status().as_u16();
        let media_type = media_type(&response);
        let body = match self.reads {
            Reads::Refusals if (200..300).contains(&status) => Vec::new(),
            Reads::Refusals => self.read(response).await.0,
            Reads::Whole => match self.read(response).await {
                (body, None) => body,
                (_, Some(fault)) => return Err(fault),
            },
        };
        Ok(BackendAnswer {
            status,
            media_type,
            body,
        })
    }
}

impl HttpBackend {
    /// What has come, and why not all of it.
    async fn read(&self, mut response: Response) -> (Vec<u8>, Option<BackendFault>) {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Err(error) => return (body, Some(fault(&error.into()))),
                Ok(None) => return (body, None),
                Ok(Some(chunk)) if body.len() + chunk.len() > self.answer_bytes => {
                    return (body, Some(BackendFault::TooLarge));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
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
