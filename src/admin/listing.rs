//! Telling administrators of the sockets that are there.

use std::time::Duration;

use rmpv::Value;

use super::{Admin, shown};
use crate::domain::Room;

/// The most sockets of a node that somebody who comes is told.
const MAX_LISTED: usize = 10_000;

/// So many of them are told at a time, then a while nothing, so that they find room on their way.
const PAGE: usize = 200;
const PAGE_PAUSE: Duration = Duration::from_millis(50);

/// Where users are.
const ROOT: &str = "/";

/// How sockets are told that were there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    /// As all that there are.
    First,
    /// As more of them.
    More,
}

impl Admin {
    /// Tells of this node's sockets, page by page; of one that ends meanwhile is told after that.
    pub(super) async fn list(&self, to: &[Room], mut listing: Listing) {
        let namespaces = self.0.hub.paths().map(|path| self.0.hub.namespace(path));
        let all = namespaces.flat_map(|namespace| {
            let sessions = namespace.select(&[], &[]);
            let each = sessions.into_iter();
            each.map(move |session| (namespace.clone(), session))
        });
        let all: Vec<_> = all.take(MAX_LISTED).collect();
        let mut pages = all.chunks(PAGE);
        let mut next = pages.next();
        while next.is_some() || listing == Listing::First {
            let page = next.unwrap_or_default().iter();
            let there = page.filter(|(_, session)| !session.is_gone());
            let sockets = there.map(|(namespace, session)| {
                let described = namespace.describe(session);
                (shown::socket(namespace.path(), &described), described.since)
            });
            if listing == Listing::First {
                // The page opens with `/` where it has heard of it, though its sockets be elsewhere.
                self.emit(to, "socket_updated", vec![shown::mention(ROOT)]);
                let sockets = sockets.map(|(socket, _)| socket).collect();
                self.emit(to, "all_sockets", vec![Value::Array(sockets)]);
                listing = Listing::More;
            } else {
                for (socket, since) in sockets {
                    let args = vec![socket, since.to_string().into()];
                    self.emit(to, "socket_connected", args);
                }
            }
            next = pages.next();
            if next.is_some() {
                tokio::time::sleep(PAGE_PAUSE).await;
            }
        }
    }
}
