//! Requests are done to their end: a caller that hangs up does not stop one between what it stores and
//! what it tells.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{extract::Request, middleware::Next, response::Response};
use futures::future::BoxFuture;
use tokio::runtime::Handle;

/// Answers the request. It goes on in a task of its own when nobody waits for the answer any more.
pub async fn run(request: Request, next: Next) -> Response {
    ToEnd(Some(Box::pin(next.run(request)))).await
}

struct ToEnd(Option<BoxFuture<'static, Response>>);

impl Future for ToEnd {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        // What panics is not polled again.
        let Some(mut work) = self.0.take() else {
            return Poll::Pending;
        };
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(work);
        }
        polled
    }
}

impl Drop for ToEnd {
    fn drop(&mut self) {
        if let Some(work) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(work);
        }
    }
}
