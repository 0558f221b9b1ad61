//! Bodies that nobody has read to their end, as of a request that is refused: they are read and
//! forgotten. A connection that is closed with bytes unread is reset, and its client may never see the
//! answer.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::header::EXPECT,
    response::Response,
};
use futures::StreamExt;
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;

/// How much of a body is read that nobody wants, in bytes, and for how long.
const MAX_BYTES: usize = 32 * 1024 * 1024;
const MAX_TIME: Duration = Duration::from_secs(5);

/// Answers the request, and reads what is left of its body then.
pub async fn finish(request: Request, answer: impl AsyncFnOnce(Request) -> Response) -> Response {
    // Who waits for leave to send a body has not sent it.
    if request.body().is_end_stream() || request.headers().contains_key(EXPECT) {
        return answer(request).await;
    }
    let (parts, body) = request.into_parts();
    let body = Shared(Arc::new(Mutex::new(body)));
    let request = Request::from_parts(parts, Body::new(body.clone()));
    let response = answer(request).await;
    if !body.is_end_stream() {
        // The answer goes out meanwhile.
        tokio::spawn(tokio::time::timeout(MAX_TIME, discard(body)));
    }
    response
}

async fn discard(body: Shared) {
    let mut left = Body::new(body).into_data_stream();
    let mut read = 0;
    while let Some(Ok(bytes)) = left.next().await
        && read < MAX_BYTES
    {
        read += bytes.len();
    }
}

/// A body that stays when its reader has gone.
#[derive(Clone)]
struct Shared(Arc<Mutex<Body>>);

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.0.lock()).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().size_hint()
    }
}
