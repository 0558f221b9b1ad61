//! Requests that the server makes of others: signed webhooks and Web Push.

mod backend;
mod push;
mod vapid;
mod webhook;

use std::time::Duration;

pub use backend::{HttpBackend, Reads};
pub use push::{HttpPush, WebPush};
pub use vapid::{Vapid, VapidError};
pub use webhook::{PostError, Webhook};

/// How long an idle connection is kept: less than the 5 s after which Node.js closes it, as a request
/// on a connection that is being closed fails.
const KEPT_IDLE: Duration = Duration::from_secs(4);

/// A client with connections of its own, which gives up after this time and follows no redirect:
/// an answer cannot send what is signed to somebody else. Fails when the TLS back end cannot be set
/// up.
fn client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    install_tls();
    reqwest::Client::builder()
        .timeout(timeout)
        .pool_idle_timeout(KEPT_IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

/// Lets HTTP clients speak TLS. Fails when a provider is installed already, which serves as well.
pub(crate) fn install_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
