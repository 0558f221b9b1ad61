//! Presence of users on several devices.

use std::sync::Arc;

use roomcast::{
    domain::{Presence, SocketId, Status},
    ports::{Arrival, ChangedUser, Departure, PresenceStore, SeenUser, VERSIONS_PER_MS},
};

use crate::backend::{Volatile, at, user};

/// All cases, for `run!`.
macro_rules! presence {
    ($backend:ty) => {
        run! { $backend, presence:
            a_user_is_online_while_one_device_is
            another_device_keeps_the_status_that_the_user_chose
            a_user_who_comes_back_is_online_again
            a_device_that_is_not_known_changes_nothing
            users_who_are_offline_have_no_status_to_set
            each_user_s_newest_change_comes_after_a_version_in_the_order_of_changes
            presence_comes_in_the_order_in_which_it_was_asked_for
            a_device_s_user_is_known_while_it_is_there
            changes_are_to_be_saved_until_they_are
            one_caller_is_to_restore_what_is_missing
        }
    };
}
pub(crate) use presence;

fn device(id: &str) -> SocketId {
    SocketId::new(id).unwrap()
}

fn is(status: Status, seen: i64, devices: usize) -> Presence {
    Presence {
        status,
        last_seen: Some(at(seen)),
        devices,
    }
}

async fn of_alice(presence: &Arc<dyn PresenceStore>) -> Presence {
    presence.get(&[user("alice")]).await.unwrap()[0]
}

async fn arrives(presence: &Arc<dyn PresenceStore>, id: &str, ms: i64) -> Arrival {
    presence
        .arrive(&user("alice"), &device(id), at(ms))
        .await
        .unwrap()
}

async fn departs(presence: &Arc<dyn PresenceStore>, id: &str, ms: i64) -> Departure {
    presence
        .depart(&user("alice"), &device(id), at(ms))
        .await
        .unwrap()
}

fn version_of(arrival: Arrival) -> u64 {
    match arrival {
        Arrival::CameOnline { version } => version,
        Arrival::WasThere => panic!("alice had no device"),
    }
}

pub async fn a_user_is_online_while_one_device_is(backend: impl Volatile) {
    let presence = backend.presence();
    assert_eq!(of_alice(&presence).await, Presence::UNKNOWN);
    let came = version_of(arrives(&presence, "phone", 1).await);
    assert_eq!(arrives(&presence, "laptop", 2).await, Arrival::WasThere);
    assert_eq!(of_alice(&presence).await, is(Status::Online, 2, 2));
    assert_eq!(departs(&presence, "phone", 3).await, Departure::StillThere);
    assert_eq!(of_alice(&presence).await.devices, 1);
    let offline = is(Status::Offline, 4, 0);
    let Departure::WentOffline(gone) = departs(&presence, "laptop", 4).await else {
        panic!("alice has no device any more");
    };
    assert_eq!(gone.presence, offline);
    // Who hears of both in the wrong order knows which is newer.
    assert!(gone.version > came);
    assert_eq!(presence.known(&user("alice")).await, Ok(gone));
    assert_eq!(of_alice(&presence).await, offline);
}

pub async fn another_device_keeps_the_status_that_the_user_chose(backend: impl Volatile) {
    let presence = backend.presence();
    arrives(&presence, "phone", 1).await;
    let busy = presence.set(&user("alice"), Status::Busy, at(2)).await;
    let busy = busy.unwrap().unwrap();
    assert_eq!(busy.presence, is(Status::Busy, 2, 1));
    assert_eq!(presence.known(&user("alice")).await, Ok(busy));
    arrives(&presence, "laptop", 3).await;
    departs(&presence, "phone", 4).await;
    assert_eq!(of_alice(&presence).await.status, Status::Busy);
}

pub async fn a_user_who_comes_back_is_online_again(backend: impl Volatile) {
    let presence = backend.presence();
    arrives(&presence, "phone", 1).await;
    presence
        .set(&user("alice"), Status::Away, at(2))
        .await
        .unwrap();
    departs(&presence, "phone", 3).await;
    version_of(arrives(&presence, "phone", 4).await);
    assert_eq!(of_alice(&presence).await, is(Status::Online, 4, 1));
}

