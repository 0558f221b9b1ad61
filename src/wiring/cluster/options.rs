//! What the parts of a cluster are told of the configuration.

use crate::{
    bridge::BridgeOptions,
    cluster::QueueLimits,
    config::{Adapter, Config},
    ecosystem::{Dialect, EcosystemOptions},
};

pub(super) fn bridge_options(config: &Config, node: String) -> BridgeOptions {
    let bridge = &config.bridge;
    BridgeOptions {
        node,
        timeout: config.cluster.redis_timeout(),
        channels: bridge.channels,
        rules: config.relay.clone(),
        payload_bytes: config.limits.payload_bytes,
        queue: bridge.queue,
        in_flight: bridge.in_flight,
        retry: bridge.retry(),
        group: bridge.group.clone(),
    }
}

pub(super) fn queue_limits(config: &Config) -> QueueLimits {
    QueueLimits {
        frames: config.cluster.publish_queue,
        bytes: config.cluster.publish_bytes,
    }
}

pub(super) fn ecosystem_options(config: &Config, node: String) -> EcosystemOptions {
    EcosystemOptions {
        prefix: config.cluster.prefix.clone(),
        node,
        key: config.cluster.node_key.clone(),
        emitters: config.bridge.emitters,
        dialect: match config.cluster.adapter {
            Adapter::Roomcast | Adapter::SocketioxideRedis => None,
            Adapter::Node => Some(Dialect::PubSub),
            Adapter::NodeSharded => Some(Dialect::Sharded),
        },
        timeout: config.cluster.node_timeout(),
        queue: queue_limits(config),
    }
}
