//! What queues and the engine are told of the configuration.

use crate::{
    config::{self, Config},
    realtime::{
        Budget, QueueLimits,
        engine::{Eio3, Options},
    },
};

pub(super) fn queue_limits(socket: &config::Socket) -> QueueLimits {
    QueueLimits {
        events: socket.queued_events,
        bytes: socket.queued_bytes,
        in_flight: socket.in_flight_events,
    }
}

pub(super) fn engine_options(config: &Config) -> Options {
    let socket = &config.socket;
    Options {
        ping_interval: socket.ping_interval(),
        ping_timeout: socket.ping_timeout(),
        upgrade_timeout: socket.upgrade_timeout(),
        body_timeout: config.server.header_read_timeout(),
        stall_limit: socket.stall_limit(),
        budget: Budget {
            bytes: socket.pending_bytes,
        },
        max_payload: config.limits.payload_bytes,
        eio3: if socket.eio3 {
            Eio3::Served
        } else {
            Eio3::Refused
        },
    }
}
