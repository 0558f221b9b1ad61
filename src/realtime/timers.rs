//! Alarms of all connections, in one task.

use std::{cmp::Reverse, collections::BinaryHeap, time::Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{connection::Alarm, engine::EngineId};
use crate::sparse::is_sparse;

type Entry = (Instant, EngineId, Alarm);

/// Alarms in the order in which they go off.
#[derive(Default)]
pub struct Timers {
    alarms: Mutex<BinaryHeap<Reverse<Entry>>>,
    /// An alarm was set that is due before all others.
    earlier: Notify,
}

impl Timers {
    /// Sets an alarm. It cannot be cancelled: whoever hears it checks whether it still matters.
    pub fn set(&self, due: Instant, connection: EngineId, alarm: Alarm) {
        let entry = (due, connection, alarm);
        let earliest = {
            let mut alarms = self.alarms.lock();
            alarms.push(Reverse(entry));
            alarms.peek() == Some(&Reverse(entry))
        };
        if earliest {
            self.earlier.notify_one();
        }
    }

    /// Waits for the next alarm. For one task alone.
    pub async fn next(&self) -> Entry {
        loop {
            let due = {
                let mut alarms = self.alarms.lock();
                match alarms.peek() {
                    Some(Reverse((due, ..))) if *due <= Instant::now() => {
                        if let Some(Reverse(entry)) = alarms.pop() {
                            shrink(&mut alarms);
                            return entry;
                        }
                        None
                    }
                    Some(Reverse((due, ..))) => Some(*due),
                    None => None,
                }
            };
            match due {
                Some(due) => tokio::select! {
                    () = tokio::time::sleep_until(due.into()) => {}
                    () = self.earlier.notified() => {}
                },
                None => self.earlier.notified().await,
            }
        }
    }
}

fn shrink(alarms: &mut BinaryHeap<Reverse<Entry>>) {
    if is_sparse(alarms.len(), alarms.capacity()) {
        alarms.shrink_to(alarms.len() * 2);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;

    #[tokio::test]
    async fn alarms_go_off_in_their_order_also_one_that_is_set_while_another_is_awaited() {
        let timers = Arc::new(Timers::default());
        let (now, id) = (Instant::now(), EngineId::generate());
        timers.set(now + Duration::from_millis(60), id, Alarm::Stall);
        let waiting = tokio::spawn({
            let timers = timers.clone();
            async move { [timers.next().await.2, timers.next().await.2] }
        });
        tokio::task::yield_now().await;
        timers.set(now + Duration::from_millis(20), id, Alarm::Connect);
        assert_eq!(waiting.await.unwrap(), [Alarm::Connect, Alarm::Stall]);
    }
}
