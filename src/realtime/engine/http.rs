//! The endpoint's requests: handshakes, polls, posts and upgrades, answered as Node's server does.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::Request,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::{
    Eio3, Engine, EngineId, Hello, Message, Protocol, Transport,
    handshake::{accept, upgraded},
    payload,
    websocket::WebSocket,
};
use crate::{
    error::{Code, Error},
    realtime::connection::{CloseReason, Connection, PollRefused},
};

/// The client's address as the server has found it out, in a request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// Engine.IO's own errors, by its codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    UnknownTransport = 0,
    UnknownSession = 1,
    BadMethod = 2,
    BadRequest = 3,
    UnsupportedProtocol = 5,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let message = match self {
            Self::UnknownTransport => "Transport unknown",
            Self::UnknownSession => "Session ID unknown",
            Self::BadMethod => "Bad handshake method",
            Self::BadRequest => "Bad request",
            Self::UnsupportedProtocol => "Unsupported protocol version",
        };
        let body = json!({ "code": self as u8, "message": message });
        (StatusCode::BAD_REQUEST, NO_STORE, Json(body)).into_response()
    }
}

const NO_STORE: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

#[derive(Deserialize)]
struct Query {
    #[serde(rename = "EIO")]
    eio: Option<String>,
    transport: Option<String>,
    sid: Option<String>,
    token: Option<String>,
}

impl Engine {
    /// Answers a request to the endpoint's path.
    pub async fn serve(&self, request: Request) -> Response {
        match self.answer(request).await {
            Ok(response) => response,
            Err(refusal) => refusal.into_response(),
        }
    }

    async fn answer(&self, mut request: Request) -> Result<Response, Refusal> {
        let query = axum::extract::Query::<Query>::try_from_uri(request.uri());
        let axum::extract::Query(query) = query.map_err(|_| Refusal::BadRequest)?;
        let transport = match query.transport.as_deref() {
            Some("polling") => Transport::Polling,
            Some("websocket") => Transport::WebSocket,
            _ => return Err(Refusal::UnknownTransport),
        };
        let protocol = match query.eio.as_deref() {
            Some("4") => Protocol::V4,
            Some("3") if self.0.shared.options.eio3 == Eio3::Served => Protocol::V3,
            _ => return Err(Refusal::UnsupportedProtocol),
        };
        let session = match &query.sid {
            Some(id) => Some(self.session(id, protocol)?),
            None => None,
        };
        match (transport, session, request.method().clone()) {
            (Transport::Polling, Some(session), Method::GET) => {
                poll(session, payload::max_packets(request.headers())).await
            }
            (Transport::Polling, Some(session), Method::POST) => {
                Ok(self.post(session, request.into_body()).await)
            }
            (Transport::WebSocket, session, Method::GET) => {
                let accept = accept(request.headers()).ok_or(Refusal::BadRequest)?;
                let hello = hello(&request, query.token, protocol, transport);
                let upgrade = hyper::upgrade::on(&mut request);
                Ok(self.switch(session, &hello, upgrade, &accept))
            }
            (Transport::Polling, None, Method::GET) => {
                let hello = hello(&request, query.token, protocol, transport);
                Ok(self.open(&hello))
            }
            (_, Some(_), _) => Err(Refusal::BadRequest),
            (_, None, _) => Err(Refusal::BadMethod),
        }
    }

    fn session(&self, id: &str, protocol: Protocol) -> Result<Arc<Connection>, Refusal> {
        let session = EngineId::read(id).and_then(|id| self.0.shared.get(id));
        let session = session.ok_or(Refusal::UnknownSession)?;
        session.check_heartbeat();
        if session.has_ended() {
            return Err(Refusal::UnknownSession);
        }
        if session.protocol() != protocol {
            return Err(Refusal::BadRequest);
        }
        Ok(session)
    }

    /// Opens a polling session, and answers with its handshake.
    fn open(&self, hello: &Hello) -> Response {
        let incoming = match self.0.handler.open(hello) {
            Ok(incoming) => incoming,
            Err(error) => return error.into_response(),
        };
        let session = self.begin(hello, incoming, None);
        match session.poll(payload::SAFE_PACKETS) {
            Ok(mut body) => match body.try_recv() {
                Ok(body) => polled(body),
                Err(_) => Refusal::BadRequest.into_response(),
            },
            Err(_) => Refusal::UnknownSession.into_response(),
        }
    }

