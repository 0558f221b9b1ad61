//! What becomes of frames while there is no way to the other nodes, and of notices that were missed.

use super::*;
use crate::domain::{RoomId, UserId};

fn outgoing(frames: usize) -> Outgoing {
    let bytes = 1_000_000;
    Outgoing::new("a".into(), QueueLimits { frames, bytes })
}

fn notice(name: &str) -> Notice {
    Notice::Evicted {
        user: UserId::new(name).unwrap(),
        room: RoomId::new("lobby").unwrap(),
    }
}

fn event(outgoing: &Outgoing) -> Result<(), &'static str> {
    outgoing.offer(&Frame::Beat, Kind::Event(Class::Passing))
}

#[test]
fn events_beyond_the_limit_are_dropped_and_notices_are_not() {
    let outgoing = outgoing(1);
    event(&outgoing).unwrap();
    assert_eq!(event(&outgoing), Err("full"));
    outgoing.tell(notice("alice"));
    let taken = outgoing.take().unwrap();
    assert_eq!(taken.len(), 2);
    assert!(outgoing.take().is_none());
    event(&outgoing).unwrap();
}

#[test]
fn a_node_that_missed_publications_is_told_their_notices_again_and_no_others() {
    let outgoing = outgoing(100);
    for (number, name) in [(7, "alice"), (8, "bob"), (9, "carol")] {
        outgoing.tell(notice(name));
        outgoing.note_told(number, outgoing.take().unwrap());
    }
    outgoing.tell_again("b", (8, 9));
    let again = outgoing.take().unwrap();
    let (to, notice) = ("b".to_owned(), notice("bob"));
    let expected = frame::encode(&Frame::Again { to, notice });
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].bytes, expected);
}

#[test]
fn what_could_not_be_told_leaves_only_its_notices_in_their_order() {
    let outgoing = outgoing(100);
    outgoing.tell(notice("alice"));
    event(&outgoing).unwrap();
    let taken = outgoing.take().unwrap();
    outgoing.tell(notice("bob"));
    outgoing.keep_notices(taken);
    let taken = outgoing.take().unwrap();
    let told = [notice("alice"), notice("bob")].map(|one| frame::encode(&Frame::Notice(one)));
    let kept: Vec<_> = taken.into_iter().map(|waiting| waiting.bytes).collect();
    assert_eq!(kept, told);
    assert_eq!(outgoing.0.queue.lock().bytes, 0);
}
