//! What came after a position, over all feeds.

use roomcast::{
    domain::{Attachment, FeedId, NewEntry, PageBudget},
    ports::{FeedFilter, KeepRule, Since},
};

use crate::backend::{Durable, append, lobby, room, says, says_as, user};

/// All cases, for `run!`.
macro_rules! since {
    ($backend:ty) => {
        run! { $backend, since:
            entries_of_the_feeds_that_are_meant_come_in_the_order_of_their_commits
            too_many_entries_or_an_unknown_position_are_no_silent_hole
            a_direct_message_says_which_socket_sent_it_also_after_a_restart
            the_log_has_the_entries_of_all_feeds_with_all_that_belongs_to_them
            the_log_comes_in_pieces_of_so_many_entries_and_bytes
            what_retention_has_taken_is_missing_in_the_log
        }
    };
}
pub(crate) use since;

fn elsewhere(content: &str) -> NewEntry {
    NewEntry {
        feed: FeedId::Room(room("elsewhere")),
        ..says("bob", content)
    }
}

fn all() -> FeedFilter {
    Box::new(|_| true)
}

fn contents(since: &Since) -> Vec<&str> {
    let entries = since.entries.iter();
    entries.map(|entry| entry.content.as_str()).collect()
}

pub async fn entries_of_the_feeds_that_are_meant_come_in_the_order_of_their_commits(
    backend: impl Durable,
) {
    let feeds = backend.feeds();
    let first = append(&feeds, says("alice", "one")).await;
    append(&feeds, elsewhere("two")).await;
    append(&feeds, says("alice", "three")).await;
    let last = append(&feeds, elsewhere("four")).await;
    assert_eq!(feeds.last_position().await.unwrap(), last.position);
    let since = feeds.since(first.position, 10, all()).await.unwrap();
    assert_eq!(contents(&since.unwrap()), ["two", "three", "four"]);
    let of = Box::new(|feed: &FeedId| *feed == lobby());
    let since = feeds.since(0, 10, of).await.unwrap().unwrap();
    assert_eq!(contents(&since), ["one", "three"]);
    assert_eq!(since.position, last.position);
    let nothing = feeds.since(last.position, 10, all()).await.unwrap();
    assert_eq!(contents(&nothing.unwrap()), [""; 0]);
}

pub async fn too_many_entries_or_an_unknown_position_are_no_silent_hole(backend: impl Durable) {
    let feeds = backend.feeds();
    assert_eq!(feeds.last_position().await.unwrap(), 0);
    for content in ["one", "two", "three"] {
        append(&feeds, says("alice", content)).await;
    }
    let last = feeds.last_position().await.unwrap();
    assert!(feeds.since(0, 3, all()).await.unwrap().is_some());
    assert_eq!(feeds.since(0, 2, all()).await.unwrap(), None);
    assert_eq!(feeds.since(last + 1, 10, all()).await.unwrap(), None);
}

pub async fn a_direct_message_says_which_socket_sent_it_also_after_a_restart(
    mut backend: impl Durable,
) {
    let socket = roomcast::domain::SocketId::new("the phone").unwrap();
    let direct = NewEntry {
        feed: FeedId::direct(&user("alice"), &user("bob")),
        origin: Some(socket.clone()),
        ..says("alice", "psst")
    };
    let live = append(&backend.feeds(), direct).await;
    assert_eq!(live.origin.as_ref(), Some(&socket));
    backend.reopen().await;
    let since = backend.feeds().since(0, 10, all()).await.unwrap().unwrap();
    assert_eq!(since.entries, [live]);
}

pub async fn the_log_has_the_entries_of_all_feeds_with_all_that_belongs_to_them(
    backend: impl Durable,
) {
    let feeds = backend.feeds();
    assert_eq!(feeds.log(0, 10).await, Ok(Vec::new()));
    let binary = Attachment::from_bytes(&[0xc4, 3, 1, 2, 3]).unwrap();
    let picture = NewEntry {
        subject: Some("order-7".into()),
        attachment: Some(binary),
        ..says_as("alice", "a picture", "c1")
    };
    let first = append(&feeds, picture).await;
    let second = append(&feeds, elsewhere("two")).await;
    let third = append(&feeds, says("alice", "three")).await;
    let log = async |after| feeds.log(after, 10).await.unwrap();
    assert_eq!(log(0).await, [first.clone(), second.clone(), third.clone()]);
    assert_eq!(log(first.position).await, [second, third.clone()]);
    assert_eq!(log(third.position).await, []);
    assert_eq!(log(u64::MAX).await, []);
}

pub async fn the_log_comes_in_pieces_of_so_many_entries_and_bytes(backend: impl Durable) {
    let feeds = backend.feeds();
    let half = "x".repeat(PageBudget::MAX_BYTES / 2);
    for content in ["one", "two", &half, &half, "three"] {
        append(&feeds, elsewhere(content)).await;
    }
    let counts = async |limit| {
        let (mut counts, mut after) = (Vec::new(), 0);
        loop {
            let piece = feeds.log(after, limit).await.unwrap();
            let Some(last) = piece.last() else {
                return counts;
            };
            after = last.position;
            counts.push(piece.len());
        }
    };
    assert_eq!(counts(2).await, [2, 2, 1]);
    assert_eq!(counts(10).await, [3, 2]);
}

pub async fn what_retention_has_taken_is_missing_in_the_log(backend: impl Durable) {
    let feeds = backend.feeds();
    for content in ["one", "two", "three"] {
        append(&feeds, says("alice", content)).await;
    }
    let last = append(&feeds, elsewhere("four")).await;
    let newest = KeepRule {
        entries: 1,
        since: None,
    };
    feeds.trim(&lobby(), newest, 10).await.unwrap();
    let log = feeds.log(0, 10).await.unwrap();
    let contents: Vec<_> = log.iter().map(|entry| &*entry.content).collect();
    assert_eq!(contents, ["three", "four"]);
    assert_eq!(log[1], last);
}
