//! The rooms that one socket is in: mostly few.

use std::collections::HashMap;

use crate::domain::Room;

/// Up to so many are looked through, which takes less than a table.
const FEW: usize = 8;

/// A member's place in a room.
#[derive(Clone, Copy)]
pub struct Seat {
    /// Among the occupants.
    pub place: usize,
    /// The first packet of the log that is for it.
    pub since: u64,
}

/// A socket's rooms, and its seat in each.
#[derive(Default)]
pub struct Seats {
    few: Vec<(Room, Seat)>,
    /// Once there were more: all of them.
    #[allow(clippy::box_collection)] // Few sockets have it, and each has room for this.
    many: Option<Box<HashMap<Room, Seat>>>,
}

impl Seats {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.many.as_ref().map_or(self.few.len(), |many| many.len())
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Room, Seat)> {
        let few = self.few.iter().map(|(room, seat)| (room, *seat));
        let many = self.many.iter().flat_map(|many| many.iter());
        few.chain(many.map(|(room, seat)| (room, *seat)))
    }

    /// The rooms alone.
    pub fn rooms(&self) -> Vec<Room> {
        self.iter().map(|(room, _)| room.clone()).collect()
    }

    /// Its seat in a room.
    pub fn get(&self, room: &Room) -> Option<Seat> {
        match &self.many {
            Some(many) => many.get(room).copied(),
            None => self.few.iter().find(|(its, _)| its == room).map(|s| s.1),
        }
    }

    /// Another seat has become free for it in a room.
    pub fn replace(&mut self, room: &Room, place: usize) {
        let seat = match &mut self.many {
            Some(many) => many.get_mut(room),
            None => {
                let mut few = self.few.iter_mut();
                few.find(|(its, _)| its == room).map(|s| &mut s.1)
            }
        };
        if let Some(seat) = seat {
            seat.place = place;
        }
    }

    /// Adds a room that it is not in.
    pub fn insert(&mut self, room: Room, seat: Seat) {
        if let Some(many) = &mut self.many {
            many.insert(room, seat);
        } else if self.few.len() < FEW {
            self.few.reserve_exact(1);
            self.few.push((room, seat));
        } else {
            let mut many: HashMap<_, _> = std::mem::take(&mut self.few).into_iter().collect();
            many.insert(room, seat);
            self.many = Some(Box::new(many));
        }
    }

    /// Takes a room out.
    pub fn remove(&mut self, room: &Room) -> Option<Seat> {
        if let Some(many) = &mut self.many {
            return many.remove(room);
        }
        let at = self.few.iter().position(|(its, _)| its == room)?;
        Some(self.few.swap_remove(at).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(number: usize) -> Room {
        Room::named(format!("r{number}"))
    }

    #[test]
    fn few_rooms_and_many_are_kept_alike() {
        let mut seats = Seats::default();
        for number in 0..3 * FEW {
            let (place, since) = (number, 0);
            seats.insert(room(number), Seat { place, since });
            assert_eq!(
                (seats.len(), seats.iter().count()),
                (number + 1, number + 1)
            );
            assert_eq!(seats.rooms().len(), number + 1);
            for earlier in 0..=number {
                assert_eq!(seats.get(&room(earlier)).unwrap().place, earlier);
            }
            assert!(seats.get(&room(number + 1)).is_none());
        }
        for number in 0..3 * FEW {
            seats.replace(&room(number), 100 + number);
            assert_eq!(seats.remove(&room(number)).unwrap().place, 100 + number);
            assert!(seats.remove(&room(number)).is_none());
        }
        assert_eq!(seats.len(), 0);
    }
}
