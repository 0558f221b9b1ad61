//! Which users are in which rooms, as two nodes of a cluster say.

use std::sync::Arc;

use roomcast::{domain::Room, ports::Occupancy};

use crate::backend::{room, user};

/// All cases, for `run!`.
macro_rules! occupancy {
    ($backend:ty) => {
        run! { $backend, occupancy:
            a_user_enters_with_the_first_node_and_leaves_with_the_last
            what_is_said_twice_changes_nothing
            rooms_and_users_are_listed_once_in_order
        }
    };
}
pub(crate) use occupancy;

/// A backend that several nodes share.
pub trait Shared {
    /// Each call is another node.
    fn occupancy(&self) -> Arc<dyn Occupancy>;
}

fn lobby() -> Room {
    Room::chat(&room("lobby"))
}

pub async fn a_user_enters_with_the_first_node_and_leaves_with_the_last(backend: impl Shared) {
    let (one, other) = (backend.occupancy(), backend.occupancy());
    let (alice, lobby) = (user("alice"), lobby());
    assert_eq!(one.entered(&lobby, &alice, "Alice").await, Ok(true));
    assert_eq!(other.entered(&lobby, &alice, "Alice").await, Ok(false));
    assert_eq!(one.left(&lobby, &alice).await, Ok(false));
    assert_eq!(
        one.users_in(&lobby).await.unwrap(),
        std::slice::from_ref(&alice)
    );
    assert_eq!(other.left(&lobby, &alice).await, Ok(true));
    assert_eq!(one.users_in(&lobby).await, Ok(Vec::new()));
    assert_eq!(one.rooms_of(&alice).await, Ok(Vec::new()));
}

pub async fn what_is_said_twice_changes_nothing(backend: impl Shared) {
    let (one, other) = (backend.occupancy(), backend.occupancy());
    let (alice, lobby) = (user("alice"), lobby());
    assert_eq!(one.left(&lobby, &alice).await, Ok(false));
    assert_eq!(one.entered(&lobby, &alice, "Alice").await, Ok(true));
    assert_eq!(one.entered(&lobby, &alice, "Alice").await, Ok(false));
    assert_eq!(other.left(&lobby, &alice).await, Ok(false));
    assert_eq!(one.left(&lobby, &alice).await, Ok(true));
    assert_eq!(one.left(&lobby, &alice).await, Ok(false));
}

pub async fn rooms_and_users_are_listed_once_in_order(backend: impl Shared) {
    let (one, other) = (backend.occupancy(), backend.occupancy());
    let attic = Room::chat(&room("attic"));
    for (node, name) in [(&one, "bob"), (&other, "alice"), (&other, "bob")] {
        node.entered(&lobby(), &user(name), name).await.unwrap();
    }
    one.entered(&attic, &user("bob"), "bob").await.unwrap();
    let users = one.users_in(&lobby()).await.unwrap();
    assert_eq!(users, [user("alice"), user("bob")]);
    assert_eq!(
        other.rooms_of(&user("bob")).await.unwrap(),
        [attic, lobby()]
    );
}
