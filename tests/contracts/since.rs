//! What came after a position, over all feeds.

use roomcast::{
    domain::{FeedId, NewEntry},
    ports::{FeedFilter, Since},
};

use crate::backend::{Durable, append, lobby, room, says, user};

/// All cases, for `run!`.
macro_rules! since {
    ($backend:ty) => {
        run! { $backend, since:
            entries_of_the_feeds_that_are_meant_come_in_the_order_of_their_commits
            too_many_entries_or_an_unknown_position_are_no_silent_hole
            a_direct_message_says_which_socket_sent_it_also_after_a_restart
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
