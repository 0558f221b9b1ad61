//! What clients may send in the namespace `/`: one file a feature, wire type → service → ack.

mod chat;
mod direct;
mod presence;
mod typing;
mod watch;

use crate::{realtime::namespace::Namespace, services::Watch};

/// The namespace `/` with all of Roomcast's own events.
pub fn root(watch: &Watch) -> Namespace {
    let mut root = Namespace::new("/")
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
        .on::<presence::Get>();
    for rule in &watch.rules {
        root = watch::with_rule(root, rule);
    }
    root
}
