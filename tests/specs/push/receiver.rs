//! A backend and push service that notes what it is sent and answers as it is told.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use parking_lot::Mutex;
use roomcast::{
    domain::Timestamp,
    webhook::{Signature, WebhookKey},
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

use crate::support::PATIENCE;

/// With which webhooks to a receiver are signed.
pub const RECEIVER_SECRET: &str = "a secret of the receiver";

/// A request that came.
#[derive(Debug)]
pub struct Received {
    /// The path with its query.
    pub path: String,
    headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Fails unless it is signed with the secret, now.
    pub fn check_signature(&self) {
        let signature = Signature {
            id: self.header("webhook-id"),
            timestamp: self.header("webhook-timestamp"),
            signatures: self.header("webhook-signature"),
        };
        let key = WebhookKey::new(RECEIVER_SECRET).unwrap();
        let (now, tolerance) = (Timestamp::now(), Duration::from_secs(60));
        key.check(&signature, &self.body, now, tolerance).unwrap();
    }
}

/// A receiver on a free port.
pub struct Receiver {
    origin: String,
    received: mpsc::UnboundedReceiver<Received>,
    shared: Arc<Shared>,
    server: tokio::task::AbortHandle,
}

struct Shared {
    received: mpsc::UnboundedSender<Received>,
    answers: Mutex<VecDeque<u16>>,
}

impl Receiver {
    /// Stands for no answer at all.
    pub const NEVER: u16 = 0;

    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (sender, received) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            received: sender,
            answers: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            origin,
            received,
            shared,
            server: server.abort_handle(),
        }
    }

    /// An address here.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The status of the next answers; then it is 201, and 410 to `/gone`.
    pub fn answer(&self, statuses: impl IntoIterator<Item = u16>) {
        self.shared.answers.lock().extend(statuses);
    }

    /// The next request, in the order in which they came.
    pub async fn next(&mut self) -> Received {
        let received = timeout(PATIENCE, self.received.recv()).await;
        received.expect("nothing came in time").unwrap()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let gone = uri.path() == "/gone";
    let told = shared.answers.lock().pop_front();
    let received = Received {
        path: uri.to_string(),
        headers,
        body: body.into(),
    };
    shared.received.send(received).unwrap();
    match told {
        Some(Receiver::NEVER) => std::future::pending().await,
        Some(status) => StatusCode::from_u16(status).unwrap(),
        None if gone => StatusCode::GONE,
        None => StatusCode::CREATED,
    }
}
