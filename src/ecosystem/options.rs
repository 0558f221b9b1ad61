//! How this node is one among other servers.

use std::time::Duration;

use super::Dialect;
use crate::cluster::QueueLimits;

/// How other servers are heard and told.
#[derive(Clone, Debug)]
pub struct EcosystemOptions {
    /// What distinguishes this cluster of Roomcast's from others.
    pub prefix: String,
    /// This node's name.
    pub node: String,
    /// What the names of the channels begin with.
    pub key: String,
    /// Whether emitters are heard.
    pub emitters: bool,
    /// The adapter of the servers that this node is one of, if it is.
    pub dialect: Option<Dialect>,
    /// How long servers are waited for.
    pub timeout: Duration,
    /// How much may wait to be told.
    pub queue: QueueLimits,
}
