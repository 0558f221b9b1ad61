//! Events that servers send each other (`serverSideEmit`), and who takes them.

use std::{collections::HashMap, sync::Arc};

use futures::future::BoxFuture;
use rmpv::Value;
use serde::{Serialize, de::DeserializeOwned};

use super::{Hub, Namespace};
use crate::{domain::Args, ports::Servers};

/// What takes an event of another server; what it gives back is the answer.
pub type ServerHandler =
    Arc<dyn Fn(Args, Arc<dyn Servers>) -> BoxFuture<'static, Value> + Send + Sync>;

/// The handlers of all namespaces, by path and event.
pub(super) type ServerEvents = HashMap<(&'static str, String), ServerHandler>;

impl Namespace {
    /// Takes an event that another server sends by `serverSideEmit`. The arguments are read as a list;
    /// what the handler gives back is the answer, where the other server wants one. It must come within
    /// 4 s; of arguments that do not fit, or without a handler, nothing is the answer.
    #[must_use]
    pub fn on_server_event<A, R, F, Fut>(mut self, name: &str, handler: F) -> Self
    where
        A: DeserializeOwned + Send + 'static,
        R: Serialize + Send + 'static,
        F: Fn(A, Arc<dyn Servers>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = R> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let handle = move |args: Args, servers| -> BoxFuture<'static, Value> {
            let handler = handler.clone();
            Box::pin(async move {
                let Ok(args) = rmpv::ext::from_value(Value::Array(args.0)) else {
                    return Value::Nil;
                };
                let reply = handler(args, servers).await;
                rmpv::ext::to_value(reply).unwrap_or(Value::Nil)
            })
        };
        self.server_events.push((name.to_owned(), Arc::new(handle)));
        self
    }
}

impl Hub {
    /// What takes this event of other servers.
    pub fn server_event(&self, path: &'static str, event: &str) -> Option<ServerHandler> {
        let events = self.server_events.get()?;
        events.get(&(path, event.to_owned())).cloned()
    }
}
