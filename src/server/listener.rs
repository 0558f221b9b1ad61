//! Accepting connections and serving HTTP/1 and HTTP/2 on them.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::realtime::streams::Hangup;

/// How long to wait before accepting again when that failed, for want of descriptors say.
const PAUSE: Duration = Duration::from_millis(100);

/// The most bytes of a request's head, and of an answer that wait in the library's own buffer.
const BUFFER_BYTES: usize = 64 * 1024;

/// How long written bytes may stay unconfirmed by the peer's system.
#[cfg(target_os = "linux")]
const UNCONFIRMED: Duration = Duration::from_secs(60);

/// Serves until `stop` ends, then answers the requests under way.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    header_read_timeout: Duration,
    stop: impl Future<Output = ()>,
) {
    let connections = Arc::new(GracefulShutdown::new());
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (router, watcher) = (router.clone(), connections.watcher());
                tokio::spawn(async move {
                    let connection = Connection {
                        stream,
                        peer,
                        header_read_timeout,
                    };
                    connection.serve(router, watcher).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    if let Some(connections) = Arc::into_inner(connections) {
        connections.shutdown().await;
    }
}

/// What is written goes out at once. A peer that has vanished without a word is noticed by what it
/// does not confirm: nothing is written to an event stream but now and then a comment.
fn configure(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(UNCONFIRMED))?;
    Ok(())
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    header_read_timeout: Duration,
}

impl Connection {
    async fn serve(self, router: Router, watcher: hyper_util::server::graceful::Watcher) {
        if let Err(error) = configure(&self.stream) {
            tracing::debug!(%error, "a connection keeps the system's settings");
        }
        let (peer, asked) = (self.peer, Arc::new(AtomicBool::new(false)));
        let (asks, hangup) = (asked.clone(), Hangup::default());
        let hangs_up = hangup.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            asks.store(true, Ordering::Relaxed);
            let extensions = request.extensions_mut();
            extensions.insert(ConnectInfo(peer));
            extensions.insert(hangs_up.clone());
            router.clone().oneshot(request.map(Body::new))
        });
        let mut server = auto::Builder::new(TokioExecutor::new());
        server
            .http1()
            .timer(TokioTimer::new())
            .max_buf_size(BUFFER_BYTES)
            .header_read_timeout(self.header_read_timeout);
        server.http2().timer(TokioTimer::new());
        let serving = server.serve_connection_with_upgrades(TokioIo::new(self.stream), service);
        let mut serving = std::pin::pin!(watcher.watch(serving));
        // The library's own limit begins once it knows which protocol is spoken.
        let first = async {
            tokio::time::sleep(self.header_read_timeout).await;
            if asked.load(Ordering::Relaxed) {
                std::future::pending().await
            }
        };
        let served = tokio::select! {
            served = &mut serving => served,
            () = first => return,
            () = hangup.wanted() => return,
        };
        if let Err(error) = served {
            tracing::trace!(%error, "a connection ended");
        }
    }
}
