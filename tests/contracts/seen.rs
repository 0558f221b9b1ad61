//! When users were last seen.

use roomcast::ports::SeenUser;

use crate::backend::{Durable, at, user};

/// All cases, for `run!`.
macro_rules! seen {
    ($backend:ty) => {
        run! { $backend, seen:
            the_newest_of_each_user_is_kept_over_a_restart_and_the_oldest_users_go
        }
    };
}
pub(crate) use seen;

fn seen_at(name: &str, ms: i64, there: bool) -> SeenUser {
    SeenUser {
        user: user(name),
        last_seen: at(ms),
        there,
    }
}

pub async fn the_newest_of_each_user_is_kept_over_a_restart_and_the_oldest_users_go(
    mut backend: impl Durable,
) {
    let first = vec![seen_at("alice", 1, true), seen_at("bob", 2, true)];
    backend.seen().save(first).await.unwrap();
    let then = vec![seen_at("alice", 3, false), seen_at("carol", 4, true)];
    backend.seen().save(then).await.unwrap();
    backend.reopen().await;
    let newest = [seen_at("alice", 3, false), seen_at("carol", 4, true)];
    assert_eq!(backend.seen().load(2).await.unwrap(), newest);
    assert_eq!(backend.seen().load(10).await.unwrap(), newest);
}
