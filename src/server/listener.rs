//! Accepting connections and serving HTTP/1 and HTTP/2 on them.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{body::Body, extract::ConnectInfo};
use hyper::{
    Request,
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::{
    io::Interest,
    net::{TcpListener, TcpStream, lookup_host},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::again::Again;
use crate::{http::Outside, realtime::streams::Hangup};

/// How long to wait before accepting again when that failed, for want of descriptors say.
const PAUSE: Duration = Duration::from_millis(100);

/// The most bytes of a request's head, and of an answer that wait in the library's own buffer.
const BUFFER_BYTES: usize = 64 * 1024;

/// How often a client of HTTP/2 is asked whether it is there, and how long its answer may take.
const HTTP2_PING: Duration = Duration::from_secs(20);

/// How long written bytes may stay unconfirmed by the peer's system.
#[cfg(target_os = "linux")]
const UNCONFIRMED: Duration = Duration::from_secs(60);

/// The most connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// Takes an address and port, of which nobody can connect yet: who tries is refused, and may go
/// elsewhere. Fails when none of the host's addresses can be had.
pub async fn reserve(host: &str, port: u16) -> std::io::Result<TcpListener> {
    let mut last = std::io::ErrorKind::AddrNotAvailable.into();
    for address in lookup_host((host, port)).await? {
        match bind(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    TcpListener::from_std(socket.into())
}

/// Lets clients connect from now on.
pub(super) fn listen(listener: TcpListener) -> std::io::Result<TcpListener> {
    // A socket that does not listen yet counts as hung up: it is watched anew.
    let listener = listener.into_std()?;
    SockRef::from(&listener).listen(BACKLOG)?;
    TcpListener::from_std(listener)
}

/// Serves until `stop` ends, then answers the requests under way.
pub async fn serve(
    listener: TcpListener,
    routes: Outside,
    header_read_timeout: Duration,
    stop: impl Future<Output = ()>,
) {
    let (connections, stopping) = (TaskTracker::new(), CancellationToken::new());
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = Connection {
                    stream,
                    peer,
                    header_read_timeout,
                    stopping: stopping.clone(),
                };
                connections.spawn(connection.serve(routes.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    stopping.cancel();
    connections.close();
    connections.wait().await;
}

/// What is written goes out at once. A peer that has vanished without a word is noticed by what it
/// does not confirm: nothing is written to an event stream but now and then a comment.
fn configure(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    SockRef::from(stream).set_tcp_user_timeout(Some(UNCONFIRMED))?;
    Ok(())
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    header_read_timeout: Duration,
    stopping: CancellationToken,
}

impl Connection {
    async fn serve(self, routes: Outside) {
        if let Err(error) = configure(&self.stream) {
            tracing::debug!(%error, "a connection keeps the system's settings");
        }
        let (peer, hangup) = (self.peer, Hangup::default());
        let hangs_up = hangup.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            let extensions = request.extensions_mut();
            extensions.insert(ConnectInfo(peer));
            extensions.insert(hangs_up.clone());
            let routes = routes.clone();
            // An idle connection keeps a place for it.
            Box::pin(
                async move { Ok::<_, Infallible>(routes.answer(request.map(Body::new)).await) },
            )
        });
        let timeout = self.header_read_timeout;
        let protocol = tokio::select! {
            protocol = tokio::time::timeout(timeout, protocol(&self.stream)) => protocol,
            () = self.stopping.cancelled() => return,
        };
        let Ok(Some(protocol)) = protocol else {
            return;
        };
        let stream = TokioIo::new(self.stream);
        let served = match protocol {
            Protocol::Http1 => {
                let mut server = http1::Builder::new();
                server
                    .timer(TokioTimer::new())
                    .max_buf_size(BUFFER_BYTES)
                    .header_read_timeout(timeout);
                let serving = server.serve_connection(stream, service).with_upgrades();
                let mut serving = std::pin::pin!(serving);
                tokio::select! {
                    served = Again::new(serving.as_mut()) => served,
                    () = hangup.wanted() => Ok(()),
                    () = self.stopping.cancelled() => {
                        serving.as_mut().graceful_shutdown();
                        tokio::select! {
                            served = serving => served,
                            () = hangup.wanted() => Ok(()),
                        }
                    }
                }
            }
            Protocol::Http2 => {
                let mut server = http2::Builder::new(TokioExecutor::new());
                server
                    .timer(TokioTimer::new())
                    .keep_alive_interval(HTTP2_PING)
                    .keep_alive_timeout(HTTP2_PING);
                let serving = server.serve_connection(stream, service);
                let mut serving = std::pin::pin!(serving);
                tokio::select! {
                    served = &mut serving => served,
                    () = self.stopping.cancelled() => {
                        serving.as_mut().graceful_shutdown();
                        tokio::select! {
                            served = serving => served,
                            () = hangup.wanted() => Ok(()),
                        }
                    }
                }
            }
        };
        if let Err(error) = served {
            tracing::trace!(%error, "a connection ended");
        }
    }
}

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

/// What clients of HTTP/2 begin with, as far as it tells them from others.
const PREFACE: &[u8] = b"PRI";

/// How long to wait for the rest of what may be a preface: first, and at most. What has come already
/// hides whether more has.
const REST: (Duration, Duration) = (Duration::from_millis(2), Duration::from_secs(1));

/// Looks at what the client begins with, without taking it; none when it says nothing more. The
/// library could tell the protocols apart itself, but its first read would then need a buffer of
/// twice the size, which an idle connection keeps.
async fn protocol(stream: &TcpStream) -> Option<Protocol> {
    let mut first = [0; PREFACE.len()];
    let (mut rest, longest) = REST;
    loop {
        let count = stream.peek(&mut first).await.ok()?;
        let begin = &first[..count];
        if begin == PREFACE {
            return Some(Protocol::Http2);
        }
        if begin.is_empty() {
            return None;
        }
        if !PREFACE.starts_with(begin) {
            return Some(Protocol::Http1);
        }
        if stream
            .ready(Interest::READABLE)
            .await
            .ok()?
            .is_read_closed()
        {
            return None;
        }
        tokio::time::sleep(rest).await;
        rest = longest.min(rest * 2);
    }
}
