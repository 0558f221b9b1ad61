//! What clients may send in the namespace `/`: one file a feature, wire type → service → ack.

mod auth;
mod chat;
mod direct;
mod presence;
mod sync;
mod typing;
mod watch;

use crate::{
    realtime::{Acks, Arguments, Failure, Handling, Order, namespace::Namespace},
    services::Watch,
};

/// How events are taken that append to a feed: their place in it is theirs from the first poll.
const APPENDS: Handling = Handling {
    order: Order::FirstPoll,
    failure: Failure::AckOrEvent,
    arguments: Arguments::First,
    acks: Acks::Object,
};

/// The namespace `/` with all of Roomcast's own events.
pub fn root(watch: &Watch) -> Namespace {
    let mut root = Namespace::new("/")
        .on::<auth::Refresh>()
        .on::<chat::Join>()
        .on::<chat::Leave>()
        .on::<chat::Send>()
        .on::<chat::SendAsChatMessage>()
        .on::<chat::Edit>()
        .on::<chat::Delete>()
        .on::<chat::Read>()
        .on::<chat::Since>()
        .on::<typing::Start>()
        .on::<typing::Stop>()
        .on::<direct::Send>()
        .on::<presence::Update>()
        .on::<presence::Get>()
        .on::<sync::Since>();
    for rule in &watch.rules {
        root = watch::with_rule(root, rule);
    }
    root
}
