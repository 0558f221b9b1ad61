//! A server that is one cluster with Node's servers, by `cluster.adapter = "node"`, and calls them: what
//! `io.fetchSockets()`, `io.timeout(…).emitWithAck(…)` and `io.serverSideEmit(…)` are there.

use std::time::Duration;

use roomcast::{
    Context, Error, Event, Namespace, Result, Server,
    config::{Config, Sources},
    domain::{Args, Room},
    ports::{Ended, FoundSocket, Whom},
};
use serde::{Deserialize, Serialize};

/// Which sockets are meant, as Node's `to` and `except` name them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    rooms: Vec<String>,
    except: Vec<String>,
    /// Rooms to join or leave.
    moves: Vec<String>,
    event: String,
    args: Vec<rmpv::Value>,
    within_ms: u64,
}

fn rooms(names: &[String]) -> Vec<Room> {
    names
        .iter()
        .map(|name| Room::named(name.as_str()))
        .collect()
}

impl Named {
    fn whom(&self) -> Whom {
        Whom {
            rooms: rooms(&self.rooms),
            except: rooms(&self.except),
        }
    }
}

/// What servers or clients have answered, and how many servers there are.
#[derive(Serialize)]
struct Answers<T> {
    found: Vec<T>,
    complete: bool,
    servers: usize,
}

/// Events of backends, each a call of the servers in this socket's namespace.
macro_rules! calls {
    ($($(#[doc = $doc:literal])+ $name:ident = $event:literal -> $reply:ty, $call:expr;)*) => {$(
        $(#[doc = $doc])+
        #[derive(Deserialize)]
        #[serde(transparent)]
        struct $name(Named);

        impl Event for $name {
            const NAME: &'static str = $event;
            type Reply = $reply;

            async fn handle(self, cx: Context) -> Result<$reply> {
                if !cx.identity().is_service() {
                    return Err(Error::not_found("Only backends may ask"));
                }
                $call(self.0, cx).await
            }
        }
    )*};
}

calls! {
    /// `io.in(…).fetchSockets()`.
    Fetch = "servers:fetch" -> Answers<FoundSocket>, async |named: Named, cx: Context| {
        let servers = &cx.services().servers;
        let fetched = servers.fetch("/", &named.whom()).await;
        let (found, complete) = (fetched.found, fetched.is_complete);
        Ok(Answers { found, complete, servers: servers.count("/").await })
    };
    /// `io.in(…).socketsJoin(…)`.
    Join = "servers:join" -> (), async |named: Named, cx: Context| {
        cx.services().servers.join("/", &named.whom(), &rooms(&named.moves));
        Ok(())
    };
    /// `io.in(…).socketsLeave(…)`.
    Leave = "servers:leave" -> (), async |named: Named, cx: Context| {
        cx.services().servers.leave("/", &named.whom(), &rooms(&named.moves));
        Ok(())
    };
    /// `io.in(…).disconnectSockets()`.
    Disconnect = "servers:disconnect" -> (), async |named: Named, cx: Context| {
        cx.services().servers.disconnect("/", &named.whom(), Ended::Socket);
        Ok(())
    };
    /// `io.timeout(…).to(…).emitWithAck(…)`.
    Ask = "servers:ask" -> Answers<rmpv::Value>, async |named: Named, cx: Context| {
        let servers = &cx.services().servers;
        let (whom, within) = (named.whom(), Duration::from_millis(named.within_ms));
        let asked = servers.ask("/", &whom, (&named.event, Args(named.args)), within).await;
        let (found, complete) = (asked.found, asked.is_complete);
        Ok(Answers { found, complete, servers: servers.count("/").await })
    };
    /// `io.serverSideEmit(…)`.
    Tell = "servers:tell" -> (), async |named: Named, cx: Context| {
        cx.services().servers.tell("/", (&named.event, Args(named.args)));
        Ok(())
    };
    /// `io.serverSideEmitWithAck(…)`.
    Call = "servers:call" -> Answers<rmpv::Value>, async |named: Named, cx: Context| {
        let servers = &cx.services().servers;
        let called = servers.call("/", (&named.event, Args(named.args))).await;
        let (found, complete) = (called.found, called.is_complete);
        Ok(Answers { found, complete, servers: servers.count("/").await })
    };
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let env = Sources::environment();
    let config = Config::load(&Sources {
        env,
        ..Sources::default()
    })?;
    roomcast::telemetry::init(&config.log);
    let listener =
        tokio::net::TcpListener::bind((config.server.host.as_str(), config.server.port)).await?;
    let namespace = Namespace::new("/")
        .on::<Fetch>()
        .on::<Join>()
        .on::<Leave>()
        .on::<Disconnect>()
        .on::<Ask>()
        .on::<Tell>()
        .on::<Call>()
        // What another server asks by `io.serverSideEmit("add", 1, 2, (error, sums) => …)`.
        .on_server_event("add", |(a, b): (i64, i64), _| async move { a + b })
        // What another server says by `io.serverSideEmit("hello", name)`; told to everybody here.
        .on_server_event("hello", |(name,): (String,), servers| async move {
            let all = Whom::default();
            servers
                .ask(
                    "/",
                    &all,
                    ("greeted", Args(vec![name.into()])),
                    Duration::ZERO,
                )
                .await;
        });
    let ended = async {
        let term = tokio::signal::unix::SignalKind::terminate();
        match tokio::signal::unix::signal(term) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    Server::new(config)
        .namespace(namespace)
        .run(listener, ended)
        .await?;
    Ok(())
}
