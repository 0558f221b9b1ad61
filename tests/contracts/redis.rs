//! The suites against Redis, and what several nodes on one Redis do.

#[path = "redis/away.rs"]
mod away;
#[path = "redis/cluster.rs"]
mod cluster;
#[path = "redis/node.rs"]
mod node;
#[path = "redis/restoring.rs"]
mod restoring;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use roomcast::{
    ports::{Occupancy, PositionStore, PresenceStore},
    stores::redis::RedisPositions,
};

use self::node::{Node, TIMEOUT};
use crate::{
    backend::Volatile,
    occupancy::Shared,
    redis_server::{RedisServer, prefix},
};

struct OnRedis {
    prefix: String,
    nodes: AtomicUsize,
}

impl OnRedis {
    async fn open() -> Self {
        Self {
            prefix: prefix(),
            nodes: AtomicUsize::new(0),
        }
    }

    fn node(&self) -> Node {
        let name = format!("node-{}", self.nodes.fetch_add(1, Ordering::Relaxed));
        let started = Node::start(RedisServer::shared(), &self.prefix, &name);
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(started))
    }
}

impl Volatile for OnRedis {
    fn positions(&self) -> Arc<dyn PositionStore> {
        let redis = RedisServer::shared().connect(&self.prefix, TIMEOUT);
        Arc::new(RedisPositions::with_poll(redis, Duration::from_millis(10)))
    }

    fn presence(&self) -> Arc<dyn PresenceStore> {
        Arc::new(self.node().presence)
    }
}

impl Shared for OnRedis {
    fn occupancy(&self) -> Arc<dyn Occupancy> {
        Arc::new(self.node().presence)
    }
}

mod positions {
    crate::positions::positions!(super::OnRedis);
}
mod presence {
    crate::presence::presence!(super::OnRedis);
}
mod occupancy {
    crate::occupancy::occupancy!(super::OnRedis);
}
