//! Administrators who look on.

use crate::domain::SocketId;

/// Administrators at any node, as this node knows them.
pub trait Admins: Send + Sync + 'static {
    /// There are some at another node. `came`: one who has just come, and knows nothing of this node.
    fn heard(&self, came: Option<SocketId>);
}

/// Nobody looks on.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAdmins;

impl Admins for NoAdmins {
    fn heard(&self, _: Option<SocketId>) {}
}
