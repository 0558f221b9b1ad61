//! Events that the operator's backend answers: sent by HTTP, within limits, with its response as the
//! ack.

mod circuit;
mod reply;

use std::{sync::Arc, time::Duration};

use metrics::{gauge, histogram};
use serde::Serialize;
use serde_json::Value;
use tokio::{sync::Semaphore, time::Instant};

pub use reply::{ENVELOPE, MAX_EMITS};

use self::{circuit::Circuit, reply::Reply};
use super::{Emits, seldom::Seldom, watch::check_may};
use crate::{
    config::Who,
    domain::{EntryId, Identity, Role, Room, SocketId, Timestamp, UserId},
    error::{Code, Error, Result},
    ports::{Backend, BackendAnswer, BackendFault},
    telemetry::{self, metric},
};

/// How an event is forwarded.
pub struct ForwardOptions {
    /// The event.
    pub event: String,
    /// Who may send it.
    pub who: Who,
    /// The most requests under way at a time.
    pub max_in_flight: usize,
    /// After how many failures in a row the backend is left alone.
    pub failures: u32,
    /// For how long.
    pub pause: Duration,
}

/// One event's way to its backend.
pub struct Forward {
    options: ForwardOptions,
    backend: Arc<dyn Backend>,
    emits: Arc<Emits>,
    places: Semaphore,
    circuit: Circuit,
    failures: Seldom,
}

/// An event of a socket, for its backend.
pub struct ForwardedEvent<'a> {
    /// Its arguments.
    pub args: Vec<Value>,
    /// Who sent it.
    pub who: &'a Identity,
    /// By which socket.
    pub socket: &'a SocketId,
    /// The rooms that the socket is in.
    pub rooms: Vec<Room>,
}

/// What the backend is sent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    id: &'a str,
    event: &'a str,
    args: &'a [Value],
    namespace: &'a str,
    socket_id: &'a SocketId,
    user_id: Option<&'a UserId>,
    username: Option<&'a str>,
    roles: Vec<&'static str>,
    rooms: Vec<&'a str>,
    sent_at: Timestamp,
}

impl Forward {
    /// A way that asks this backend and carries out by `emits` what it wants sent.
    pub fn new(options: ForwardOptions, backend: Arc<dyn Backend>, emits: Arc<Emits>) -> Self {
        Self {
            backend,
            emits,
            places: Semaphore::new(options.max_in_flight),
            circuit: Circuit::new(options.failures, options.pause),
            failures: Seldom::default(),
            options,
        }
    }

    /// The event's name.
    pub fn event(&self) -> &str {
        &self.options.event
    }

    /// Asks the backend; the ack. Fails at once with `backend_busy` or `backend_unavailable` where
    /// it is not asked.
    pub async fn forward(&self, event: ForwardedEvent<'_>) -> Result<Value> {
        check_may(self.options.who, event.who)?;
        let Ok(_place) = self.places.try_acquire() else {
            telemetry::limited(Code::BackendBusy);
            return Err(Error::new(
                Code::BackendBusy,
                "The backend has as much to do as it may; try again",
            ));
        };
        let Some(attempt) = self.circuit.enter() else {
            return Err(unavailable());
        };
        let in_flight = InFlight::new(self.event());
        let began = Instant::now();
        let outcome = self.ask(event).await;
        drop(in_flight);
        let seconds = began.elapsed().as_secs_f64();
        histogram!(metric::FORWARD_SECONDS, "event" => self.event().to_owned()).record(seconds);
        match &outcome {
            Err(error) if error.code() != Code::BackendRefused => attempt.failed(),
            _ => attempt.succeeded(),
        }
        let open = if self.circuit.is_closed() { 0.0 } else { 1.0 };
        gauge!(metric::FORWARD_OPEN, "event" => self.event().to_owned()).set(open);
        let Reply { ack, emits } = outcome?;
        for emit in emits {
            self.emits.emit(emit)?;
        }
        Ok(ack)
    }

    async fn ask(&self, event: ForwardedEvent<'_>) -> Result<Reply> {
        let id = EntryId::generate();
        let user = event.who.user().ok();
        let question = Question {
            id: id.as_str(),
            event: self.event(),
            args: &event.args,
            namespace: "/",
            socket_id: event.socket,
            user_id: user.map(|user| &user.id),
            username: user.map(|user| &*user.name),
            roles: user.map_or_else(Vec::new, |user| roles(&user.roles)),
            rooms: event.rooms.iter().map(Room::as_str).collect(),
            sent_at: Timestamp::now(),
        };
        let body = serde_json::to_vec(&question).map_err(|_| Error::internal())?;
        let answer = self.backend.ask(id.as_str(), body).await;
        self.read(answer)
    }

    fn read(&self, answer: Result<BackendAnswer, BackendFault>) -> Result<Reply> {
        let answer = answer.map_err(|fault| {
            self.complain(&fault.to_string());
            match fault {
                BackendFault::TimedOut => Error::new(
                    Code::TimedOut,
                    "The backend did not answer in time; it is not known whether it took effect",
                ),
                BackendFault::Unreachable => unavailable(),
                BackendFault::Broken | BackendFault::TooLarge => failed(),
            }
        })?;
        match answer.status {
            200..300 => Reply::read(&answer).map_err(|what| {
                self.complain(&format!("its answer cannot be understood: {what}"));
                failed()
            }),
            400..500 => {
                let told = answer.told();
                let told = told.unwrap_or_else(|| "The backend refused the event".into());
                Err(Error::new(Code::BackendRefused, told))
            }
            status => {
                self.complain(&format!("status {status}"));
                Err(failed())
            }
        }
    }

    fn complain(&self, what: &str) {
        if let Some(times) = self.failures.happened() {
            tracing::warn!(event = self.event(), what, times, "a backend failed");
        }
    }
}

fn unavailable() -> Error {
    let message = "The backend is unavailable; try again later";
    Error::new(Code::BackendUnavailable, message)
}

fn failed() -> Error {
    Error::new(Code::BackendFailed, "The backend failed")
}

fn roles(roles: &[Role]) -> Vec<&'static str> {
    roles.iter().map(|role| role.as_str()).collect()
}

/// A request under way, as the metric counts it.
struct InFlight(metrics::Gauge);

impl InFlight {
    fn new(event: &str) -> Self {
        let gauge = gauge!(metric::FORWARDS_IN_FLIGHT, "event" => event.to_owned());
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
