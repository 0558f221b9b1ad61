//! What must happen in time: pings and their answers, a first namespace, progress, the end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{CloseReason, Connection, Wire};
use crate::realtime::{engine::Protocol, outbox::Treatment, wire::Packet};

/// How long a connection that is to end may take to write its last words.
pub const FAREWELL: Duration = Duration::from_millis(500);

/// By how much a client's clock may run ahead of ours between two requests.
const CLOCKS: Duration = Duration::from_millis(5);

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alarm {
    /// The next ping, or the answer to the last one.
    Heartbeat,
    /// A namespace must be connected.
    Connect,
    /// Something of what waits must have been taken.
    Stall,
    /// The last words must have been written.
    Farewell,
}

/// When they are due.
#[derive(Default)]
pub(super) struct Deadlines {
    heartbeat: Option<Instant>,
    /// A ping has not been answered.
    pinged: bool,
    /// Of Engine.IO 3: when the client's next ping must have come.
    alive_until: Option<Instant>,
    connect: Option<Instant>,
    stall: Option<Instant>,
    farewell: Option<Instant>,
}

impl Connection {
    /// Starts the heartbeat: our pings in Engine.IO 4, the client's in Engine.IO 3.
    pub(in crate::realtime) fn start_heartbeat(&self) {
        let options = &self.shared.options;
        let after = match self.protocol {
            Protocol::V4 => options.ping_interval,
            Protocol::V3 => options.ping_interval + options.ping_timeout,
        };
        let mut wire = self.wire.lock();
        wire.deadlines.pinged = self.protocol == Protocol::V3;
        wire.deadlines.heartbeat = Some(self.alarm(Alarm::Heartbeat, after));
    }

    /// The client is alive: it answered a ping, or, in Engine.IO 3, sent one.
    pub(in crate::realtime) fn beat(self: &Arc<Self>) {
        match self.protocol {
            Protocol::V4 => {
                let mut wire = self.wire.lock();
                if wire.deadlines.pinged {
                    wire.deadlines.pinged = false;
                    let after = self.shared.options.ping_interval;
                    wire.deadlines.heartbeat = Some(self.alarm(Alarm::Heartbeat, after));
                }
            }
            // The alarm that is set moves on when it goes off.
            Protocol::V3 => {
                let options = &self.shared.options;
                let alive_until = Instant::now() + options.ping_interval + options.ping_timeout;
                self.wire.lock().deadlines.alive_until = Some(alive_until);
            }
        }
    }

    /// No namespace is connected: one must be in time.
    pub fn await_namespace(&self, within: Duration) {
        let mut wire = self.wire.lock();
        if wire.deadlines.connect.is_none() {
            wire.deadlines.connect = Some(self.alarm(Alarm::Connect, within));
        }
    }

    /// A namespace is connected.
    pub fn has_namespace(&self) {
        self.wire.lock().deadlines.connect = None;
    }

    pub(super) fn arm_stall(&self, wire: &mut Wire) {
        if wire.deadlines.stall.is_none() {
            let after = self.shared.options.stall_limit;
            wire.deadlines.stall = Some(self.alarm(Alarm::Stall, after));
        }
    }

    pub(super) fn arm_farewell(&self, wire: &mut Wire) {
        wire.deadlines.farewell = Some(self.alarm(Alarm::Farewell, FAREWELL));
    }

    fn alarm(&self, alarm: Alarm, after: Duration) -> Instant {
        let due = Instant::now() + after;
        self.shared.timers.set(due, self.id, alarm);
        due
    }

    /// Ends the connection if a heartbeat is overdue, whether or not its alarm has gone off.
    pub(in crate::realtime) fn check_heartbeat(self: &Arc<Self>) {
        let overdue = {
            let deadlines = &self.wire.lock().deadlines;
            let left = if deadlines.pinged {
                Duration::ZERO
            } else {
                self.shared.options.ping_timeout
            };
            let now = Instant::now() + CLOCKS;
            let due = deadlines.heartbeat.max(deadlines.alive_until);
            due.is_some_and(|due| due + left <= now)
        };
        if overdue {
            self.end(CloseReason::PingTimeout);
        }
    }

    /// An alarm that was set for `due` has gone off.
    pub(in crate::realtime) fn alarmed(self: &Arc<Self>, alarm: Alarm, due: Instant) {
        let mut wire = self.wire.lock();
        let deadlines = &mut wire.deadlines;
        // A deadline that was moved has an alarm of its own.
        let reason = match alarm {
            Alarm::Heartbeat if deadlines.heartbeat != Some(due) => return,
            Alarm::Heartbeat if deadlines.alive_until.is_some_and(|until| until > due) => {
                let until = deadlines.alive_until.unwrap_or(due);
                self.shared.timers.set(until, self.id, Alarm::Heartbeat);
                deadlines.heartbeat = Some(until);
                return;
            }
            Alarm::Heartbeat if deadlines.pinged => CloseReason::PingTimeout,
            Alarm::Heartbeat => {
                deadlines.pinged = true;
                // Counted from when the ping was due, however late we are.
                let due = due + self.shared.options.ping_timeout;
                self.shared.timers.set(due, self.id, Alarm::Heartbeat);
                deadlines.heartbeat = Some(due);
                drop(wire);
                self.push(&Packet::control('2', ""), Treatment::Must);
                return;
            }
            Alarm::Connect if deadlines.connect == Some(due) => CloseReason::ConnectTimeout,
            Alarm::Stall if deadlines.stall == Some(due) => {
                let limit = self.shared.options.stall_limit;
                let idle = wire.progress_at.elapsed();
                wire.deadlines.stall = None;
                if wire.outbox.is_empty() {
                    return;
                }
                if idle < limit {
                    wire.deadlines.stall = Some(self.alarm(Alarm::Stall, limit - idle));
                    return;
                }
                CloseReason::Stalled
            }
            Alarm::Farewell => match wire.closing {
                Some(reason) => reason,
                None => return,
            },
            Alarm::Connect | Alarm::Stall => return,
        };
        drop(wire);
        self.end(reason);
    }
}
