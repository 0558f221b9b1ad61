//! Editing and deleting entries.

use std::sync::Arc;

use roomcast::{
    domain::{Attachment, Cursor, Entry, EntryId, FeedId, NewEntry},
    ports::{Change, FeedStore},
};

use crate::backend::{Durable, append, at, done, lobby, room, says, says_as, user};

/// All cases, for `run!`.
macro_rules! changing {
    ($backend:ty) => {
        run! { $backend, changing:
            an_edit_replaces_the_text_and_says_when
            a_deleted_entry_keeps_its_place_without_text_and_attachment
            only_the_author_changes_an_entry
            what_is_not_in_the_feed_cannot_be_changed
            what_is_deleted_cannot_be_changed_again
            a_duplicate_of_an_edited_entry_shows_it_as_it_is_now
        }
    };
}
pub(crate) use changing;

async fn only(feeds: &Arc<dyn FeedStore>) -> Entry {
    let page = feeds.page(&lobby(), Cursor::Latest, 10).await.unwrap();
    assert_eq!(page.entries.len(), 1);
    page.entries.into_iter().next().unwrap()
}

async fn edit(feeds: &Arc<dyn FeedStore>, id: &EntryId, author: &str) -> Change {
    feeds
        .edit(&lobby(), id, &user(author), "better".into(), at(2_000))
        .await
        .unwrap()
}

async fn delete(feeds: &Arc<dyn FeedStore>, id: &EntryId, author: &str) -> Change {
    feeds
        .delete(&lobby(), id, &user(author), at(3_000))
        .await
        .unwrap()
}

pub async fn an_edit_replaces_the_text_and_says_when(mut backend: impl Durable) {
    let feeds = backend.feeds();
    let entry = append(&feeds, says("alice", "good")).await;
    let edited = done(edit(&feeds, &entry.id, "alice").await);
    let expected = Entry {
        content: "better".into(),
        edited_at: Some(at(2_000)),
        ..Entry::clone(&entry)
    };
    assert_eq!(edited, expected);
    drop(feeds);
    backend.reopen().await;
    assert_eq!(only(&backend.feeds()).await, expected);
}

pub async fn a_deleted_entry_keeps_its_place_without_text_and_attachment(
    mut backend: impl Durable,
) {
    let feeds = backend.feeds();
    let entry = append(
        &feeds,
        NewEntry {
            attachment: Attachment::from_bytes(&[0xc4, 1, 7]),
            ..says("alice", "a secret")
        },
    )
    .await;
    let deleted = done(delete(&feeds, &entry.id, "alice").await);
    let expected = Entry {
        content: String::new(),
        attachment: None,
        deleted_at: Some(at(3_000)),
        ..Entry::clone(&entry)
    };
    assert_eq!(deleted, expected);
    drop(feeds);
    backend.reopen().await;
    assert_eq!(only(&backend.feeds()).await, expected);
    assert_eq!(append(&backend.feeds(), says("bob", "next")).await.seq, 2);
}

pub async fn only_the_author_changes_an_entry(backend: impl Durable) {
    let feeds = backend.feeds();
    let entry = append(&feeds, says("alice", "mine")).await;
    assert_eq!(edit(&feeds, &entry.id, "bob").await, Change::NotAuthor);
    assert_eq!(delete(&feeds, &entry.id, "bob").await, Change::NotAuthor);
    assert_eq!(only(&feeds).await, *entry);
}

pub async fn what_is_not_in_the_feed_cannot_be_changed(backend: impl Durable) {
    let feeds = backend.feeds();
    let elsewhere = NewEntry {
        feed: FeedId::Room(room("kitchen")),
        ..says("alice", "elsewhere")
    };
    let elsewhere = append(&feeds, elsewhere).await.id.clone();
    for id in [elsewhere, EntryId::generate()] {
        assert_eq!(edit(&feeds, &id, "alice").await, Change::NotFound);
        assert_eq!(delete(&feeds, &id, "alice").await, Change::NotFound);
    }
}

pub async fn what_is_deleted_cannot_be_changed_again(backend: impl Durable) {
    let feeds = backend.feeds();
    let entry = append(&feeds, says("alice", "gone")).await;
    done(delete(&feeds, &entry.id, "alice").await);
    assert_eq!(edit(&feeds, &entry.id, "alice").await, Change::NotFound);
    assert_eq!(delete(&feeds, &entry.id, "alice").await, Change::NotFound);
    assert_eq!(delete(&feeds, &entry.id, "bob").await, Change::NotFound);
    assert_eq!(only(&feeds).await.deleted_at, Some(at(3_000)));
}

pub async fn a_duplicate_of_an_edited_entry_shows_it_as_it_is_now(backend: impl Durable) {
    let feeds = backend.feeds();
    let entry = append(&feeds, says_as("alice", "good", "c1")).await;
    let edited = done(edit(&feeds, &entry.id, "alice").await);
    let again = feeds.append(says_as("alice", "good", "c1")).await.unwrap();
    assert!(again.duplicate);
    assert_eq!(*again.entry, edited);
}
