//! What becomes of an event: its ack, or an `error` event, and its place in the metrics.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use metrics::{Counter, SharedString, counter};
use serde::Serialize;

use super::dispatch::{Reply, Route};
use crate::{
    domain::Room,
    error::{Error, Result},
    ports::{Class, Emit},
    realtime::{
        Context, Failure,
        connection::Connection,
        outbox::{Pushed, Treatment},
    },
    telemetry::metric,
};

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

/// Where an event's result goes.
pub struct Answer {
    ack: Option<i64>,
    /// Of an event that is declared.
    route: Option<Arc<Route>>,
    name: String,
    context: Context,
}

impl Answer {
    /// `ack`: the number of the one that is asked for.
    pub fn new(
        context: &Context,
        route: Option<&Arc<Route>>,
        name: String,
        ack: Option<i64>,
    ) -> Self {
        Self {
            ack,
            route: route.cloned(),
            name,
            context: context.clone(),
        }
    }

    /// Counts it and tells it.
    pub fn send(self, result: Result<Reply>) {
        let outcome = result.as_ref().map_or_else(|e| e.code().as_str(), |_| "ok");
        match &self.route {
            Some(route) if result.is_ok() => {
                let handled = &route.handled;
                handled.get_or_init(|| self.counter(outcome)).increment(1);
            }
            Some(_) | None => self.counter(outcome).increment(1),
        }
        match result {
            Ok(reply) => self.acknowledge(&*reply),
            Err(error) => self.refuse(&error),
        }
    }

    fn counter(&self, outcome: &'static str) -> Counter {
        let event = match &self.route {
            Some(route) => SharedString::from(route.name.clone()),
            // What is not declared shares one name, whatever clients make up.
            None => SharedString::const_str("unknown"),
        };
        counter!(metric::EVENTS, "event" => event, "outcome" => outcome)
    }

    fn refuse(self, error: &Error) {
        let code = error.code().as_str();
        let failure = self.route.as_ref().map(|route| route.handling.failure);
        if self.ack.is_none() || failure == Some(Failure::AckAndEvent) {
            let payload = ErrorEvent {
                message: error.message(),
                code,
                event: &self.name,
            };
            let to = [Room::socket(self.context.socket_id())];
            let emit = Emit::new(Class::Durable, &to, "error", &payload).volatile();
            self.context.namespace().emit(emit);
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
        let namespace = self.context.namespace();
        let encode = || namespace.encoder.ack(namespace.path(), id, payload);
        // A reply is anybody's type.
        let Ok(encoded) = catch_unwind(AssertUnwindSafe(encode)) else {
            tracing::error!(event = self.name, "an ack's encoding panicked");
            return self.refuse(&Error::internal());
        };
        match encoded {
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
