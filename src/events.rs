//! What clients may send in the namespace `/`: one file a feature, wire type → service → ack.

mod auth;
mod chat;
mod direct;
mod forward;
mod presence;
mod sync;
mod typing;
mod watch;

use crate::{
    realtime::{Acks, Arguments, Failure, Handling, Order, namespace::Namespace},
    services::Services,
};

/// How events are taken that append to a feed: their place in it is theirs from the first poll.
const APPENDS: Handling = Handling {
    order: Order::FirstPoll,
    failure: Failure::AckOrEvent,
    arguments: Arguments::First,
    acks: Acks::Object,
    is_secret: false,
};

/// Roomcast's own events.
macro_rules! own {
    ($($event:ty),+ $(,)?) => {
        fn with_own(namespace: Namespace) -> Namespace {
            namespace$(.on::<$event>())+
        }

        #[cfg(test)]
        const OWN: &[&str] = &[$(<$event as crate::realtime::Event>::NAME),+];
    };
}

own! {
    auth::Refresh,
    chat::Join,
    chat::Leave,
    chat::Send,
    chat::SendAsChatMessage,
    chat::Edit,
    chat::Delete,
    chat::Read,
    chat::Since,
    typing::Start,
    typing::Stop,
    direct::Send,
    presence::Update,
    presence::Get,
    sync::Since,
}

/// The namespace `/` with all of Roomcast's own events and those of rules.
pub fn root(services: &Services) -> Namespace {
    let mut root = with_own(Namespace::new("/"));
    for rule in &services.watch.rules {
        root = watch::with_rule(root, rule);
    }
    for way in &services.forwards {
        root = forward::with_rule(root, way);
    }
    root
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_rule_can_take_an_event_of_roomcast_s_own() {
        let sorted = |names: &[&'static str]| {
            let mut names = names.to_vec();
            names.sort_unstable();
            names
        };
        assert_eq!(sorted(super::OWN), sorted(&crate::config::OWN_EVENTS));
    }
}
