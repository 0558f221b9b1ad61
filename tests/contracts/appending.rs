//! Appending to feeds: places without gaps, in order, once.

use std::sync::Arc;

use futures_util::future::join_all;
use roomcast::domain::{Attachment, Cursor, Entry, FeedId, NewEntry};

use crate::backend::{Durable, append, at, done, last_seq, lobby, says, says_as, user};

/// All cases, for `run!`.
macro_rules! appending {
    ($backend:ty) => {
        run! { $backend, appending:
            concurrent_appends_take_consecutive_places_and_go_live_in_their_order
            each_feed_counts_for_itself
            the_order_of_calls_is_the_order_of_places
            a_client_id_sent_many_times_at_once_is_stored_and_delivered_once
            different_authors_and_feeds_may_share_a_client_id
            an_entry_is_stored_with_all_that_belongs_to_it
            text_is_stored_as_it_is_whatever_characters_it_has
            a_restart_keeps_entries_places_and_client_ids
        }
    };
}
pub(crate) use appending;

fn seqs(entries: &[Arc<Entry>]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq).collect()
}

pub async fn concurrent_appends_take_consecutive_places_and_go_live_in_their_order(
    backend: impl Durable,
) {
    let appends = (0..200).map(|number| {
        let feeds = backend.feeds();
        tokio::spawn(async move { append(&feeds, says("alice", &number.to_string())).await.seq })
    });
    let mut answered: Vec<u64> = join_all(appends)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    answered.sort_unstable();
    let all: Vec<u64> = (1..=200).collect();
    assert_eq!(answered, all);
    assert_eq!(seqs(&backend.delivered()), all);
    assert_eq!(last_seq(&backend.feeds(), &lobby()).await, 200);
}

pub async fn each_feed_counts_for_itself(backend: impl Durable) {
    let direct = |from: &str, to: &str| NewEntry {
        feed: FeedId::direct(&user(from), &user(to)),
        ..says(from, "hi")
    };
    let feeds = backend.feeds();
    assert_eq!(append(&feeds, says("alice", "one")).await.seq, 1);
    assert_eq!(append(&feeds, direct("alice", "bob")).await.seq, 1);
    assert_eq!(append(&feeds, direct("bob", "alice")).await.seq, 2);
    assert_eq!(append(&feeds, direct("alice", "carol")).await.seq, 1);
    assert_eq!(append(&feeds, says("alice", "two")).await.seq, 2);
}

pub async fn the_order_of_calls_is_the_order_of_places(backend: impl Durable) {
    let feeds = backend.feeds();
    let appends = (0..500).map(|number| feeds.append(says("alice", &number.to_string())));
    for (number, appended) in join_all(appends).await.into_iter().enumerate() {
        let entry = appended.unwrap().entry;
        assert_eq!(entry.content, number.to_string());
        assert_eq!(entry.seq, number as u64 + 1);
    }
}

pub async fn a_client_id_sent_many_times_at_once_is_stored_and_delivered_once(
    backend: impl Durable,
) {
    let sends = (0..10).map(|_| {
        let feeds = backend.feeds();
        tokio::spawn(async move { feeds.append(says_as("alice", "hello", "c1")).await.unwrap() })
    });
    let sent: Vec<_> = join_all(sends)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let first = sent.iter().find(|appended| !appended.duplicate).unwrap();
    assert_eq!(sent.iter().filter(|appended| appended.duplicate).count(), 9);
    assert!(sent.iter().all(|appended| appended.entry == first.entry));
    assert_eq!(backend.delivered(), std::slice::from_ref(&first.entry));
    // The duplicates have taken no place.
    assert_eq!(append(&backend.feeds(), says("alice", "next")).await.seq, 2);
}

pub async fn different_authors_and_feeds_may_share_a_client_id(backend: impl Durable) {
    let feeds = backend.feeds();
    let elsewhere = NewEntry {
        feed: FeedId::direct(&user("alice"), &user("bob")),
        ..says_as("alice", "hello", "c1")
    };
    for entry in [
        says_as("alice", "hello", "c1"),
        says_as("bob", "hello", "c1"),
        elsewhere,
    ] {
        assert!(!feeds.append(entry).await.unwrap().duplicate);
    }
}

pub async fn an_entry_is_stored_with_all_that_belongs_to_it(backend: impl Durable) {
    let feeds = backend.feeds();
    let binary = Attachment::from_bytes(&[0xc4, 3, 1, 2, 3]).unwrap();
    let appended = append(
        &feeds,
        NewEntry {
            subject: Some("order-7".into()),
            attachment: Some(binary.clone()),
            ..says_as("alice", "a picture, \u{1f600} and a NUL: \0", "c1")
        },
    )
    .await;
    assert_eq!(appended.attachment, Some(binary));
    assert_eq!(&*appended.author_name, "ALICE");
    let page = feeds.page(&lobby(), Cursor::Latest, 10).await.unwrap();
    assert_eq!(page.entries, [Entry::clone(&appended)]);
}

pub async fn text_is_stored_as_it_is_whatever_characters_it_has(backend: impl Durable) {
    let feeds = backend.feeds();
    let odd = "\0 \u{1f600}\\x00 \u{7f}\r\n\u{2028}";
    let entry = NewEntry {
        event: odd.into(),
        author_name: odd.into(),
        subject: Some(odd.into()),
        feed: FeedId::direct(&user("zo\u{eb}:\\'\"{,}"), &user("NULL")),
        ..says_as("NULL", odd, "{\"NULL\",\\}")
    };
    let appended = append(&feeds, entry.clone()).await;
    let page = feeds.page(&entry.feed, Cursor::Latest, 10).await.unwrap();
    assert_eq!(page.entries, [Entry::clone(&appended)]);
    let again = feeds.append(entry).await.unwrap();
    assert!(again.duplicate);
    assert_eq!(again.entry, appended);
    let (id, author) = (&appended.id, &appended.author);
    let changed = feeds
        .edit(&appended.feed, id, author, odd.repeat(2), at(2_000))
        .await;
    assert_eq!(done(changed.unwrap()).content, odd.repeat(2));
}

pub async fn a_restart_keeps_entries_places_and_client_ids(mut backend: impl Durable) {
    let first = append(&backend.feeds(), says_as("alice", "hello", "c1")).await;
    backend.reopen().await;
    let feeds = backend.feeds();
    let again = feeds.append(says_as("alice", "hello", "c1")).await.unwrap();
    assert!(again.duplicate);
    assert_eq!(again.entry, first);
    assert!(backend.delivered().is_empty());
    assert_eq!(append(&feeds, says("bob", "hi")).await.seq, 2);
    let page = feeds.page(&lobby(), Cursor::AfterSeq(0), 10).await.unwrap();
    assert_eq!(page.entries[0], *first);
    assert_eq!(page.entries.len(), 2);
}
