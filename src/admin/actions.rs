//! What administrators may do with sockets, wherever these are.

use rmpv::Value;

use super::Admin;
use crate::{
    domain::{Args, Room, check_event_name},
    error::{Error, Result},
    ports::{Class, Emit, Emitter, Ended, Whom},
    realtime::{Acks, Arguments, Context, Failure, Handling, Order, namespace::Namespace},
};

/// How the Admin UI calls it that they may.
pub(super) const FEATURES: [&str; 7] = [
    "EMIT",
    "JOIN",
    "LEAVE",
    "DISCONNECT",
    "MJOIN",
    "MLEAVE",
    "MDISCONNECT",
];

const HANDLING: Handling = Handling {
    order: Order::Serial,
    failure: Failure::AckOrEvent,
    arguments: Arguments::All,
    acks: Acks::Object,
    is_secret: false,
};

type Action = fn(&Admin, &Context, &[Value]) -> Result<()>;

/// Adds the actions.
pub(super) fn add(namespace: Namespace, admin: &Admin) -> Namespace {
    let actions: [(&str, Action); 4] = [
        ("emit", emit),
        ("join", join),
        ("leave", leave),
        ("_disconnect", disconnect),
    ];
    actions
        .into_iter()
        .fold(namespace, |namespace, (name, action)| {
            let admin = admin.clone();
            namespace.on_fn(name, HANDLING, move |args: Args, cx: Context| {
                let admin = admin.clone();
                async move { action(&admin, &cx, &args.0) }
            })
        })
}

/// `(namespace, room or socket or nothing, event, ...arguments)`
fn emit(admin: &Admin, cx: &Context, args: &[Value]) -> Result<()> {
    let path = admin.path(args.first())?;
    let rooms = filter(args.get(1))?.rooms;
    let name = text(args.get(2))?;
    check_event_name(name)?;
    note(cx, "emit", path, &rooms);
    let args = Args(args.get(3..).unwrap_or_default().to_vec());
    let emit = Emit::new(Class::Passing, &rooms, name, &args);
    admin.0.hub.emit(emit.in_namespace(path));
    Ok(())
}

/// `(namespace, room, room or socket or nothing)`
fn join(admin: &Admin, cx: &Context, args: &[Value]) -> Result<()> {
    let path = admin.path(args.first())?;
    let (room, whom) = (Room::named(text(args.get(1))?), filter(args.get(2))?);
    note(cx, "join", path, &whom.rooms);
    admin.0.servers.join(path, &whom, &[room]);
    Ok(())
}

/// The same.
fn leave(admin: &Admin, cx: &Context, args: &[Value]) -> Result<()> {
    let path = admin.path(args.first())?;
    let (room, whom) = (Room::named(text(args.get(1))?), filter(args.get(2))?);
    note(cx, "leave", path, &whom.rooms);
    admin.0.servers.leave(path, &whom, &[room]);
    Ok(())
}

/// `(namespace, whether the connection ends, too, room or socket or nothing)`
fn disconnect(admin: &Admin, cx: &Context, args: &[Value]) -> Result<()> {
    let path = admin.path(args.first())?;
    let ended = match args.get(1).and_then(Value::as_bool) {
        Some(true) => Ended::Connection,
        Some(false) | None => Ended::Socket,
    };
    let whom = filter(args.get(2))?;
    note(cx, "disconnect", path, &whom.rooms);
    admin.0.servers.disconnect(path, &whom, ended);
    Ok(())
}

impl Admin {
    /// The namespace that is meant.
    fn path(&self, named: Option<&Value>) -> Result<&'static str> {
        let named = text(named)?;
        let path = self.0.hub.paths().find(|path| *path == named);
        path.ok_or_else(|| Error::not_found("There is no such namespace"))
    }
}

fn text(value: Option<&Value>) -> Result<&str> {
    let text = value
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty());
    text.ok_or_else(|| Error::invalid_payload("A text is missing"))
}

/// Everybody, where nothing is named.
fn filter(value: Option<&Value>) -> Result<Whom> {
    match value {
        None | Some(Value::Nil) => Ok(Whom::default()),
        Some(Value::String(name)) if name.as_bytes().is_empty() => Ok(Whom::default()),
        Some(named) => Ok(Whom::room(Room::named(text(Some(named))?))),
    }
}

/// What administrators do is logged.
fn note(cx: &Context, action: &str, path: &str, rooms: &[Room]) {
    let admin = cx.socket_id().as_str();
    tracing::info!(
        admin,
        action,
        namespace = path,
        ?rooms,
        "an administrator acts"
    );
}
