//! Why connections end.

use crate::{
    ports::DisconnectReason,
    realtime::wire::{Opcode, Packet},
};

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The client closed its transport, or left a poll before it was answered.
    TransportClose,
    /// The transport failed.
    TransportError,
    /// The client did not answer a ping in time.
    PingTimeout,
    /// What the client sent is not the protocol.
    ParseError,
    /// Two requests for one session at the same time.
    ConcurrentRequests,
    /// No namespace was connected in time.
    ConnectTimeout,
    /// Nothing of what waits was taken for too long.
    Stalled,
    /// More waits than the budget allows.
    OverBudget,
    /// Events kept coming too fast.
    Flood,
    /// A request was larger than allowed.
    PayloadTooLarge,
    /// A limit stood against the connection, and the client has been told.
    Refused,
    /// The server goes down.
    ServerShutdown,
    /// The server ended the last of its sockets.
    Server(DisconnectReason),
}

impl CloseReason {
    /// What a WebSocket's end says of it (RFC 6455, section 7.4.1).
    pub(in crate::realtime) fn close_frame(self) -> Packet {
        let code: u16 = match self {
            Self::ParseError => 1002,
            Self::PayloadTooLarge => 1009,
            _ => 1000,
        };
        Packet::frame(Opcode::Close, &[&code.to_be_bytes()])
    }

    /// The name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TransportClose => "transport_close",
            Self::TransportError => "transport_error",
            Self::PingTimeout => "heartbeat_timeout",
            Self::ParseError => "parse_error",
            Self::ConcurrentRequests => "concurrent_polls",
            Self::ConnectTimeout => "connect_timeout",
            Self::Stalled => "stalled",
            Self::OverBudget => "over_budget",
            Self::Flood => "flood",
            Self::PayloadTooLarge => "payload_too_large",
            Self::Refused => "refused",
            Self::ServerShutdown => "server_shutdown",
            Self::Server(reason) => reason.as_str(),
        }
    }
}
