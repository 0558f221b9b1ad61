//! Reading costs by what is read: no query walks through a whole table.

use std::cell::RefCell;

use rusqlite::{
    Connection,
    trace::{TraceEvent, TraceEventCodes},
};

use super::{changes, page, retention, schema};
use crate::{
    domain::{Cursor, EntryId, FeedId, FeedKind, RoomId, Timestamp, UserId},
    ports::{After, Following, KeepRule},
};

thread_local! {
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

#[allow(clippy::needless_pass_by_value)] // The library passes it so.
fn note(event: TraceEvent<'_>) {
    if let TraceEvent::Stmt(_, sql) = event {
        SEEN.with_borrow_mut(|seen| seen.push(sql.to_owned()));
    }
}

fn room() -> FeedId {
    FeedId::Room(RoomId::new("lobby").unwrap())
}

/// Runs everything that pages, catching up and retention ask the database.
fn ask_everything(connection: &Connection) {
    let id = EntryId::generate;
    let cursors = [
        Cursor::Latest,
        Cursor::AfterSeq(1),
        Cursor::BeforeSeq(1),
        Cursor::AfterId(id()),
        Cursor::BeforeId(id()),
    ];
    for cursor in cursors {
        page::page(connection, &room(), &cursor, 10).unwrap();
    }
    let following = Following {
        reader: UserId::new("alice").unwrap(),
        feeds: vec![room()],
        lost: vec![(room(), 1)],
        is_partial: false,
    };
    for after in [After::Position(1), After::Time(Timestamp::from_ms(1))] {
        changes::changes(connection, &following, after, 10).unwrap();
    }
    page::since(connection, 1, 10, &|_| true).unwrap();
    let keep = KeepRule {
        entries: 1,
        since: Some(Timestamp::from_ms(5)),
    };
    retention::overfull(connection, FeedKind::Room, &keep, None, 10).unwrap();
    retention::trim(connection, &room(), &keep, 1).unwrap();
}

#[test]
fn no_query_of_a_reader_walks_through_a_table() {
    let connection = schema::in_memory();
    let setup = "INSERT INTO feeds (id, key, last_seq) VALUES (1, 'room:lobby', 3);
        INSERT INTO entries (feed, seq, id, event, author, author_name, content, created_at)
        VALUES (1, 1, 'a', 'e', 'bob', 'Bob', '1', 1), (1, 2, 'b', 'e', 'bob', 'Bob', '2', 2),
            (1, 3, 'c', 'e', 'bob', 'Bob', '3', 3);";
    connection.execute_batch(setup).unwrap();
    connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note));
    ask_everything(&connection);
    connection.trace_v2(TraceEventCodes::empty(), None);
    let seen = SEEN.take();
    assert!(seen.len() > 20, "{seen:?}");
    for sql in seen {
        let plan = format!("EXPLAIN QUERY PLAN {sql}");
        let mut plan = connection.prepare(&plan).unwrap();
        // Whatever its parameters are, the plan is the same.
        let mut steps = plan.raw_query();
        while let Some(step) = steps.next().unwrap() {
            let step: String = step.get(3).unwrap();
            assert!(!step.starts_with("SCAN"), "{step}: {sql}");
            assert!(!step.contains("TEMP B-TREE"), "{step}: {sql}");
        }
    }
}
