//! A task that writes for many connections: what arrives while it writes coalesces by itself.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::connection::Connection;

/// After how many connections other tasks get their turn.
const TURN: usize = 1_024;

/// As many connections are a crowd.
const CROWD: usize = 64;

/// The longest rest after writing to a crowd.
const MAX_REST: Duration = Duration::from_millis(2);

/// The connections for which something waits.
#[derive(Default)]
pub struct Flusher {
    dirty: Mutex<Vec<Arc<Connection>>>,
    wake: Notify,
}

impl Flusher {
    /// Adds a connection. Whoever adds it makes sure that it is not on the list.
    pub fn add(&self, connection: Arc<Connection>) {
        let first = {
            let mut dirty = self.dirty.lock();
            dirty.push(connection);
            dirty.len() == 1
        };
        if first {
            self.wake.notify_one();
        }
    }

    /// Writes, for ever. After a crowd it rests for as long as that has taken: what is sent to the same
    /// crowd meanwhile shares a write, which is most of what a message costs. What comes after a rest
    /// is written at once.
    pub async fn run(&self) {
        let mut batch = Vec::new();
        loop {
            std::mem::swap(&mut batch, &mut *self.dirty.lock());
            if batch.is_empty() {
                self.wake.notified().await;
                continue;
            }
            let crowd = (batch.len() >= CROWD).then(Instant::now);
            for (count, connection) in batch.drain(..).enumerate() {
                connection.flush();
                if count % TURN == TURN - 1 {
                    tokio::task::yield_now().await;
                }
            }
            if let Some(began) = crowd {
                tokio::time::sleep(began.elapsed().min(MAX_REST)).await;
            }
        }
    }
}
