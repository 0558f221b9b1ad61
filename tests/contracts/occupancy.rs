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
            a_room_is_occupied_while_anybody_is_in_it_by_any_node
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

pub async fn a_room_is_occupied_while_anybody_is_in_it_by_any_node(backend: impl Shared) {
    let (one, other) = (backend.occupancy(), backend.occupancy());
    let (alice, lobby) = (user("alice"), lobby());
    let mut states = vec![one.state_of(&lobby).await.unwrap()];
    one.entered(&lobby, &alice, "Alice").await.unwrap();
    states.push(other.state_of(&lobby).await.unwrap());
    other.entered(&lobby, &user("bob"), "Bob").await.unwrap();
    one.left(&lobby, &alice).await.unwrap();
    states.push(one.state_of(&lobby).await.unwrap());
    other.left(&lobby, &user("bob")).await.unwrap();
    states.push(one.state_of(&lobby).await.unwrap());
    let occupied: Vec<_> = states.iter().map(|state| state.is_occupied).collect();
    assert_eq!(occupied, [false, true, true, false]);
    assert!(states.is_sorted_by(|one, other| one.version < other.version));
}
