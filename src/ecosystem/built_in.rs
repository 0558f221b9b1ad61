//! Events of servers that every node knows.

use std::sync::Arc;

use futures::FutureExt;
use rmpv::Value;

use super::value::map;
use crate::{domain::Args, ports::Servers, realtime::namespace::ServerHandler};

/// Answered with the node's name.
const PING: &str = "cluster:ping";

/// Makes the node tell its name to all servers.
const PING_BACK: &str = "cluster:ping-back";
const PONG: &str = "cluster:pong";

/// The handler of a built-in event.
pub(super) fn handler(path: &'static str, event: &str) -> Option<ServerHandler> {
    let named = |servers: &Arc<dyn Servers>| map([("server", servers.node().into())]);
    match event {
        PING => Some(Arc::new(move |_, servers| {
            async move { named(&servers) }.boxed()
        })),
        PING_BACK => Some(Arc::new(move |_, servers| {
            async move {
                servers.tell(path, (PONG, Args(vec![named(&servers)])));
                Value::Nil
            }
            .boxed()
        })),
        _ => None,
    }
}
