//! Event streams: who reads a feed over HTTP while it grows.

use std::sync::Arc;

use super::DisconnectReason;
use crate::domain::{ChannelId, Entry, FeedId, User};

/// The open event streams of this node.
pub trait Streams: Send + Sync + 'static {
    /// Hands a committed entry to the streams of its feed. Called in the order of `seq`; never
    /// blocks.
    fn deliver(&self, entry: &Arc<Entry>);

    /// Gives the streams of a channel its newest value, which is stored nowhere. Never blocks.
    fn publish(&self, channel: &ChannelId, event: &str, value: &serde_json::Value);

    /// Whether somebody reads the feed now.
    fn is_read(&self, feed: &FeedId) -> bool;

    /// Ends every stream of whose reader `which` is true.
    fn end(&self, which: &dyn Fn(&User) -> bool, reason: DisconnectReason);
}
