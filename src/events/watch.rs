//! Events that only join a room, by rule: `watch-delivery`, `join-product-room` and those that the
//! configuration adds.

use std::sync::Arc;

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    config::WatchRule,
    domain::WatchedId,
    realtime::{Context, Handling, namespace::Namespace},
    services::{Snapshot, Watched},
};

/// Adds the rule's events to a namespace.
pub fn with_rule(namespace: Namespace, rule: &Arc<WatchRule>) -> Namespace {
    let (begin, end) = (rule.clone(), rule.clone());
    let namespace = namespace.on_fn(
        &rule.event,
        Handling::default(),
        move |id: WatchedId, cx: Context| {
            let rule = begin.clone();
            async move {
                let (who, socket) = (cx.identity(), cx.socket_id());
                cx.services().watch.begin(&rule, who, socket, &id).await
            }
        },
    );
    if rule.leave.is_empty() {
        return namespace;
    }
    namespace.on_fn(
        &rule.leave,
        Handling::default(),
        move |id: WatchedId, cx: Context| {
            let rule = end.clone();
            async move {
                let (who, socket) = (cx.identity(), cx.socket_id());
                cx.services().watch.end(&rule, who, socket, &id)
            }
        },
    )
}

impl Serialize for Watched {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        match &self.snapshot {
            Snapshot::None => {}
            Snapshot::Position(position) => map.serialize_entry("location", position)?,
            Snapshot::Stock(stock) => map.serialize_entry("inventory", stock)?,
        }
        map.end()
    }
}
