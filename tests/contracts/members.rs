//! Member lists.

use crate::backend::{Durable, room, user};

/// All cases, for `run!`.
macro_rules! members {
    ($backend:ty) => {
        run! { $backend, members:
            a_member_belongs_to_the_room_until_removed
            adding_and_removing_twice_changes_nothing
            a_restart_keeps_members
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
