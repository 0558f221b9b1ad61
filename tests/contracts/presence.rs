//! Presence of users on several devices.

use std::sync::Arc;

use roomcast::{
    domain::{Presence, SocketId, Status},
    ports::{Arrival, Departure, PresenceStore},
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
            presence_comes_in_the_order_in_which_it_was_asked_for
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

pub async fn a_user_is_online_while_one_device_is(backend: impl Volatile) {
    let presence = backend.presence();
    assert_eq!(of_alice(&presence).await, Presence::UNKNOWN);
    assert_eq!(arrives(&presence, "phone", 1).await, Arrival::CameOnline);
    assert_eq!(arrives(&presence, "laptop", 2).await, Arrival::WasThere);
    assert_eq!(of_alice(&presence).await, is(Status::Online, 2, 2));
    assert_eq!(departs(&presence, "phone", 3).await, Departure::StillThere);
    assert_eq!(of_alice(&presence).await.devices, 1);
    let offline = is(Status::Offline, 4, 0);
    assert_eq!(
        departs(&presence, "laptop", 4).await,
        Departure::WentOffline(offline)
    );
    assert_eq!(of_alice(&presence).await, offline);
}

pub async fn another_device_keeps_the_status_that_the_user_chose(backend: impl Volatile) {
    let presence = backend.presence();
    arrives(&presence, "phone", 1).await;
    let busy = presence.set(&user("alice"), Status::Busy, at(2)).await;
    assert_eq!(busy, Ok(Some(is(Status::Busy, 2, 1))));
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
    assert_eq!(arrives(&presence, "phone", 4).await, Arrival::CameOnline);
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
