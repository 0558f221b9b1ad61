//! What is taken from feeds that have too much, and what their readers are told.

use std::sync::Arc;

use roomcast::{
    domain::{Cursor, FeedId, FeedKind, NewEntry, Verdict},
    ports::{After, FeedStore, Following, KeepRule},
};

use crate::backend::{Durable, append, at, lobby, room, says, user};

/// All cases, for `run!`.
macro_rules! retention {
    ($backend:ty) => {
        run! { $backend, retention:
            feeds_of_a_kind_that_have_too_many_or_too_old_entries_are_found_step_by_step
            the_oldest_entries_go_in_steps_until_what_is_kept_is_left
            readers_of_what_was_taken_are_told_of_a_gap_and_others_are_not
            the_newest_entry_of_all_stays_so_that_positions_rise
        }
    };
}
pub(crate) use retention;

const NEWEST_TWO: KeepRule = KeepRule {
    entries: 2,
    since: None,
};

async fn fill(feeds: &Arc<dyn FeedStore>, name: &str, count: i64) {
    for number in 1..=count {
        let entry = NewEntry {
            feed: FeedId::Room(room(name)),
            created_at: at(number * 1_000),
            ..says("alice", &number.to_string())
        };
        append(feeds, entry).await;
    }
}

async fn kept(feeds: &Arc<dyn FeedStore>, feed: &FeedId) -> Vec<u64> {
    let page = feeds.page(feed, Cursor::AfterSeq(0), 100).await.unwrap();
    page.entries.iter().map(|entry| entry.seq).collect()
}

pub async fn feeds_of_a_kind_that_have_too_many_or_too_old_entries_are_found_step_by_step(
    backend: impl Durable,
) {
    let feeds = backend.feeds();
    for (name, count) in [("a", 3), ("b", 2), ("c", 4), ("d", 1)] {
        fill(&feeds, name, count).await;
    }
    let (mut found, mut from) = (Vec::new(), None);
    loop {
        let look = feeds.overfull(FeedKind::Room, NEWEST_TWO, from, 2);
        let overfull = look.await.unwrap();
        found.extend(overfull.feeds);
        from = overfull.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(found, [FeedId::Room(room("a")), FeedId::Room(room("c"))]);
    let young = KeepRule {
        entries: 0,
        since: Some(at(1_001)),
    };
    let old = feeds.overfull(FeedKind::Room, young, None, 100).await;
    assert_eq!(old.unwrap().feeds.len(), 4);
    let other = feeds.overfull(FeedKind::User, young, None, 100).await;
    assert_eq!(other.unwrap().feeds, []);
}

pub async fn the_oldest_entries_go_in_steps_until_what_is_kept_is_left(backend: impl Durable) {
    let feeds = backend.feeds();
    fill(&feeds, "lobby", 7).await;
    fill(&feeds, "other", 1).await;
    let step = async || {
        let trimmed = feeds.trim(&lobby(), NEWEST_TWO, 3).await.unwrap();
        (trimmed.count, trimmed.has_more)
    };
    assert_eq!(step().await, (3, true));
    assert_eq!(kept(&feeds, &lobby()).await, [4, 5, 6, 7]);
    assert_eq!(step().await, (2, false));
    assert_eq!(step().await, (0, false));
    assert_eq!(kept(&feeds, &lobby()).await, [6, 7]);
    let age = KeepRule {
        entries: 0,
        since: Some(at(7_000)),
    };
    assert_eq!(feeds.trim(&lobby(), age, 10).await.unwrap().count, 1);
    assert_eq!(kept(&feeds, &lobby()).await, [7]);
    fill(&feeds, "lobby", 1).await;
    assert_eq!(kept(&feeds, &lobby()).await, [7, 8]);
}

pub async fn readers_of_what_was_taken_are_told_of_a_gap_and_others_are_not(backend: impl Durable) {
    let feeds = backend.feeds();
    fill(&feeds, "lobby", 5).await;
    let taken = feeds.page(&lobby(), Cursor::AfterSeq(0), 5).await.unwrap();
    feeds.trim(&lobby(), NEWEST_TWO, 10).await.unwrap();
    let by_id = async |seq: usize| {
        let id = taken.entries[seq - 1].id.clone();
        let page = feeds.page(&lobby(), Cursor::AfterId(id), 10).await.unwrap();
        (page.verdict, page.after)
    };
    assert_eq!(by_id(1).await, (Verdict::Gap, 3));
    assert_eq!(by_id(4).await, (Verdict::Complete, 4));
    let back = async |seq| {
        let page = feeds.page(&lobby(), Cursor::BeforeSeq(seq), 1).await;
        let page = page.unwrap();
        (page.entries.len(), page.verdict)
    };
    assert_eq!(back(6).await, (1, Verdict::Complete));
    assert_eq!(back(5).await, (1, Verdict::Gap));
    assert_eq!(back(2).await, (0, Verdict::Gap));
    let position = |seq: usize| taken.entries[seq - 1].position;
    let merged = async |after| {
        let following = Following {
            reader: user("bob"),
            feeds: vec![lobby()],
            lost: Vec::new(),
            is_partial: false,
        };
        let page = feeds.changes(following, After::Position(after), 10).await;
        page.unwrap().verdict
    };
    assert_eq!(merged(position(2)).await, Verdict::Gap);
    assert_eq!(merged(position(3)).await, Verdict::Complete);
    let by_time = async |ms| {
        let following = Following {
            reader: user("bob"),
            feeds: vec![lobby()],
            lost: Vec::new(),
            is_partial: false,
        };
        let page = feeds.changes(following, After::Time(at(ms)), 10).await;
        page.unwrap().verdict
    };
    assert_eq!(by_time(3_000).await, Verdict::Gap);
    assert_eq!(by_time(3_001).await, Verdict::Complete);
    let all = |position| feeds.since(position, 100, Box::new(|_| true));
    assert_eq!(all(position(2)).await, Ok(None));
    assert!(all(position(3)).await.unwrap().is_some());
    let others = feeds.since(position(2), 100, Box::new(|feed| *feed != lobby()));
    assert!(others.await.unwrap().is_some());
}

pub async fn the_newest_entry_of_all_stays_so_that_positions_rise(mut backend: impl Durable) {
    let feeds = backend.feeds();
    fill(&feeds, "lobby", 3).await;
    let nothing = KeepRule {
        entries: 0,
        since: Some(at(i64::MAX)),
    };
    let before = feeds.last_position().await.unwrap();
    assert_eq!(feeds.trim(&lobby(), nothing, 10).await.unwrap().count, 2);
    backend.reopen().await;
    let next = append(&backend.feeds(), says("alice", "next")).await;
    assert!(next.position > before);
    assert_eq!(next.seq, 4);
}
