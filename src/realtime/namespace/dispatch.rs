//! From a packet to an event's handler, in the socket's own order, and back to its ack.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use metrics::Counter;
use serde::{Serialize, de::DeserializeOwned};
use socketioxide_core::Value;
use tokio::time::{Instant, timeout};

use super::{answer::Answer, arguments, codec::Encoded, observe::Sight};
use crate::{
    error::{Code, Error, Result},
    realtime::{
        Acks, Context, EventLimits, Exceeded, Handling,
        connection::CloseReason,
        queue::{Job, Runner},
    },
    telemetry::{self, series},
};

/// A successful ack, ready to be encoded.
pub type Reply = Box<dyn erased_serde::Serialize + Send + Sync>;

/// A decoded event, waiting for its turn.
type Call = Box<dyn FnOnce(Context) -> BoxFuture<'static, Result<Reply>> + Send>;

type Decode = dyn Fn(&Value) -> Result<Call> + Send + Sync;

/// One event of a namespace.
pub struct Route {
    /// Its name.
    pub name: Arc<str>,
    /// How it is taken.
    pub handling: Handling,
    decode: Box<Decode>,
    /// Counts those that went well.
    pub handled: OnceLock<Counter>,
}

/// A namespace's events by name.
pub type Table = HashMap<Arc<str>, Arc<Route>>;

/// Of two routes with one name, the later one counts.
pub fn table(routes: Vec<Route>) -> Table {
    let by_name = |route: Route| (route.name.clone(), Arc::new(route));
    routes.into_iter().map(by_name).collect()
}

#[derive(Serialize)]
struct Success<R> {
    ok: bool,
    #[serde(flatten)]
    reply: R,
}

impl Route {
    pub fn new<A, R, F, Fut>(name: &str, handling: Handling, handler: F) -> Self
    where
        A: DeserializeOwned + Send + 'static,
        R: Serialize + Send + Sync + 'static,
        F: Fn(A, Context) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<R>> + Send + 'static,
    {
        let decode = move |value: &Value| -> Result<Call> {
            let args: A = arguments::read(handling.arguments, value)?;
            let handler = handler.clone();
            Ok(Box::new(move |context| {
                Box::pin(async move {
                    let reply = handler(args, context).await?;
                    Ok(match handling.acks {
                        Acks::Object => Box::new(Success { ok: true, reply }) as Reply,
                        Acks::Bare => Box::new(reply),
                    })
                })
            }))
        };
        Self {
            name: name.into(),
            handling,
            decode: Box::new(decode),
            handled: OnceLock::new(),
        }
    }
}

/// An event on its way to its handler.
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its name and arguments.
    pub value: Value,
    /// The ack that it asks for.
    pub ack: Option<i64>,
}

/// How a namespace's events are handled.
pub struct Rules {
    /// The events.
    pub routes: Table,
    /// How many of them may come.
    pub events: Arc<EventLimits>,
    /// How long the handling of one event may take.
    pub event_timeout: Duration,
    /// The largest event, in bytes.
    pub payload_bytes: usize,
}

/// Takes an event of a socket. What is returned handles it. An error must end its connection.
pub fn dispatch(context: &Context, event: Event) -> Result<Option<Runner>, CloseReason> {
    let arrived_at = Instant::now();
    let Event { name, value, ack } = event;
    let session = &context.session;
    if session.is_expelled() {
        return Ok(None);
    }
    let rules = context.rules();
    let route = rules.routes.get(name.as_str());
    // Whoever looks on is not to be able to act as the user.
    if route.is_none_or(|route| !route.handling.is_secret) {
        let received = || Sight::Received(session.id().clone(), Encoded::of(&value));
        context.namespace().show_event(received);
    }
    let answer = Answer::new(context, route, name, ack);
    match rules.events.check(session.bucket(), session.user_id()) {
        Ok(()) => {}
        Err(Exceeded::Rate(error)) => {
            answer.send(Err(error));
            return Ok(None);
        }
        Err(Exceeded::Flood) => return Err(CloseReason::Flood),
    }
    let bytes = size(&value).min(rules.payload_bytes);
    // Events come one after the other, so that what has room now has it below.
    if !session.queue().has_room(bytes) {
        telemetry::limited(Code::QueueFull);
        answer.send(Err(Error::new(Code::QueueFull, "Too many events at once")));
        return Ok(None);
    }
    let call = prepare(rules, route, &value);
    // The token may have been renewed since the socket connected.
    let context = Context {
        identity: session.identity(),
        asks: ack.is_some(),
        ..context.clone()
    };
    let limit = rules.event_timeout;
    let work = async move {
        let result = match call {
            Ok(call) => guarded(call, context, limit).await,
            Err(error) => Err(error),
        };
        let end = move || {
            answer.send(result);
            series::event_seconds().record(arrived_at.elapsed().as_secs_f64());
        };
        Some(Box::new(end) as Box<dyn FnOnce() + Send>)
    };
    let job = Job {
        order: route
            .map_or_else(Handling::default, |route| route.handling)
            .order,
        bytes,
        work: Box::pin(work),
    };
    Ok(session.queue().push(job))
}

/// Refuses an event of which only the beginning was read.
pub fn refuse_oversized(context: &Context, name: String, ack: Option<i64>) {
    telemetry::limited(Code::PayloadTooLarge);
    let route = context.rules().routes.get(name.as_str());
    Answer::new(context, route, name, ack).send(Err(too_large()));
}

fn too_large() -> Error {
    Error::new(Code::PayloadTooLarge, "The event is too large")
}

/// The event's call, or why there is none.
fn prepare(rules: &Rules, route: Option<&Arc<Route>>, value: &Value) -> Result<Call> {
    if size(value) > rules.payload_bytes {
        return Err(too_large());
    }
    match route {
        Some(route) => (route.decode)(value),
        None => Err(Error::new(Code::UnknownEvent, "Unknown event")),
    }
}

/// Its bytes, binaries among them.
pub fn size(value: &Value) -> usize {
    match value {
        Value::Str(text, binaries) => {
            let binaries = binaries.iter().flatten().map(|binary| binary.len());
            text.len() + binaries.sum::<usize>()
        }
        Value::Bytes(bytes) => bytes.len(),
    }
}

/// A handler that panics or does not end fails its own event and nothing else.
async fn guarded(call: Call, context: Context, limit: Duration) -> Result<Reply> {
    let handling = AssertUnwindSafe(async { call(context).await }).catch_unwind();
    match timeout(limit, handling).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => {
            tracing::error!("an event's handler panicked");
            Err(Error::internal())
        }
        Err(_) => Err(Error::new(
            Code::TimedOut,
            "It took too long; it is not known whether it took effect",
        )),
    }
}
