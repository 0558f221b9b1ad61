//! Connections that are counted over all nodes.

use std::{any::Any, fmt, net::IpAddr};

use async_trait::async_trait;

use crate::domain::UserId;

/// Whose connections are counted together.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// A user's.
    User(&'a UserId),
    /// Those of an address.
    Address(IpAddr),
}

impl fmt::Display for Whose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "user:{user}"),
            Self::Address(address) => write!(f, "address:{address}"),
        }
    }
}

/// A place that is taken; dropping it gives it back.
pub type Taken = Box<dyn Any + Send + Sync>;

/// Counts over all nodes.
#[async_trait]
pub trait Places: Send + Sync + 'static {
    /// Takes a place where fewer than `limit` are taken. While other nodes cannot be asked, what this
    /// node has is all that counts, and that its own limit sees to.
    async fn take(&self, whose: Whose<'_>, limit: usize) -> Option<Taken>;
}
