//! Going down: what was accepted is finished, then connections end one after another, in a way that
//! lets their clients come back, here or elsewhere.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{client_sockets::ClientSockets, hub::Hub, observe::Sight};
use crate::realtime::{
    Order,
    connection::{CloseReason, Connection},
    engine::Engine,
    queue::{Job, Pending},
    rooms::Departed,
};

/// How often some connections are ended.
const STEP: Duration = Duration::from_millis(10);

/// How much of the deadline the ends may take; what is left is for the events under way.
const SHARE: f64 = 0.6;

/// How fast connections end.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Connections a second. More, where the deadline would pass otherwise.
    pub per_second: u32,
    /// When all must have ended.
    pub deadline: Duration,
}

impl Hub {
    /// Ends all connections, each when the events that it sent are done and their acks written.
    pub async fn close(&self, pace: Pace) {
        self.begin_closing();
        let connections = self.engine().map(Engine::connections).unwrap_or_default();
        #[allow(clippy::cast_precision_loss)] // Far fewer than 2^52.
        let (count, began) = (connections.len() as f64, Instant::now());
        let within = (pace.deadline.as_secs_f64() * SHARE).max(STEP.as_secs_f64());
        let per_second = f64::from(pace.per_second).max(count / within);
        let mut step = tokio::time::interval(STEP);
        let mut ended = 0.0;
        for connection in connections {
            while began.elapsed().as_secs_f64() * per_second < ended {
                step.tick().await;
            }
            ended += 1.0;
            connection.drain();
        }
        // Those that opened meanwhile, and those whose events take their time.
        while let Some(engine) = self.engine()
            && engine.count() > 0
        {
            engine.connections().iter().for_each(Connection::drain);
            step.tick().await;
        }
    }
}

/// Ends a connection that is drained when it is dropped.
struct Last(Arc<Connection>);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.finish(CloseReason::ServerShutdown);
    }
}

impl ClientSockets {
    /// Takes nothing more, and ends the connection once what was sent is done; whether there is
    /// anything to wait for.
    pub fn drain(&self) -> bool {
        if self.begin_draining() {
            return true;
        }
        let contexts = self.contexts();
        let any = !contexts.is_empty();
        // Goes with the last socket's last job.
        let last = Arc::new(Last(self.connection().clone()));
        for context in contexts {
            let last = last.clone();
            let queue = context.session.queue().clone();
            let work = async move {
                let (namespace, id) = (context.namespace(), context.socket_id());
                let left = namespace.rooms().rooms_of(id);
                namespace
                    .rooms()
                    .remove(&context.session, Departed::Dropped);
                let reason = CloseReason::ServerShutdown.as_str();
                context.services().webhooks.disconnected(id, reason);
                namespace.show(|| Sight::Ended(id.clone(), reason, left));
                drop(last);
            };
            queue.close(Pending::Finished, Job::plain(Order::Serial, 0, work));
        }
        any
    }
}
