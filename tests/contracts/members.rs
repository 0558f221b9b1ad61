//! Member lists.

use roomcast::ports::Membership;

use crate::backend::{Durable, append, room, says, user};

/// All cases, for `run!`.
macro_rules! members {
    ($backend:ty) => {
        run! { $backend, members:
            a_member_belongs_to_the_room_until_removed
            adding_and_removing_twice_changes_nothing
            a_restart_keeps_members
            a_user_s_rooms_are_listed_with_those_that_were_taken
            who_shares_a_room_is_a_roommate
        }
    };
}
pub(crate) use members;

pub async fn a_member_belongs_to_the_room_until_removed(backend: impl Durable) {
    let members = backend.members();
    assert_eq!(
        members.contains(&room("lobby"), &user("alice")).await,
        Ok(false)
    );
    members.add(&room("lobby"), &user("alice")).await.unwrap();
    assert_eq!(
        members.contains(&room("lobby"), &user("alice")).await,
        Ok(true)
    );
    assert_eq!(
        members.contains(&room("lobby"), &user("bob")).await,
        Ok(false)
    );
    assert_eq!(
        members.contains(&room("kitchen"), &user("alice")).await,
        Ok(false)
    );
    assert_eq!(
        members.remove(&room("lobby"), &user("alice")).await,
        Ok(true)
    );
    assert_eq!(
        members.contains(&room("lobby"), &user("alice")).await,
        Ok(false)
    );
}

pub async fn adding_and_removing_twice_changes_nothing(backend: impl Durable) {
    let members = backend.members();
    members.add(&room("lobby"), &user("alice")).await.unwrap();
    members.add(&room("lobby"), &user("alice")).await.unwrap();
    assert_eq!(
        members.remove(&room("lobby"), &user("alice")).await,
        Ok(true)
    );
    assert_eq!(
        members.remove(&room("lobby"), &user("alice")).await,
        Ok(false)
    );
}

pub async fn a_restart_keeps_members(mut backend: impl Durable) {
    backend
        .members()
        .add(&room("lobby"), &user("alice"))
        .await
        .unwrap();
    backend.reopen().await;
    let members = backend.members();
    assert_eq!(
        members.contains(&room("lobby"), &user("alice")).await,
        Ok(true)
    );
}

pub async fn a_user_s_rooms_are_listed_with_those_that_were_taken(backend: impl Durable) {
    let (members, alice) = (backend.members(), user("alice"));
    for name in ["left", "kept", "taken"] {
        members.add(&room(name), &alice).await.unwrap();
    }
    let newest = append(&backend.feeds(), says("bob", "hello"))
        .await
        .position;
    assert_eq!(members.leave(&room("left"), &alice).await, Ok(true));
    assert_eq!(members.remove(&room("taken"), &alice).await, Ok(true));
    let listed = |name: &str, lost| Membership {
        room: room(name),
        lost,
    };
    let rooms = async |limit| members.rooms_of(&alice, limit).await.unwrap();
    let (kept, taken) = (listed("kept", None), listed("taken", Some(newest)));
    assert_eq!(rooms(10).await, [kept.clone(), taken]);
    assert_eq!(rooms(1).await, [kept.clone()]);
    members.add(&room("taken"), &alice).await.unwrap();
    assert_eq!(rooms(10).await, [kept, listed("taken", None)]);
}

pub async fn who_shares_a_room_is_a_roommate(backend: impl Durable) {
    let members = backend.members();
    for (name, who) in [("one", "alice"), ("one", "bob"), ("two", "carol")] {
        members.add(&room(name), &user(who)).await.unwrap();
    }
    let others = vec![user("bob"), user("carol"), user("dave")];
    let shared = members.roommates(&user("alice"), others).await;
    assert_eq!(shared, Ok(vec![user("bob")]));
}
