//! What came in all the feeds of one reader, in pages.

use std::sync::Arc;

use roomcast::{
    domain::{FeedId, NewEntry, Verdict},
    ports::{After, Changes, FeedStore, Following},
};

use crate::backend::{Durable, append, at, lobby, room, says, user};

/// All cases, for `run!`.
macro_rules! changes {
    ($backend:ty) => {
        run! { $backend, changes:
            pages_merge_the_feeds_in_the_order_of_their_commits_each_entry_once
            conversations_of_the_reader_are_among_them_and_those_of_others_are_not
            a_time_means_what_was_written_then_or_later
            a_position_beyond_the_newest_entry_resets_the_cursor
            a_lost_feed_is_a_gap_only_where_it_had_something_for_the_reader
            unread_counts_what_others_wrote_after_the_cursor
        }
    };
}
pub(crate) use changes;

fn in_room(name: &str, content: &str) -> NewEntry {
    NewEntry {
        feed: FeedId::Room(room(name)),
        ..says("alice", content)
    }
}

fn to(other: &str, content: &str) -> NewEntry {
    NewEntry {
        feed: FeedId::direct(&user("alice"), &user(other)),
        ..says("alice", content)
    }
}

fn following(rooms: &[&str]) -> Following {
    let rooms = rooms.iter().map(|name| FeedId::Room(room(name)));
    Following {
        reader: user("bob"),
        feeds: rooms.collect(),
        lost: Vec::new(),
        is_partial: false,
    }
}

async fn read(feeds: &Arc<dyn FeedStore>, rooms: &[&str], after: After, limit: usize) -> Changes {
    feeds.changes(following(rooms), after, limit).await.unwrap()
}

fn contents(changes: &Changes) -> Vec<&str> {
    let entries = changes.entries.iter();
    entries.map(|entry| entry.content.as_str()).collect()
}

pub async fn pages_merge_the_feeds_in_the_order_of_their_commits_each_entry_once(
    backend: impl Durable,
) {
    let feeds = backend.feeds();
    for number in 0..10 {
        let name = ["one", "two", "three"][number % 3];
        append(&feeds, in_room(name, &number.to_string())).await;
    }
    let (mut seen, mut after) = (Vec::new(), After::Position(0));
    loop {
        let page = read(&feeds, &["one", "two", "silent"], after, 3).await;
        assert_eq!(page.verdict, Verdict::Complete);
        seen.extend(contents(&page).into_iter().map(str::to_owned));
        after = After::Position(page.position);
        if !page.has_more {
            break;
        }
        assert_eq!(page.entries.len(), 3);
    }
    assert_eq!(seen, ["0", "1", "3", "4", "6", "7", "9"]);
    let nothing = read(&feeds, &["one", "two"], after, 3).await;
    assert_eq!((contents(&nothing).len(), nothing.has_more), (0, false));
    append(&feeds, in_room("two", "new")).await;
    let news = read(&feeds, &["one", "two"], after, 3).await;
    assert_eq!(contents(&news), ["new"]);
}

pub async fn conversations_of_the_reader_are_among_them_and_those_of_others_are_not(
    mut backend: impl Durable,
) {
    let feeds = backend.feeds();
    append(&feeds, to("bob", "for bob")).await;
    append(&feeds, to("carol", "for carol")).await;
    backend.reopen().await;
    let page = read(&backend.feeds(), &[], After::Position(0), 10).await;
    assert_eq!(contents(&page), ["for bob"]);
}

pub async fn a_time_means_what_was_written_then_or_later(backend: impl Durable) {
    let feeds = backend.feeds();
    for second in [100_i64, 99, 101, 102] {
        let written = NewEntry {
            created_at: at(second * 1_000),
            ..in_room("one", &second.to_string())
        };
        append(&feeds, written).await;
    }
    let since = async |second: i64| {
        let page = read(&feeds, &["one"], After::Time(at(second * 1_000)), 10).await;
        contents(&page).join(" ")
    };
    assert_eq!(since(0).await, "100 99 101 102");
    assert_eq!(since(100).await, "100 101 102");
    assert_eq!(since(102).await, "102");
    assert_eq!(since(500).await, "");
}

pub async fn a_position_beyond_the_newest_entry_resets_the_cursor(backend: impl Durable) {
    let feeds = backend.feeds();
    append(&feeds, in_room("one", "first")).await;
    let page = read(&feeds, &["one"], After::Position(99), 10).await;
    assert_eq!(
        (contents(&page), page.verdict),
        (vec!["first"], Verdict::Reset)
    );
}

pub async fn a_lost_feed_is_a_gap_only_where_it_had_something_for_the_reader(
    backend: impl Durable,
) {
    let feeds = backend.feeds();
    let before = append(&feeds, in_room("lost", "before")).await.position;
    let verdict = async |after, until| {
        let following = Following {
            lost: vec![(FeedId::Room(room("lost")), until)],
            ..following(&[])
        };
        let page = feeds.changes(following, After::Position(after), 10).await;
        let page = page.unwrap();
        assert!(page.entries.is_empty());
        page.verdict
    };
    assert_eq!(verdict(before - 1, before).await, Verdict::Gap);
    assert_eq!(verdict(before, before).await, Verdict::Complete);
    append(&feeds, in_room("lost", "not for the reader")).await;
    assert_eq!(verdict(before, before).await, Verdict::Complete);
    let partial = Following {
        is_partial: true,
        ..following(&[])
    };
    let page = feeds.changes(partial, After::Position(0), 10).await;
    assert_eq!(page.unwrap().verdict, Verdict::Gap);
}

pub async fn unread_counts_what_others_wrote_after_the_cursor(backend: impl Durable) {
    let feeds = backend.feeds();
    let first = append(&feeds, says("alice", "one")).await;
    append(&feeds, says("bob", "own")).await;
    append(&feeds, says("alice", "two")).await;
    let unread = async || {
        let silent = FeedId::Room(room("silent"));
        let read = feeds.unread(&user("bob"), vec![lobby(), silent]).await;
        let shape = |one: &roomcast::ports::Unread| (one.last_seq, one.read_seq, one.count);
        read.unwrap().iter().map(shape).collect::<Vec<_>>()
    };
    assert_eq!(unread().await, [(3, 0, 2), (0, 0, 0)]);
    let marked = feeds.mark_read(&lobby(), &user("bob"), &first.id).await;
    assert_eq!(marked.unwrap().unwrap().unread, 1);
    assert_eq!(unread().await, [(3, 1, 1), (0, 0, 0)]);
}
