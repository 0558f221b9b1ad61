//! Reading feeds in pages, both ways, and what a page says about its cursor.

use std::sync::Arc;

use futures_util::future::join_all;
use roomcast::{
    domain::{Cursor, EntryId, EntryPage, FeedId, NewEntry, Verdict},
    ports::FeedStore,
};

use crate::backend::{Durable, append, last_seq, lobby, room, says};

/// All cases, for `run!`.
macro_rules! paging {
    ($backend:ty) => {
        run! { $backend, paging:
            pages_after_a_seq_walk_a_feed_from_its_start_to_its_end
            pages_before_a_seq_walk_a_feed_from_its_end_to_its_start
            an_id_is_as_good_a_cursor_as_its_seq
            the_latest_page_is_the_newest_entries_in_ascending_order
            a_seq_that_is_not_there_yet_resets_the_cursor
            an_unknown_id_and_one_of_another_feed_reset_the_cursor
            an_empty_feed_is_complete
        }
    };
}
pub(crate) use paging;

async fn fill(backend: &impl Durable, count: usize) -> Arc<dyn FeedStore> {
    let feeds = backend.feeds();
    let appends = (0..count).map(|number| feeds.append(says("alice", &number.to_string())));
    assert!(join_all(appends).await.iter().all(Result::is_ok));
    feeds
}

async fn page(feeds: &Arc<dyn FeedStore>, from: Cursor, limit: usize) -> EntryPage {
    feeds.page(&lobby(), from, limit).await.unwrap()
}

fn seqs(page: &EntryPage) -> Vec<u64> {
    page.entries.iter().map(|entry| entry.seq).collect()
}

/// What a page is, in short: its first and last seq, whether there is more, and its verdict.
fn shape(page: &EntryPage) -> (Option<u64>, Option<u64>, bool, Verdict) {
    let seqs = seqs(page);
    assert!(seqs.is_sorted());
    (
        seqs.first().copied(),
        seqs.last().copied(),
        page.has_more,
        page.verdict,
    )
}

pub async fn pages_after_a_seq_walk_a_feed_from_its_start_to_its_end(backend: impl Durable) {
    let feeds = fill(&backend, 250).await;
    let after = async |seq| shape(&page(&feeds, Cursor::AfterSeq(seq), 100).await);
    assert_eq!(
        after(0).await,
        (Some(1), Some(100), true, Verdict::Complete)
    );
    assert_eq!(
        after(100).await,
        (Some(101), Some(200), true, Verdict::Complete)
    );
    assert_eq!(
        after(150).await,
        (Some(151), Some(250), false, Verdict::Complete)
    );
    assert_eq!(
        after(200).await,
        (Some(201), Some(250), false, Verdict::Complete)
    );
    assert_eq!(after(250).await, (None, None, false, Verdict::Complete));
}

pub async fn pages_before_a_seq_walk_a_feed_from_its_end_to_its_start(backend: impl Durable) {
    let feeds = fill(&backend, 250).await;
    let before = async |seq| shape(&page(&feeds, Cursor::BeforeSeq(seq), 100).await);
    assert_eq!(
        before(251).await,
        (Some(151), Some(250), true, Verdict::Complete)
    );
    assert_eq!(
        before(151).await,
        (Some(51), Some(150), true, Verdict::Complete)
    );
    assert_eq!(
        before(101).await,
        (Some(1), Some(100), false, Verdict::Complete)
    );
    assert_eq!(
        before(51).await,
        (Some(1), Some(50), false, Verdict::Complete)
    );
    assert_eq!(before(1).await, (None, None, false, Verdict::Complete));
    assert_eq!(
        before(u64::MAX).await,
        (Some(151), Some(250), true, Verdict::Complete)
    );
}

pub async fn an_id_is_as_good_a_cursor_as_its_seq(backend: impl Durable) {
    let feeds = fill(&backend, 30).await;
    let all = page(&feeds, Cursor::AfterSeq(0), 100).await.entries;
    let middle = || all[14].id.clone();
    let after = page(&feeds, Cursor::AfterId(middle()), 5).await;
    assert_eq!(shape(&after), (Some(16), Some(20), true, Verdict::Complete));
    let before = page(&feeds, Cursor::BeforeId(middle()), 5).await;
    assert_eq!(
        shape(&before),
        (Some(10), Some(14), true, Verdict::Complete)
    );
}

pub async fn the_latest_page_is_the_newest_entries_in_ascending_order(backend: impl Durable) {
    let feeds = fill(&backend, 7).await;
    let latest = page(&feeds, Cursor::Latest, 3).await;
    assert_eq!(seqs(&latest), [5, 6, 7]);
    assert!(latest.has_more);
    assert!(!page(&feeds, Cursor::Latest, 7).await.has_more);
}

pub async fn a_seq_that_is_not_there_yet_resets_the_cursor(backend: impl Durable) {
    let feeds = fill(&backend, 3).await;
    let ahead = page(&feeds, Cursor::AfterSeq(4), 2).await;
    assert_eq!(shape(&ahead), (Some(1), Some(2), true, Verdict::Reset));
    let far = page(&feeds, Cursor::AfterSeq(u64::MAX), 10).await;
    assert_eq!(shape(&far), (Some(1), Some(3), false, Verdict::Reset));
}

pub async fn an_unknown_id_and_one_of_another_feed_reset_the_cursor(backend: impl Durable) {
    let feeds = fill(&backend, 3).await;
    let elsewhere = NewEntry {
        feed: FeedId::Room(room("kitchen")),
        ..says("alice", "elsewhere")
    };
    let elsewhere = append(&feeds, elsewhere).await.id.clone();
    for id in [EntryId::generate(), elsewhere] {
        let after = page(&feeds, Cursor::AfterId(id.clone()), 2).await;
        assert_eq!(shape(&after), (Some(1), Some(2), true, Verdict::Reset));
        let before = page(&feeds, Cursor::BeforeId(id), 2).await;
        assert_eq!(shape(&before), (Some(2), Some(3), true, Verdict::Reset));
    }
}

pub async fn an_empty_feed_is_complete(backend: impl Durable) {
    let feeds = backend.feeds();
    for from in [Cursor::Latest, Cursor::AfterSeq(0), Cursor::BeforeSeq(1)] {
        let empty = page(&feeds, from, 10).await;
        assert_eq!(shape(&empty), (None, None, false, Verdict::Complete));
    }
    assert_eq!(
        page(&feeds, Cursor::AfterSeq(1), 10).await.verdict,
        Verdict::Reset
    );
    assert_eq!(last_seq(&feeds, &lobby()).await, 0);
}
