//! How many hear a channel.

use std::collections::HashMap;

use fred::{
    error::Error,
    interfaces::{ClusterInterface, PubsubInterface},
};

use super::Redis;

type Counts = HashMap<String, usize>;

impl Redis {
    /// How many connections hear this channel: in a Redis Cluster each may hear it at any server.
    pub async fn count_hearing(&self, channel: &str) -> Result<usize, Error> {
        let client = self.0.commands.client();
        let Some(state) = client.cached_cluster_state() else {
            let counts: Counts = client.pubsub_numsub(channel).await?;
            return Ok(of(&counts, channel));
        };
        let servers = state.unique_primary_nodes().into_iter();
        let counts = servers.map(|server| {
            let at_one = client.with_cluster_node(server);
            async move { at_one.pubsub_numsub::<Counts, _>(channel).await }
        });
        let counts = futures::future::try_join_all(counts).await?;
        Ok(counts.iter().map(|counts| of(counts, channel)).sum())
    }

    /// The same, of a sharded channel, which is heard where its slot is.
    pub async fn count_hearing_shard(&self, channel: &str) -> Result<usize, Error> {
        let client = self.0.commands.client();
        let counts: Counts = match self.server_of(channel) {
            Some(server) => {
                let there = client.with_cluster_node(server);
                there.pubsub_shardnumsub(channel).await?
            }
            None => client.pubsub_shardnumsub(channel).await?,
        };
        Ok(of(&counts, channel))
    }

    /// Which server has a key or a sharded channel, in a Redis Cluster.
    fn server_of(&self, name: &str) -> Option<fred::types::config::Server> {
        let state = self.0.commands.client().cached_cluster_state()?;
        let slot = fred::util::redis_keyslot(name.as_bytes());
        state.get_server(slot).cloned()
    }
}

fn of(counts: &Counts, channel: &str) -> usize {
    counts.get(channel).copied().unwrap_or(0)
}
