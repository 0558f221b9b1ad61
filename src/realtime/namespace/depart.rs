//! What becomes of a socket's rooms, typing and presence when its connection ends.

use std::sync::Arc;

use metrics::counter;
use socketioxide::{
    adapter::LocalAdapter,
    handler::DisconnectHandler,
    socket::{DisconnectReason, Socket},
};

use super::connect::Ours;
use crate::{
    domain::Room,
    realtime::{
        Context, Order,
        queue::{Job, Pending},
    },
    services::Farewell,
    telemetry::metric,
};

/// Ends what the socket held when its connection ends, for whatever reason.
pub struct Departure(pub Context);

impl DisconnectHandler<LocalAdapter, Ours> for Departure {
    fn call_with_defer(
        &self,
        socket: Arc<Socket>,
        reason: DisconnectReason,
        done: fn(Arc<Socket>),
    ) {
        // socketioxide's rooms forget the socket at once; ours when its last event is handled.
        let session = &self.0.session;
        session.leave();
        done(socket.clone());
        let (pending, farewell) = if session.is_expelled() {
            (Pending::Dropped, Farewell::Goodbye)
        } else {
            counter!(metric::DISCONNECTS, "reason" => reason_name(reason)).increment(1);
            (Pending::Finished, farewell(reason))
        };
        session.queue().close(
            pending,
            Job {
                order: Order::Serial,
                bytes: 0,
                work: Box::pin(depart(self.0.clone(), socket, farewell)),
            },
        );
    }
}

async fn depart(context: Context, socket: Arc<Socket>, farewell: Farewell) {
    let rooms = context.namespace.rooms();
    let id = context.socket_id();
    context.namespace.forget_token(id);
    let left: Vec<Room> = rooms.rooms_of(id);
    let chats: Vec<Room> = left
        .into_iter()
        .filter(|room| room.chat_id().is_some())
        .collect();
    if let Ok(speaker) = context.speaker()
        && context.namespace.is_root()
    {
        let services = context.services();
        for room in chats.iter().filter_map(Room::chat_id) {
            services.chat.leave(speaker, &room);
        }
        rooms.remove(&context.session);
        let gone = services
            .presence
            .disconnected(&speaker.user.id, id, farewell, chats);
        if let Err(error) = gone.await {
            tracing::warn!(%error, "a device's presence could not be removed");
        }
    } else {
        rooms.remove(&context.session);
    }
    // A join that was under way may have come after socketioxide forgot the socket.
    socket.leave_all();
}

fn farewell(reason: DisconnectReason) -> Farewell {
    match reason {
        DisconnectReason::ClientNSDisconnect | DisconnectReason::ServerNSDisconnect => {
            Farewell::Goodbye
        }
        DisconnectReason::TransportClose
        | DisconnectReason::MultipleHttpPollingError
        | DisconnectReason::PacketParsingError
        | DisconnectReason::TransportError
        | DisconnectReason::HeartbeatTimeout
        | DisconnectReason::ClosingServer => Farewell::Vanished,
    }
}

fn reason_name(reason: DisconnectReason) -> &'static str {
    match reason {
        DisconnectReason::ClientNSDisconnect => "client_disconnect",
        DisconnectReason::ServerNSDisconnect => "server_disconnect",
        DisconnectReason::TransportClose => "transport_close",
        DisconnectReason::MultipleHttpPollingError => "concurrent_polls",
        DisconnectReason::PacketParsingError => "parse_error",
        DisconnectReason::TransportError => "transport_error",
        DisconnectReason::HeartbeatTimeout => "heartbeat_timeout",
        DisconnectReason::ClosingServer => "server_shutdown",
    }
}