    async fn post(&self, session: Arc<Connection>, body: Body) -> Response {
        let options = &self.0.shared.options;
        if !session.is_polling() {
            return Refusal::BadRequest.into_response();
        }
        let Some(_posting) = session.begin_post() else {
            session.end(CloseReason::ConcurrentRequests);
            return Refusal::BadRequest.into_response();
        };
        let body = to_bytes(body, options.max_payload);
        let parts = match timeout(options.body_timeout, body).await {
            Ok(Ok(body)) => payload::decode(session.protocol(), &body),
            Ok(Err(_)) => {
                // Its client takes this for the end of the transport.
                session.end(CloseReason::PayloadTooLarge);
                let error = Error::new(Code::PayloadTooLarge, "The request is too large");
                return error.into_response();
            }
            Err(_) => {
                session.end(CloseReason::TransportError);
                return StatusCode::REQUEST_TIMEOUT.into_response();
            }
        };
        let taken = match parts {
            Ok(parts) => parts.into_iter().try_for_each(|part| {
                // What is returned does its work in a task: the answer to the post does not wait.
                drop(match part {
                    payload::Part::Text(text) => session.packet(text)?,
                    payload::Part::Binary(bytes) => session.receive(Message::Binary(bytes))?,
                });
                Ok(())
            }),
            Err(payload::Malformed) => Err(CloseReason::ParseError),
        };
        match taken {
            Err(CloseReason::TransportClose) => session.leave(),
            Err(reason) => {
                session.end(reason);
                return Refusal::BadRequest.into_response();
            }
            Ok(()) => {}
        }
        (NO_STORE, [(header::CONTENT_TYPE, "text/html")], "ok").into_response()
    }

    /// Switches to WebSocket: for a new session, or to take a polling one over.
    fn switch(
        &self,
        session: Option<Arc<Connection>>,
        hello: &Hello,
        upgrade: hyper::upgrade::OnUpgrade,
        accept: &str,
    ) -> Response {
        let max_message = self.0.shared.options.max_payload;
        let engine = self.clone();
        match session {
            Some(session) => {
                // Before the client hears that it may speak there.
                let tried = session.try_upgrade();
                tokio::spawn(async move {
                    match (upgraded(upgrade).await, tried) {
                        (Some((stream, early)), Ok(())) => {
                            let socket = WebSocket::new(stream, early, max_message);
                            socket.serve_upgrade(engine, session).await;
                        }
                        (Some((stream, early)), Err(_)) => {
                            WebSocket::new(stream, early, max_message).refuse();
                        }
                        (None, Ok(())) => session.abandon_upgrade(),
                        (None, Err(_)) => {}
                    }
                });
            }
            None => {
                let incoming = match self.0.handler.open(hello) {
                    Ok(incoming) => incoming,
                    Err(error) => return error.into_response(),
                };
                let hello = hello.clone();
                tokio::spawn(async move {
                    if let Some((stream, early)) = upgraded(upgrade).await {
                        let socket = WebSocket::new(stream, early, max_message);
                        // Of its own, so that the waiting for the upgrade does not stay with it.
                        tokio::spawn(socket.serve_new(&engine, &hello, incoming));
                    }
                });
            }
        }
        let switching = [
            (header::CONNECTION, "upgrade"),
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_ACCEPT, accept),
        ];
        (StatusCode::SWITCHING_PROTOCOLS, switching).into_response()
    }
}

async fn poll(session: Arc<Connection>, max_packets: usize) -> Result<Response, Refusal> {
    session.settle_upgrade().await;
    let answer = match session.poll(max_packets) {
        Ok(answer) => answer,
        Err(PollRefused::NotPolling) => return Err(Refusal::BadRequest),
        Err(PollRefused::Concurrent) => {
            session.end(CloseReason::ConcurrentRequests);
            return Err(Refusal::BadRequest);
        }
    };
    let mut aborted = Aborted(Some(session));
    let answered = answer.await;
    aborted.0 = None;
    answered.map(polled).map_err(|_| Refusal::UnknownSession)
}

/// Ends the session when its client hangs up before its poll was answered.
struct Aborted(Option<Arc<Connection>>);

impl Drop for Aborted {
    fn drop(&mut self) {
        if let Some(session) = self.0.take() {
            session.end(CloseReason::TransportClose);
        }
    }
}

fn polled(body: Vec<u8>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=UTF-8")];
    (NO_STORE, kind, body).into_response()
}

fn hello(
    request: &Request,
    token: Option<String>,
    protocol: Protocol,
    transport: Transport,
) -> Hello {
    let address = request.extensions().get::<ClientAddress>();
    Hello {
        ip: address.map(|ClientAddress(ip)| *ip),
        // Whoever can, brings it in `auth`, where no log of URLs has it.
        token: token.filter(|_| protocol == Protocol::V3),
        protocol,
        transport,
    }
}
