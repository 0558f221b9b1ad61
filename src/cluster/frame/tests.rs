//! Frames come back as they were told.

use super::*;
use crate::domain::{NewEntry, RoomId};

fn head() -> Head {
    Head {
        node: "a.1".into(),
        number: 7,
        sent_at_ms: 5,
    }
}

fn publication(frames: &[Frame]) -> Vec<u8> {
    let mut out = begin(&head());
    frames.iter().for_each(|frame| out.extend(encode(frame)));
    out
}

fn entry() -> Entry {
    let attachment = rmpv::Value::Array(vec![rmpv::Value::Binary(vec![1, 2]), 3.into()]);
    let new = NewEntry {
        id: EntryId::generate(),
        feed: FeedId::Room(RoomId::new("lobby").unwrap()),
        event: "message:new".into(),
        author: UserId::new("alice").unwrap(),
        author_name: "Alice".into(),
        client_id: ClientId::new("c").ok(),
        content: "hi\0".into(),
        subject: None,
        attachment: Attachment::try_from(attachment).ok(),
        created_at: Timestamp::from_ms(1),
        origin: None,
    };
    new.stored(3, 9)
}

#[test]
fn a_publication_gives_back_what_was_put_in() {
    let user = UserId::new("alice").unwrap();
    let entry = entry();
    let frames = [
        Frame::Beat,
        Frame::Entry(Box::new(WireEntry::new(&entry))),
        Frame::Notice(Notice::SessionsEnded { user: user.clone() }),
    ];
    let bytes = publication(&frames);
    let (read_head, read) = read(&bytes).unwrap();
    assert_eq!(read_head, head());
    let mut read = read.map(Result::unwrap);
    assert!(matches!(read.next(), Some(Frame::Beat)));
    let Some(Frame::Entry(wire)) = read.next() else {
        panic!("no entry")
    };
    assert_eq!(*wire.read().unwrap(), entry);
    let Some(Frame::Notice(notice)) = read.next() else {
        panic!("no notice")
    };
    assert_eq!(notice, Notice::SessionsEnded { user });
    assert!(read.next().is_none());
}

#[test]
fn what_cannot_be_read_ends_without_harm() {
    assert_eq!(read(&[]).err(), Some(Unreadable::Malformed));
    assert_eq!(read(&[9, 1, 2]).err(), Some(Unreadable::Version));
    assert_eq!(read(&[VERSION, 0xC1]).err(), Some(Unreadable::Malformed));
    let mut bytes = publication(&[Frame::Beat]);
    bytes.extend([0xC1, 0xC1]);
    let (_, frames) = read(&bytes).unwrap();
    let outcomes: Vec<_> = frames.map(|frame| frame.is_ok()).collect();
    assert_eq!(outcomes, [true, false]);
}
