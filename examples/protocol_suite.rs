//! A server that protocol conformance suites can be pointed at, on `PORT` (3000 by default).
//!
//! `/socket.io/` speaks Socket.IO v5: the namespaces `/` and `/custom` are open to anybody, answer a
//! connection by `auth` with what the client brought, `message` by `message-back`, and
//! `message-with-ack` by an ack. `/engine.io/` speaks bare Engine.IO v4 and says back what it hears.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::Request, routing::any};
use roomcast::{
    Context, Event, Namespace, Result, Server,
    config::{Config, Secret},
    domain::{Args, Room},
    realtime::{
        Acks, Arguments, Budget, CloseReason, Connection, Failure, Handling, Order, Packet, Runner,
        Treatment,
        engine::{Eio3, Engine, Handler, Hello, Incoming, Message, Options},
    },
};

const PING_INTERVAL_MS: u64 = 300;
const PING_TIMEOUT_MS: u64 = 200;
const MAX_PAYLOAD: usize = 1_000_000;

/// Suites listen for one message after the other; two that come in one read they may take for one.
const LISTENING: Duration = Duration::from_millis(20);

const ALL_ARGUMENTS: Handling = Handling {
    order: Order::Serial,
    failure: Failure::AckOrEvent,
    arguments: Arguments::All,
    acks: Acks::Bare,
    is_secret: false,
};

#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Back(Args);

impl Event for Back {
    const NAME: &'static str = "message";
    const HANDLING: Handling = ALL_ARGUMENTS;
    type Reply = ();

    async fn handle(self, cx: Context) -> Result<()> {
        cx.emit(&Room::socket(cx.socket_id()), "message-back", &self.0);
        Ok(())
    }
}

#[derive(serde::Deserialize)]
#[serde(transparent)]
struct WithAck(Args);

impl Event for WithAck {
    const NAME: &'static str = "message-with-ack";
    const HANDLING: Handling = ALL_ARGUMENTS;
    type Reply = Args;

    async fn handle(self, _: Context) -> Result<Args> {
        Ok(self.0)
    }
}

fn open_to_all(path: &'static str) -> Namespace {
    Namespace::new(path)
        .open_to_all()
        .on_connect(|cx, auth| async move {
            tokio::time::sleep(LISTENING).await;
            cx.emit(&Room::socket(cx.socket_id()), "auth", &auth);
        })
        .on::<Back>()
        .on::<WithAck>()
}

/// Bare Engine.IO: every message goes back.
struct Echo;

#[derive(Default)]
struct EchoSession(Option<Arc<Connection>>);

impl Handler for Echo {
    fn open(&self, _: &Hello) -> Result<Box<dyn Incoming>> {
        Ok(Box::new(EchoSession::default()))
    }
}

impl Incoming for EchoSession {
    fn begin(&mut self, connection: &Arc<Connection>) {
        self.0 = Some(connection.clone());
    }

    fn message(&mut self, message: Message) -> Result<Option<Runner>, CloseReason> {
        let packet = match message {
            Message::Text(text) => Packet::control('4', &text),
            Message::Binary(bytes) => Packet::binary(&bytes),
            Message::OversizedText(_) | Message::OversizedBinary => {
                return Err(CloseReason::PayloadTooLarge);
            }
        };
        if let Some(connection) = &self.0 {
            connection.push(&packet, Treatment::Must);
        }
        Ok(None)
    }

    fn closed(&mut self, _: CloseReason) {
        self.0 = None;
    }
}

fn engine() -> Engine {
    let options = Options {
        ping_interval: Duration::from_millis(PING_INTERVAL_MS),
        ping_timeout: Duration::from_millis(PING_TIMEOUT_MS),
        upgrade_timeout: Duration::from_secs(10),
        body_timeout: Duration::from_secs(10),
        stall_limit: Duration::from_secs(20),
        budget: Budget { bytes: 1_048_576 },
        max_payload: MAX_PAYLOAD,
        eio3: Eio3::Refused,
    };
    Engine::new(options, Arc::new(Echo))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = tempfile::tempdir()?;
    let mut config = Config::default();
    config.auth.jwt_secret = Secret::new("nobody signs in to this server");
    config.store.path = Secret::new(data.path().join("suite.db").display().to_string());
    config.limits.payload_bytes = MAX_PAYLOAD;
    config.socket.ping_interval_ms = PING_INTERVAL_MS;
    config.socket.ping_timeout_ms = PING_TIMEOUT_MS;
    config.socket.connect_timeout_ms = 1_500;
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let engine = engine();
    let echo = any(move |request: Request| async move { engine.serve(request).await });
    Server::bare(config)
        .namespace(open_to_all("/"))
        .namespace(open_to_all("/custom"))
        .routes(Router::new().route("/engine.io/", echo))
        .run(listener, std::future::pending())
        .await?;
    Ok(())
}
