//! Who was just sent a latest value: whoever begins to watch is shown it by itself, and the same one may
//! come by the room before or after, from another node.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::domain::{Room, SocketId};

/// For so long the same value may come twice; no two nodes are further apart.
const REMEMBERED: Duration = Duration::from_secs(30);

/// The most watchers that are remembered; those beyond may be sent a value twice.
const MAX_WATCHERS: usize = 100_000;

/// Those who began to watch lately, by what they watch the value of.
#[derive(Default)]
pub(super) struct Watchers {
    by_value: HashMap<u64, Vec<Watcher>>,
    count: usize,
    swept_at: Option<Instant>,
}

struct Watcher {
    socket: SocketId,
    room: Room,
    since: Instant,
    has: Has,
}

/// The number of the value that a watcher has.
#[derive(Clone, Copy)]
enum Has {
    /// None by itself yet; maybe one by the room.
    ByRoom(Option<u64>),
    /// This one by itself.
    Shown(u64),
}

impl Watchers {
    /// A socket has entered the room, and will be shown the value.
    pub fn begin(&mut self, of: u64, socket: &SocketId, room: &Room) {
        self.sweep();
        if self.count >= MAX_WATCHERS {
            return;
        }
        self.count += 1;
        self.by_value.entry(of).or_default().push(Watcher {
            socket: socket.clone(),
            room: room.clone(),
            since: Instant::now(),
            has: Has::ByRoom(None),
        });
    }

    /// Whether a socket is to be shown a value: not if the room brought it. `is_past`: the room was sent
    /// it, and will not be again.
    pub fn shows(&mut self, of: u64, socket: &str, number: u64, is_past: bool) -> bool {
        let mut is_shown = true;
        self.retain(of, |watcher| {
            if watcher.socket.as_str() != socket {
                return true;
            }
            is_shown = !matches!(watcher.has, Has::ByRoom(Some(has)) if has >= number);
            watcher.has = Has::Shown(number);
            is_shown && !is_past
        });
        is_shown
    }

    /// The rooms are sent a value: the own rooms of those in them who were shown it.
    pub fn told(&mut self, of: u64, number: u64, rooms: &[Room]) -> Vec<Room> {
        let mut shown = Vec::new();
        self.retain(of, |watcher| {
            if !rooms.contains(&watcher.room) {
                return true;
            }
            match &mut watcher.has {
                Has::ByRoom(has) => {
                    *has = Some(number);
                    true
                }
                Has::Shown(has) => {
                    if *has == number {
                        shown.push(Room::socket(&watcher.socket));
                    }
                    false
                }
            }
        });
        shown
    }

    fn retain(&mut self, of: u64, keep: impl FnMut(&mut Watcher) -> bool) {
        if self.by_value.is_empty() {
            return;
        }
        if let Some(watchers) = self.by_value.get_mut(&of) {
            let before = watchers.len();
            watchers.retain_mut(keep);
            self.count -= before - watchers.len();
            if watchers.is_empty() {
                self.by_value.remove(&of);
            }
        }
    }

    /// Forgets those of whom nothing comes any more.
    fn sweep(&mut self) {
        let swept_at = *self.swept_at.get_or_insert_with(Instant::now);
        if swept_at.elapsed() < REMEMBERED {
            return;
        }
        self.swept_at = Some(Instant::now());
        self.by_value.retain(|_, watchers| {
            watchers.retain(|watcher| watcher.since.elapsed() < REMEMBERED);
            !watchers.is_empty()
        });
        self.count = self.by_value.values().map(Vec::len).sum();
        self.by_value.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF: u64 = 1;

    fn watching() -> (Watchers, SocketId, [Room; 1]) {
        let (socket, room) = (SocketId::new("a").unwrap(), Room::named("tracking:7"));
        let mut watchers = Watchers::default();
        watchers.begin(OF, &socket, &room);
        (watchers, socket, [room])
    }

    #[test]
    fn what_a_watcher_was_shown_does_not_come_by_the_room() {
        let (mut watchers, socket, room) = watching();
        assert!(watchers.shows(OF, socket.as_str(), 5, false));
        assert_eq!(watchers.told(OF, 5, &[Room::named("other")]), []);
        assert_eq!(watchers.told(OF, 5, &room), [Room::socket(&socket)]);
        // Once: who reports the same again is heard.
        assert_eq!(watchers.told(OF, 5, &room), []);
        assert_eq!(watchers.count, 0);
    }

    #[test]
    fn what_came_by_the_room_is_not_shown() {
        let (mut watchers, socket, room) = watching();
        assert_eq!(watchers.told(OF, 5, &room), []);
        assert!(!watchers.shows(OF, socket.as_str(), 5, true));
        // Whoever asks again is shown it again.
        assert!(watchers.shows(OF, socket.as_str(), 5, true));
        assert_eq!(watchers.count, 0);
    }

    #[test]
    fn what_is_newer_comes_by_the_room() {
        let (mut watchers, socket, room) = watching();
        assert!(watchers.shows(OF, socket.as_str(), 5, false));
        assert_eq!(watchers.told(OF, 6, &room), []);
        assert_eq!(watchers.told(OF, 7, &room), []);

        // It was read before it came.
        let (mut watchers, socket, room) = watching();
        assert_eq!(watchers.told(OF, 4, &room), []);
        assert!(watchers.shows(OF, socket.as_str(), 5, false));
        assert_eq!(watchers.told(OF, 5, &room), [Room::socket(&socket)]);
    }

    #[test]
    fn what_the_room_was_sent_before_is_not_waited_for() {
        let (mut watchers, socket, _) = watching();
        assert!(watchers.shows(OF, socket.as_str(), 5, true));
        assert_eq!(watchers.count, 0);
    }
}
