//! The other nodes of a cluster: what they must hear of, beside events for clients.

use serde::{Deserialize, Serialize};

use super::{Revocation, SocketsMove, Whom};
use crate::domain::{PaymentId, RoomId, SocketId, Timestamp, UserId};

/// Something that each node does for its own clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// The user's devices leave a room.
    Evicted {
        /// Whose.
        user: UserId,
        /// From where.
        room: RoomId,
    },
    /// A user's connections end.
    SessionsEnded {
        /// Whose.
        user: UserId,
    },
    /// A token or a user is refused from now on. It is stored.
    Revoked {
        /// What is refused.
        revocation: Revocation,
        /// How long that need be known.
        until: Option<Timestamp>,
    },
    /// The token of a device is to be revoked by the node that has the device.
    RevokeDevice {
        /// The device.
        socket: SocketId,
    },
    /// Callers have used up some of a limit that holds over all nodes.
    Spent {
        /// The limit's name.
        limit: String,
        /// How much, by caller.
        by: Vec<(String, u32)>,
    },
    /// Something is done with sockets, wherever they are.
    Sockets {
        /// Their namespace.
        namespace: String,
        /// Which.
        whom: Whom,
        /// What.
        what: SocketsMove,
    },
    /// Administrators look on at this node.
    AdminsThere {
        /// One who has just come.
        came: Option<SocketId>,
    },
    /// A payment has its outcome: the node with the socket that asked tells it.
    PaymentSettled {
        /// Which.
        payment: PaymentId,
    },
    /// The socket that asked for a payment has gone: a node with a device of its user tells it.
    PaymentForDevices {
        /// Which.
        payment: PaymentId,
    },
}

impl Notice {
    /// Whether the store is asked to do it.
    pub const fn needs_store(&self) -> bool {
        match self {
            Self::RevokeDevice { .. }
            | Self::PaymentSettled { .. }
            | Self::PaymentForDevices { .. } => true,
            Self::Evicted { .. }
            | Self::SessionsEnded { .. }
            | Self::Revoked { .. }
            | Self::Spent { .. }
            | Self::Sockets { .. }
            | Self::AdminsThere { .. } => false,
        }
    }
}

/// The way to the other nodes.
pub trait Peers: Send + Sync + 'static {
    /// Tells all other nodes, in the order of the calls. Never blocks; while there is no way to
    /// them, a bounded number of notices waits for one.
    fn tell(&self, notice: Notice);

    /// Whether there may be other nodes.
    fn are_there(&self) -> bool;
}

/// There are no others.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPeers;

impl Peers for NoPeers {
    fn tell(&self, _: Notice) {}

    fn are_there(&self) -> bool {
        false
    }
}
