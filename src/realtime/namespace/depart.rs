//! What becomes of a socket's rooms, typing and presence when it ends.

use std::collections::HashSet;

use metrics::counter;

use super::observe::Sight;
use crate::{
    domain::Room,
    ports::{DisconnectReason, Left},
    realtime::{
        Context, Order,
        connection::CloseReason,
        queue::{Job, Pending},
        rooms::Departed,
    },
    services::Farewell,
    telemetry::metric,
};

/// Why a socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The client left the namespace.
    Client,
    /// The server ended it.
    Server(DisconnectReason),
    /// Its connection ended.
    Transport(CloseReason),
}

impl Cause {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client_disconnect",
            Self::Server(reason) => reason.as_str(),
            Self::Transport(reason) => reason.as_str(),
        }
    }

    /// Whether the device may be back in a moment.
    fn farewell(self) -> Farewell {
        match self {
            Self::Client | Self::Server(_) | Self::Transport(CloseReason::Server(_)) => {
                Farewell::Goodbye
            }
            Self::Transport(_) => Farewell::Vanished,
        }
    }

    /// Whether its client can have it back.
    fn departed(self) -> Departed {
        match self {
            Self::Transport(
                CloseReason::TransportClose
                | CloseReason::TransportError
                | CloseReason::PingTimeout
                | CloseReason::ConcurrentRequests
                | CloseReason::PayloadTooLarge
                | CloseReason::Stalled
                | CloseReason::OverBudget
                | CloseReason::ServerShutdown,
            ) => Departed::Dropped,
            Self::Client | Self::Server(_) | Self::Transport(_) => Departed::ForGood,
        }
    }
}

/// Counts an end.
pub fn count(reason: &'static str) {
    counter!(metric::DISCONNECTS, "reason" => reason).increment(1);
}

/// Ends what a socket held: after what it sent before, unless the server ended it.
pub fn depart(context: &Context, cause: Cause) {
    let session = &context.session;
    count(cause.as_str());
    session.leave();
    let (pending, cause) = match cause {
        // Its transport was faster than what was to end it.
        Cause::Transport(_) if session.is_expelled() => (Pending::Dropped, Cause::Client),
        _ if session.is_expelled() => (Pending::Dropped, cause),
        _ => (Pending::Finished, cause),
    };
    let work = leave(context.clone(), cause);
    session
        .queue()
        .close(pending, Job::plain(Order::Serial, 0, work));
}

async fn leave(context: Context, cause: Cause) {
    let rooms = context.namespace().rooms();
    let id = context.socket_id();
    let namespace = context.namespace();
    namespace.forget_token(id);
    let webhooks = &context.services().webhooks;
    webhooks.disconnected(id, cause.as_str());
    // First the session with its rooms, for its client to have back, then what others see.
    let left: Vec<Room> = rooms.rooms_of(id);
    let is_chat = |room: &&Room| room.chat_id().is_some();
    let chats: Vec<Room> = left.iter().filter(is_chat).cloned().collect();
    let last_in = rooms.remove(&context.session, cause.departed());
    let last_in: HashSet<Room> = last_in.into_iter().collect();
    namespace.show(|| Sight::Ended(id.clone(), cause.as_str(), left));
    if context.namespace().is_root() {
        context.session.connection().forget_feeds();
    }
    if let Ok(speaker) = context.speaker()
        && context.namespace().is_root()
    {
        let services = context.services();
        for room in chats.iter().filter_map(Room::chat_id) {
            let left = if last_in.contains(&Room::chat(&room)) {
                Left::LastDevice
            } else {
                Left::AnotherDevice
            };
            services.chat.gone(speaker, &room, left).await;
        }
        let gone = services
            .presence
            .disconnected(&speaker.user.id, id, cause.farewell(), chats);
        if let Err(error) = gone.await {
            tracing::warn!(%error, "a device's presence could not be removed");
        }
    }
}
