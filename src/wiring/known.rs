//! What the nodes know, and where.

use std::sync::Arc;

use super::ClusterLink;
use crate::{
    ports::{Announcements, NoAnnouncements, Occupancy, PositionStore, PresenceStore, Sockets},
    stores::{
        memory::{MemoryOccupancy, MemoryPositions, MemoryPresence},
        redis::RedisPositions,
    },
};

/// What may be forgotten: of one node in memory, of several in Redis.
pub(super) struct Known {
    pub presence: Arc<dyn PresenceStore>,
    pub occupancy: Arc<dyn Occupancy>,
    pub positions: Arc<dyn PositionStore>,
    pub announcements: Arc<dyn Announcements>,
}

impl Known {
    pub fn of(cluster: Option<&ClusterLink>, sockets: &Arc<dyn Sockets>) -> Self {
        match cluster {
            Some(cluster) => Self {
                presence: Arc::new(cluster.presence.clone()),
                occupancy: Arc::new(cluster.presence.clone()),
                positions: Arc::new(RedisPositions::open(cluster.redis.clone())),
                announcements: cluster.announcer.clone(),
            },
            None => Self {
                presence: Arc::new(MemoryPresence::default()),
                occupancy: Arc::new(MemoryOccupancy::new(sockets.clone())),
                positions: Arc::new(MemoryPositions::default()),
                announcements: Arc::new(NoAnnouncements),
            },
        }
    }
}
