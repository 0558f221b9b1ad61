//! From a packet to an event's handler, in the socket's own order, and back to its ack.

use std::{borrow::Cow, collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use metrics::counter;
use serde::{Serialize, de::DeserializeOwned};
use socketioxide::{
    SendError,
    adapter::LocalAdapter,
    extract::{AckSender, Event as EventName},
    handler::{FromMessageParts, MessageHandler},
    socket::Socket,
};
use socketioxide_core::Value;
use tokio::time::timeout;

use super::{
    arguments,
    connect::{Ours, Parts},
};
use crate::{
    error::{Code, Error, Result},
    ports::{Class, Emit},
    realtime::{Context, Failure, Handling, queue::Job},
    telemetry::metric,
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
                    Ok(Box::new(Success { ok: true, reply }) as Reply)
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

/// Takes every event of one socket.
pub struct Dispatch {
    context: Context,
    parts: Arc<Parts>,
}

impl Dispatch {
    pub fn new(context: Context, parts: Arc<Parts>) -> Self {
        Self { context, parts }
    }

    /// The event's call, or why there is none.
    fn prepare(&self, route: Option<&Route>, value: &Value) -> Result<Call> {
        if size(value) > self.parts.payload_bytes {
            return Err(Error::new(Code::PayloadTooLarge, "The event is too large"));
        }
        match route {
            Some(route) => (route.decode)(value),
            None => Err(Error::new(Code::UnknownEvent, "Unknown event")),
        }
    }
}

impl MessageHandler<LocalAdapter, Ours> for Dispatch {
    fn call(&self, socket: Arc<Socket>, mut value: Value, ack_id: Option<i64>) {
        let Ok(EventName(name)) = EventName::from_message_parts(&socket, &mut value, &ack_id)
        else {
            return;
        };
        let route = self.parts.routes.get(name.as_str());
        let handling = route.map_or_else(Handling::default, |route| route.handling);
        let answer = Answer {
            socket: socket.clone(),
            ack_id,
            failure: handling.failure,
            // What is not declared shares one name in metrics, whatever clients make up.
            known: route.is_some(),
            name,
            context: self.context.clone(),
        };
        let session = &self.context.session;
        if session.is_expelled() {
            return;
        }
        let user = session.user_id();
        if let Err(error) = self.parts.events.check(session.bucket(), user) {
            return answer.send(Err(error));
        }
        let bytes = size(&value);
        let call = self.prepare(route, &value);
        // The token may have been renewed since the socket connected.
        let context = Context {
            identity: session.identity(),
            ..self.context.clone()
        };
        let refused = answer.clone();
        let limit = self.parts.event_timeout;
        let work = async move {
            let result = match call {
                Ok(call) => guarded(call, context, limit).await,
                Err(error) => Err(error),
            };
            answer.send(result);
        };
        let job = Job {
            order: handling.order,
            bytes: bytes.min(self.parts.payload_bytes),
            work: Box::pin(work),
        };
        if session.queue().push(job).is_err() {
            refused.send(Err(Error::new(Code::QueueFull, "Too many events at once")));
        }
    }
}

fn size(value: &Value) -> usize {
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
    socket: Arc<Socket>,
    ack_id: Option<i64>,
    failure: Failure,
    known: bool,
    name: String,
    context: Context,
}

impl Answer {
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
        if self.ack_id.is_none() || self.failure == Failure::AckAndEvent {
            let payload = ErrorEvent {
                message: error.message(),
                code,
                event: &self.name,
            };
            let to = [crate::domain::Room::socket(self.context.socket_id())];
            let emit = Emit::new(Class::Passing, &to, "error", &payload);
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
        // What the ack sender is made of does not include the event's value.
        let mut unused = Value::Bytes(Bytes::new());
        let Ok(ack) = AckSender::from_message_parts(&self.socket, &mut unused, &self.ack_id);
        match ack.send(payload) {
            Ok(()) => {}
            Err(SendError::Socket(error)) => {
                tracing::debug!(%error, event = self.name, "an ack could not be sent");
                counter!(metric::DROPS, "class" => "ack", "reason" => "closed").increment(1);
            }
            Err(SendError::Serialize(error)) => {
                // The reply is no struct or map, say.
                tracing::error!(%error, event = self.name, "an ack could not be encoded");
                self.refuse(&Error::internal());
            }
        }
    }
}
