//! From a packet to an event's handler, in the socket's own order, and back to its ack.

use std::{borrow::Cow, collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use metrics::{counter, histogram};
use serde::{Serialize, de::DeserializeOwned};
use socketioxide_core::Value;
use tokio::time::{Instant, timeout};

use super::{arguments, client_sockets::Event, codec::Encoded, observe::Sight};
use crate::{
    error::{Code, Error, Result},
    ports::{Class, Emit},
    realtime::{
        Acks, Context, EventLimits, Exceeded, Failure, Handling,
        connection::{CloseReason, Connection},
        outbox::{Pushed, Treatment},
        queue::Job,
    },
    telemetry::{self, metric},
};

/// A successful ack, ready to be encoded.
type Reply = Box<dyn erased_serde::Serialize + Send + Sync>;

/// A decoded event, waiting for its turn.
type Call = Box<dyn FnOnce(Context) -> BoxFuture<'static, Result<Reply>> + Send>;

type Decode = dyn Fn(&Value) -> Result<Call> + Send + Sync;

/// One event of a namespace.
pub struct Route {
    name: Cow<'static, str>,
    handling: Handling,
    decode: Box<Decode>,
}

/// A namespace's events by name.
pub type Table = Arc<HashMap<Cow<'static, str>, Route>>;

/// Of two routes with one name, the later one counts.
pub fn table(routes: Vec<Route>) -> Table {
    let by_name = routes.into_iter().map(|route| (route.name.clone(), route));
    Arc::new(by_name.collect())
}

#[derive(Serialize)]
struct Success<R> {
    ok: bool,
    #[serde(flatten)]
    reply: R,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Refusal<'a> {
    ok: bool,
    error: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

#[derive(Serialize)]
struct ErrorEvent<'a> {
    message: &'a str,
    code: &'a str,
    event: &'a str,
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
            name: Cow::Owned(name.to_owned()),
            handling,
            decode: Box::new(decode),
        }
    }
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

/// Takes an event of a socket. An error must end its connection.
pub fn dispatch(context: &Context, event: Event) -> Result<(), CloseReason> {
    let arrived_at = Instant::now();
    let Event { value, ack } = event;
    let session = &context.session;
    if session.is_expelled() {
        return Ok(());
    }
    let rules = context.rules.clone();
    let name = arguments::event_name(&value).ok_or(CloseReason::ParseError)?;
    let route = rules.routes.get(name.as_str());
    let received = || Sight::Received(session.id().clone(), Encoded::of(&value));
    context.namespace.show_event(received);
    let answer = Answer::new(context, route, name.clone(), ack);
    match rules.events.check(session.bucket(), session.user_id()) {
        Ok(()) => {}
        Err(Exceeded::Rate(error)) => {
            answer.send(Err(error));
            return Ok(());
        }
        Err(Exceeded::Flood) => return Err(CloseReason::Flood),
    }
    let bytes = size(&value);
    let call = prepare(&rules, route, &value);
    // The token may have been renewed since the socket connected.
    let context = Context {
        identity: session.identity(),
        ..context.clone()
    };
    let refused = answer.clone();
    let limit = rules.event_timeout;
    let work = async move {
        let result = match call {
            Ok(call) => guarded(call, context, limit).await,
            Err(error) => Err(error),
        };
        let end = move || {
            answer.send(result);
            histogram!(metric::EVENT_SECONDS).record(arrived_at.elapsed().as_secs_f64());
        };
        Some(Box::new(end) as Box<dyn FnOnce() + Send>)
    };
    let job = Job {
        order: route
            .map_or_else(Handling::default, |route| route.handling)
            .order,
        bytes: bytes.min(rules.payload_bytes),
        work: Box::pin(work),
    };
    if session.queue().push(job).is_err() {
        telemetry::limited(Code::QueueFull);
        refused.send(Err(Error::new(Code::QueueFull, "Too many events at once")));
    }
    Ok(())
}

/// Refuses an event of which only the beginning was read.
pub fn refuse_oversized(context: &Context, name: String, ack: Option<i64>) {
    telemetry::limited(Code::PayloadTooLarge);
    let route = context.rules.routes.get(name.as_str());
    Answer::new(context, route, name, ack).send(Err(too_large()));
}

fn too_large() -> Error {
    Error::new(Code::PayloadTooLarge, "The event is too large")
}

/// The event's call, or why there is none.
fn prepare(rules: &Rules, route: Option<&Route>, value: &Value) -> Result<Call> {
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

/// Where an event's result goes.
#[derive(Clone)]
struct Answer {
    ack: Option<i64>,
    failure: Failure,
    known: bool,
    name: String,
    context: Context,
}

impl Answer {
    fn new(context: &Context, route: Option<&Route>, name: String, ack: Option<i64>) -> Self {
        Self {
            ack,
            failure: route.map_or_else(Failure::default, |route| route.handling.failure),
            // What is not declared shares one name in metrics, whatever clients make up.
            known: route.is_some(),
            name,
            context: context.clone(),
        }
    }

    fn send(self, result: Result<Reply>) {
        let outcome = result.as_ref().map_or_else(|e| e.code().as_str(), |_| "ok");
        let event = if self.known {
            self.name.clone()
        } else {
            "unknown".to_owned()
        };
        counter!(metric::EVENTS, "event" => event, "outcome" => outcome).increment(1);
        match result {
            Ok(reply) => self.acknowledge(&*reply),
            Err(error) => self.refuse(&error),
        }
    }

    fn refuse(self, error: &Error) {
        let code = error.code().as_str();
        if self.ack.is_none() || self.failure == Failure::AckAndEvent {
            let payload = ErrorEvent {
                message: error.message(),
                code,
                event: &self.name,
            };
            let to = [crate::domain::Room::socket(self.context.socket_id())];
            let emit = Emit::new(Class::Durable, &to, "error", &payload).volatile();
            self.context.namespace.emit(emit);
        }
        let retry_after = error.retry_after();
        self.acknowledge(&Refusal {
            ok: false,
            error: error.message(),
            code,
            retry_after_ms: retry_after
                .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(0) + 1),
        });
    }

    fn acknowledge(self, payload: &(impl Serialize + ?Sized)) {
        let Some(id) = self.ack else {
            return;
        };
        let namespace = &self.context.namespace;
        match namespace.encoder.ack(namespace.path(), id, payload) {
            Ok(packet) => {
                let connection = self.context.session.connection();
                if connection.push(&packet, Treatment::Answer) != Pushed::Queued {
                    Connection::count_drop("ack", "closed");
                }
            }
            Err(error) => {
                // The reply is no struct or map, say.
                tracing::error!(%error, event = self.name, "an ack could not be encoded");
                self.refuse(&Error::internal());
            }
        }
    }
}
