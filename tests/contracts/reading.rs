//! Read cursors and what they leave unread.

use std::sync::Arc;

use roomcast::{
    domain::{Entry, EntryId, FeedId, NewEntry},
    ports::{FeedStore, ReadMark},
};

use crate::backend::{Durable, append, at, done, lobby, room, says, user};

/// All cases, for `run!`.
macro_rules! reading {
    ($backend:ty) => {
        run! { $backend, reading:
            a_read_cursor_never_moves_back
            ones_own_and_deleted_entries_do_not_count_as_unread
            each_user_has_a_cursor_of_their_own_in_each_feed
            an_entry_that_is_not_in_the_feed_moves_no_cursor
        }
    };
}
pub(crate) use reading;

async fn talk(feeds: &Arc<dyn FeedStore>, authors: &[&str]) -> Vec<Arc<Entry>> {
    let mut entries = Vec::new();
    for author in authors {
        entries.push(append(feeds, says(author, "hello")).await);
    }
    entries
}

async fn read(feeds: &Arc<dyn FeedStore>, reader: &str, entry: &Entry) -> ReadMark {
    feeds
        .mark_read(&entry.feed, &user(reader), &entry.id)
        .await
        .unwrap()
        .unwrap()
}

const fn moved(unread: u64) -> ReadMark {
    ReadMark {
        moved: true,
        unread,
    }
}

const fn stayed(unread: u64) -> ReadMark {
    ReadMark {
        moved: false,
        unread,
    }
}

pub async fn a_read_cursor_never_moves_back(mut backend: impl Durable) {
    let feeds = backend.feeds();
    let entries = talk(&feeds, &["alice"; 5]).await;
    assert_eq!(read(&feeds, "bob", &entries[2]).await, moved(2));
    assert_eq!(read(&feeds, "bob", &entries[0]).await, stayed(2));
    assert_eq!(read(&feeds, "bob", &entries[2]).await, stayed(2));
    drop(feeds);
    backend.reopen().await;
    let feeds = backend.feeds();
    assert_eq!(read(&feeds, "bob", &entries[1]).await, stayed(2));
    assert_eq!(read(&feeds, "bob", &entries[4]).await, moved(0));
}

pub async fn ones_own_and_deleted_entries_do_not_count_as_unread(backend: impl Durable) {
    let feeds = backend.feeds();
    let entries = talk(&feeds, &["alice", "bob", "alice", "carol", "bob", "alice"]).await;
    assert_eq!(read(&feeds, "bob", &entries[0]).await, moved(3));
    for gone in [&entries[1], &entries[2]] {
        done(
            feeds
                .delete(&lobby(), &gone.id, &gone.author, at(2_000))
                .await
                .unwrap(),
        );
    }
    assert_eq!(read(&feeds, "bob", &entries[0]).await, stayed(2));
    // A deleted entry still marks a place.
    assert_eq!(read(&feeds, "bob", &entries[2]).await, moved(2));
    assert_eq!(read(&feeds, "bob", &entries[3]).await, moved(1));
}

pub async fn each_user_has_a_cursor_of_their_own_in_each_feed(backend: impl Durable) {
    let feeds = backend.feeds();
    let entries = talk(&feeds, &["alice"; 3]).await;
    let elsewhere = NewEntry {
        feed: FeedId::Room(room("kitchen")),
        ..says("alice", "elsewhere")
    };
    let elsewhere = append(&feeds, elsewhere).await;
    assert_eq!(read(&feeds, "bob", &entries[2]).await, moved(0));
    assert_eq!(read(&feeds, "carol", &entries[0]).await, moved(2));
    assert_eq!(read(&feeds, "bob", &elsewhere).await, moved(0));
}

pub async fn an_entry_that_is_not_in_the_feed_moves_no_cursor(backend: impl Durable) {
    let feeds = backend.feeds();
    let unknown = EntryId::generate();
    let mark = async || feeds.mark_read(&lobby(), &user("bob"), &unknown).await;
    assert_eq!(mark().await, Ok(None));
    talk(&feeds, &["alice"]).await;
    assert_eq!(mark().await, Ok(None));
}
