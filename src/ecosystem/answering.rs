//! Doing what other servers want, and answering them at once: none waits for this node in vain.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use rmpv::Value;
use tokio::{sync::Semaphore, time::timeout};

use super::{
    built_in,
    calls::Calls,
    channels::Channels,
    core::Core,
    describe,
    message::{Answer, Event, Heard, Request},
};
use crate::{
    domain::Room,
    ports::{Class, Emit, Whom},
};

/// The most handlers of servers' events that run at a time; one more is answered with nothing.
const MAX_HANDLERS: usize = 1_024;

/// How long such a handler may take, so that Node, which waits for 5 s, has its answer.
const HANDLER_LIMIT: Duration = Duration::from_secs(4);

/// The longest that acks of clients are waited for.
const MAX_WAIT: Duration = Duration::from_secs(300);

static HANDLERS: Semaphore = Semaphore::const_new(MAX_HANDLERS);

/// Does what was heard.
pub(super) fn perform(core: &Arc<Core>, channels: &Channels, heard: Heard) {
    let (local, path) = (&core.local, channels.path);
    let Heard { from, id, request } = heard;
    let answer = |answer| {
        if let Some(id) = &id {
            core.answer(channels, (&from, id), answer);
        }
    };
    match request {
        Request::Emit {
            event,
            to,
            volatile,
        } => local.emit(path, &event, &to, volatile),
        Request::Join { to, rooms } => local.join(path, &to, &rooms),
        Request::Leave { to, rooms } => local.leave(path, &to, &rooms),
        Request::Disconnect { to, close } => local.disconnect(path, &to, close),
        Request::ServerSide { event } => server_side(core, channels, (from, id), event),
        // Of who is no member of Node's cluster no answer is expected.
        _ if core.dialect.is_none() => {}
        Request::Fetch { to } => answer(Answer::Sockets(sockets(core, path, &to))),
        Request::Ids { to } => {
            let found = local.namespace(path).select(&to.rooms, &to.except);
            let ids = found.iter().map(|session| session.id().to_string());
            answer(Answer::Ids(ids.collect()));
        }
        Request::Rooms => {
            let rooms = local.namespace(path).all_rooms();
            answer(Answer::Rooms(rooms.iter().map(Room::to_string).collect()));
        }
        Request::Ask { event, to, within } => {
            if let Some(id) = id {
                ask(core, channels, (from, id), (event, to), within);
            }
        }
    }
}

/// This node's sockets, described.
pub(super) fn sockets(core: &Core, path: &'static str, to: &Whom) -> Vec<Value> {
    let namespace = core.local.namespace(path);
    let found = namespace.select(&to.rooms, &to.except);
    let described = found
        .iter()
        .map(|session| describe::socket(&namespace.describe(session)));
    described.collect()
}

/// Asks this node's clients, and passes on what they answer.
fn ask(
    core: &Arc<Core>,
    channels: &Channels,
    (from, id): (String, String),
    (event, to): (Event, Whom),
    within: Duration,
) {
    let emit = Emit::new(Class::Passing, &to.rooms, &event.name, &event.args).except(&to.except);
    let asked = core.local.namespace(channels.path).ask(&emit);
    let count = asked.as_ref().map_or(0, |asked| asked.count);
    let whom = (from.as_str(), id.as_str());
    core.answer(channels, whom, Answer::Clients(count as u64));
    let Some(mut asked) = asked.filter(|asked| asked.count > 0) else {
        return;
    };
    let (core, channels) = (core.clone(), channels.clone());
    tokio::spawn(timeout(within.min(MAX_WAIT), async move {
        while let Some(ack) = asked.answers.recv().await {
            core.answer(&channels, (&from, &id), Answer::Ack(ack));
        }
    }));
}

/// Lets the handler of a server's event answer; where there is none, nothing is the answer.
fn server_side(
    core: &Arc<Core>,
    channels: &Channels,
    (from, id): (String, Option<String>),
    event: Event,
) {
    let reply = {
        let (core, channels) = (core.clone(), channels.clone());
        move |value| {
            if let Some(id) = &id {
                core.answer(&channels, (&from, id), Answer::ServerSide(value));
            }
        }
    };
    let handler = core.hub.server_event(channels.path, &event.name);
    let handler = handler.or_else(|| built_in::handler(channels.path, &event.name));
    let (Some(handler), Ok(permit)) = (handler, HANDLERS.try_acquire()) else {
        return reply(Value::Nil);
    };
    let servers = Arc::new(Calls(core.clone()));
    tokio::spawn(async move {
        let _permit = permit;
        let handling = async { handler(event.args, servers).await };
        let handling = AssertUnwindSafe(handling).catch_unwind();
        let value = match timeout(HANDLER_LIMIT, handling).await {
            Ok(Ok(value)) => value,
            Ok(Err(_)) => {
                tracing::error!(event = event.name, "a handler of a server's event panicked");
                Value::Nil
            }
            Err(_) => Value::Nil,
        };
        reply(value);
    });
}