pub async fn a_device_that_is_not_known_changes_nothing(backend: impl Volatile) {
    let presence = backend.presence();
    assert_eq!(departs(&presence, "phone", 1).await, Departure::StillThere);
    arrives(&presence, "phone", 2).await;
    assert_eq!(arrives(&presence, "phone", 2).await, Arrival::WasThere);
    assert_eq!(departs(&presence, "tablet", 3).await, Departure::StillThere);
    assert_eq!(of_alice(&presence).await, is(Status::Online, 2, 1));
}

pub async fn users_who_are_offline_have_no_status_to_set(backend: impl Volatile) {
    let presence = backend.presence();
    assert_eq!(
        presence.set(&user("alice"), Status::Away, at(1)).await,
        Ok(None)
    );
    assert_eq!(of_alice(&presence).await, Presence::UNKNOWN);
}

pub async fn presence_comes_in_the_order_in_which_it_was_asked_for(backend: impl Volatile) {
    let presence = backend.presence();
    arrives(&presence, "phone", 1).await;
    let asked = [user("bob"), user("alice"), user("bob")];
    let answer = presence.get(&asked).await.unwrap();
    let online = is(Status::Online, 1, 1);
    assert_eq!(answer, [Presence::UNKNOWN, online, Presence::UNKNOWN]);
}

pub async fn each_user_s_newest_change_comes_after_a_version_in_the_order_of_changes(
    backend: impl Volatile,
) {
    let presence = backend.presence();
    for name in ["alice", "bob", "carol"] {
        let arrived = presence.arrive(&user(name), &device(name), at(10)).await;
        arrived.unwrap();
    }
    presence
        .depart(&user("alice"), &device("alice"), at(20))
        .await
        .unwrap();
    presence
        .set(&user("bob"), Status::Busy, at(20))
        .await
        .unwrap();
    let changed = presence.changed_since(0, 10).await.unwrap();
    let shape = |one: &ChangedUser| (one.user.as_str().to_owned(), one.presence.status);
    let expected = [
        ("carol".to_owned(), Status::Online),
        ("alice".to_owned(), Status::Offline),
        ("bob".to_owned(), Status::Busy),
    ];
    assert_eq!(changed.iter().map(shape).collect::<Vec<_>>(), expected);
    let rest = presence.changed_since(changed[0].version, 1).await.unwrap();
    assert_eq!(rest, changed[1..2]);
    let later = presence
        .changed_since(15 * VERSIONS_PER_MS, 10)
        .await
        .unwrap();
    assert_eq!(later, changed[1..]);
}

pub async fn who_was_there_before_a_restart_is_offline_since_and_others_are_as_they_were(
    backend: impl Volatile,
) {
    let presence = backend.presence();
    let seen = [("alice", 10, true), ("bob", 20, false)];
    let seen = seen.map(|(name, ms, there)| SeenUser {
        user: user(name),
        last_seen: at(ms),
        there,
    });
    presence.restore(seen.into(), at(50)).await.unwrap();
    let both = presence.get(&[user("alice"), user("bob")]).await.unwrap();
    assert_eq!(
        both,
        [is(Status::Offline, 50, 0), is(Status::Offline, 20, 0)]
    );
    let changed = presence.changed_since(30 * VERSIONS_PER_MS, 10).await;
    let changed = changed.unwrap();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].user, user("alice"));
}

pub async fn a_device_s_user_is_known_while_it_is_there(backend: impl Volatile) {
    let presence = backend.presence();
    let phone = device("phone");
    assert_eq!(presence.owner(&phone).await, Ok(None));
    arrives(&presence, "phone", 1).await;
    assert_eq!(presence.owner(&phone).await, Ok(Some(user("alice"))));
    departs(&presence, "phone", 2).await;
    assert_eq!(presence.owner(&phone).await, Ok(None));
}

pub async fn changes_are_to_be_saved_until_they_are(backend: impl Volatile) {
    let presence = backend.presence();
    arrives(&presence, "phone", 1).await;
    let changes = presence.unsaved(10).await.unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(presence.unsaved(10).await.unwrap(), changes);
    presence.saved(changes[0].version).await.unwrap();
    assert_eq!(presence.unsaved(10).await, Ok(Vec::new()));
    departs(&presence, "phone", 2).await;
    let changes = presence.unsaved(10).await.unwrap();
    assert_eq!(changes[0].presence, is(Status::Offline, 2, 0));
}

pub async fn one_caller_is_to_restore_what_is_missing(backend: impl Volatile) {
    let presence = backend.presence();
    assert_eq!(presence.is_vacant().await, Ok(true));
    assert_eq!(presence.is_vacant().await, Ok(false));
}
