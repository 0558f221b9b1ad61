//! Sessions that their clients may want back: those of an earlier run, and none of this one.

use std::{sync::Arc, time::Duration};

use roomcast::{
    domain::{Room, SocketId},
    ports::{SavedSession, SessionStore},
};

use crate::backend::{Durable, user};

/// All cases, for `run!`.
macro_rules! sessions {
    ($backend:ty) => {
        run! { $backend, sessions:
            a_session_is_there_after_a_restart_as_it_was_last
            a_session_that_ended_is_not_there_any_more
            a_user_s_session_is_found_if_it_is_the_only_one
            older_sessions_are_forgotten_and_newer_ones_stay
            older_sessions_are_there_for_as_long_as_they_may_be_wanted
            what_no_session_is_called_finds_none
        }
    };
}
pub(crate) use sessions;

const NAMESPACE: &str = "/";

fn session(pid: &str, name: &str, rooms: &[&str]) -> SavedSession {
    SavedSession {
        pid: pid.into(),
        id: SocketId::new(format!("socket of {pid}")).unwrap(),
        user: Some(user(name)),
        rooms: rooms.iter().map(|room| Room::named(*room)).collect(),
        is_connected: true,
    }
}

async fn save(store: &Arc<dyn SessionStore>, session: &SavedSession) {
    let saved = vec![session.clone()];
    store.save(NAMESPACE, saved, Vec::new()).await.unwrap();
}

pub async fn a_session_is_there_after_a_restart_as_it_was_last(mut backend: impl Durable) {
    save(&backend.sessions(), &session("p", "alice", &["room:a"])).await;
    let last = session("p", "alice", &["room:a", "product-\"7\""]);
    save(&backend.sessions(), &last).await;
    // This run needs no store to know its sessions.
    let store = backend.sessions();
    assert_eq!(store.load(NAMESPACE, "p").await.unwrap(), None);
    backend.reopen().await;
    let store = backend.sessions();
    assert_eq!(store.load(NAMESPACE, "p").await.unwrap(), Some(last));
    assert_eq!(store.load("/other", "p").await.unwrap(), None);
    assert_eq!(store.load(NAMESPACE, "q").await.unwrap(), None);
}

pub async fn a_session_that_ended_is_not_there_any_more(mut backend: impl Durable) {
    save(&backend.sessions(), &session("p", "alice", &[])).await;
    let gone = vec!["p".into()];
    let store = backend.sessions();
    store.save(NAMESPACE, Vec::new(), gone).await.unwrap();
    backend.reopen().await;
    let loaded = backend.sessions().load(NAMESPACE, "p").await.unwrap();
    assert_eq!(loaded, None);
}

pub async fn a_user_s_session_is_found_if_it_is_the_only_one(mut backend: impl Durable) {
    save(&backend.sessions(), &session("p", "alice", &[])).await;
    for pid in ["q", "r"] {
        save(&backend.sessions(), &session(pid, "bob", &[])).await;
    }
    backend.reopen().await;
    let store = backend.sessions();
    let of = async |name| store.only_one_of(NAMESPACE, &user(name)).await.unwrap();
    assert_eq!(of("alice").await, Some(session("p", "alice", &[])));
    assert_eq!(of("bob").await, None);
    assert_eq!(of("carol").await, None);
}

pub async fn older_sessions_are_forgotten_and_newer_ones_stay(mut backend: impl Durable) {
    save(&backend.sessions(), &session("old", "alice", &[])).await;
    backend.reopen().await;
    save(&backend.sessions(), &session("new", "alice", &[])).await;
    backend
        .sessions()
        .forget_older(Duration::ZERO)
        .await
        .unwrap();
    backend.reopen().await;
    let store = backend.sessions();
    assert_eq!(store.load(NAMESPACE, "old").await.unwrap(), None);
    assert!(store.load(NAMESPACE, "new").await.unwrap().is_some());
}

pub async fn older_sessions_are_there_for_as_long_as_they_may_be_wanted(mut backend: impl Durable) {
    save(&backend.sessions(), &session("p", "alice", &[])).await;
    backend.reopen().await;
    let store = backend.sessions();
    store.forget_older(Duration::from_secs(60)).await.unwrap();
    assert!(store.load(NAMESPACE, "p").await.unwrap().is_some());
}

pub async fn what_no_session_is_called_finds_none(backend: impl Durable) {
    let found = backend.sessions().load("/\0", "\0").await;
    assert_eq!(found, Ok(None));
}
