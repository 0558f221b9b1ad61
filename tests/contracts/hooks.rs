//! What webhooks are told: subjects, and the outbox.

use std::sync::Arc;

use roomcast::{
    domain::Timestamp,
    ports::{Hook, HookNote, HookStore},
};

use crate::backend::{Durable, at};

/// All cases, for `run!`.
macro_rules! hooks {
    ($backend:ty) => {
        run! { $backend, hooks:
            what_is_news_is_told_and_what_is_not_is_not
            a_note_that_is_not_newer_changes_nothing
            a_note_without_a_version_is_newer_than_what_is_known
            what_follows_about_a_subject_waits_for_what_came_before
            what_finds_no_place_is_news_again_later
            what_is_postponed_is_due_then_and_what_is_settled_is_gone
            a_node_has_subjects_until_they_go_or_move
            what_has_moved_to_another_node_does_not_go_with_the_one_before
            subjects_that_are_there_are_listed_in_order
            who_has_gone_is_remembered_until_forgotten
            all_of_it_stays_over_a_restart
        }
    };
}
pub(crate) use hooks;

const MANY: u64 = 1_000;

fn note(subject: &str, state: &str, version: Option<u64>) -> HookNote {
    HookNote {
        subject: subject.to_owned(),
        state: state.to_owned(),
        version,
        node: None,
        kind: Some("changed"),
        data: format!("{{\"state\":\"{state}\"}}"),
    }
}

fn by(node: &str, note: HookNote) -> HookNote {
    HookNote {
        node: Some(node.to_owned()),
        ..note
    }
}

async fn take(store: &Arc<dyn HookStore>, notes: Vec<HookNote>) -> u64 {
    store.note(notes, MANY).await.unwrap()
}

fn later() -> Timestamp {
    at(i64::MAX / 2)
}

async fn due(store: &Arc<dyn HookStore>) -> Vec<Hook> {
    store.due(later(), 100).await.unwrap().hooks
}

/// Settles all that is due, until nothing is; each by its state and version.
async fn told(store: &Arc<dyn HookStore>) -> Vec<(String, u64)> {
    let mut told = Vec::new();
    loop {
        let hooks = due(store).await;
        if hooks.is_empty() {
            return told;
        }
        for hook in hooks {
            store.settle(hook.number).await.unwrap();
            told.push((hook.data, hook.version));
        }
    }
}

fn state(name: &str, version: u64) -> (String, u64) {
    (format!("{{\"state\":\"{name}\"}}"), version)
}

pub async fn what_is_news_is_told_and_what_is_not_is_not(backend: impl Durable) {
    let store = backend.hooks();
    let quiet = HookNote {
        kind: None,
        ..note("user:bob", "online", Some(1))
    };
    let notes = vec![
        // Nobody has heard that they were there.
        note("user:carol", "", Some(1)),
        note("user:alice", "online", Some(1)),
        note("user:alice", "online", Some(2)),
        note("user:alice", "", Some(3)),
        quiet,
    ];
    assert_eq!(take(&store, notes).await, 0);
    assert_eq!(told(&store).await, [state("online", 1), state("", 3)]);
}

pub async fn a_note_that_is_not_newer_changes_nothing(backend: impl Durable) {
    let store = backend.hooks();
    take(&store, vec![note("room:a", "occupied", Some(5))]).await;
    take(
        &store,
        vec![note("room:a", "", Some(5)), note("room:a", "", Some(4))],
    )
    .await;
    // What is known moves on, also where it is no news.
    take(&store, vec![note("room:a", "occupied", Some(9))]).await;
    take(&store, vec![note("room:a", "", Some(8))]).await;
    assert_eq!(told(&store).await, [state("occupied", 5)]);
}

pub async fn a_note_without_a_version_is_newer_than_what_is_known(backend: impl Durable) {
    let store = backend.hooks();
    let ahead = u64::try_from(i64::MAX / 2).unwrap();
    take(&store, vec![note("socket:a", "connected", Some(ahead))]).await;
    take(&store, vec![note("socket:a", "", None)]).await;
    take(
        &store,
        vec![
            note("socket:b", "connected", None),
            note("socket:b", "", None),
        ],
    )
    .await;
    let told = told(&store).await;
    assert!(told.contains(&state("", ahead + 1)), "{told:?}");
    let others: Vec<_> = told.iter().map(|(_, version)| *version).collect();
    assert!(
        others.iter().all(|version| *version > 1_000_000_000_000),
        "{told:?}"
    );
}

pub async fn what_follows_about_a_subject_waits_for_what_came_before(backend: impl Durable) {
    let store = backend.hooks();
    let notes = vec![
        note("user:alice", "online", Some(1)),
        note("user:alice", "away", Some(2)),
        note("user:bob", "busy", Some(3)),
    ];
    take(&store, notes).await;
    let first = store.due(later(), 100).await.unwrap();
    let kinds: Vec<_> = first.hooks.iter().map(|hook| hook.version).collect();
    assert_eq!((kinds, first.pending), (vec![1, 3], 3));
    store
        .postpone(first.hooks[0].number, 1, later())
        .await
        .unwrap();
    let now = store.due(Timestamp::now(), 100).await.unwrap();
    assert_eq!(
        now.hooks
            .iter()
            .map(|hook| hook.version)
            .collect::<Vec<_>>(),
        [3]
    );
}

pub async fn what_finds_no_place_is_news_again_later(backend: impl Durable) {
    let store = backend.hooks();
    let notes = vec![
        note("room:a", "occupied", Some(1)),
        note("room:b", "occupied", Some(2)),
    ];
    assert_eq!(store.note(notes.clone(), 1).await, Ok(1));
    assert_eq!(told(&store).await, [state("occupied", 1)]);
    assert_eq!(store.note(notes, 1).await, Ok(0));
    assert_eq!(told(&store).await, [state("occupied", 2)]);
}

pub async fn what_is_postponed_is_due_then_and_what_is_settled_is_gone(backend: impl Durable) {
    let store = backend.hooks();
    take(&store, vec![note("room:a", "occupied", Some(1))]).await;
    let [hook] = due(&store).await.try_into().unwrap();
    assert_eq!((hook.kind.as_str(), hook.attempts), ("changed", 0));
    let then = hook.created_at.plus(std::time::Duration::from_secs(60));
    store.postpone(hook.number, 3, then).await.unwrap();
    assert!(
        store
            .due(hook.created_at, 100)
            .await
            .unwrap()
            .hooks
            .is_empty()
    );
    let again = store.due(then, 100).await.unwrap().hooks;
    assert_eq!(
        again,
        [Hook {
            attempts: 3,
            ..hook.clone()
        }]
    );
    store.settle(hook.number).await.unwrap();
    assert_eq!(store.due(then, 100).await.unwrap().pending, 0);
}

pub async fn a_node_has_subjects_until_they_go_or_move(backend: impl Durable) {
    let store = backend.hooks();
    let there = |id: &str| note(id, "connected", None);
    let notes = vec![
        by("one", there("socket:a")),
        by("one", there("socket:b")),
        by("two", there("socket:c")),
    ];
    take(&store, notes).await;
    let moved = vec![by("two", there("socket:a")), note("socket:c", "", None)];
    take(&store, moved).await;
    let of = |node: &'static str| {
        let store = store.clone();
        async move {
            let subjects = store.of_node(node, 10).await.unwrap();
            subjects
                .into_iter()
                .map(|one| one.subject)
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(
        (of("one").await, of("two").await),
        (vec!["socket:b".into()], vec!["socket:a".to_owned()])
    );
    let mut nodes = store.nodes().await.unwrap();
    nodes.sort();
    assert_eq!(nodes, ["one", "two"]);
    take(&store, vec![note("socket:b", "", None)]).await;
    assert_eq!(store.nodes().await.unwrap(), ["two"]);
}

pub async fn what_has_moved_to_another_node_does_not_go_with_the_one_before(backend: impl Durable) {
    let store = backend.hooks();
    take(&store, vec![by("one", note("socket:a", "connected", None))]).await;
    take(&store, vec![by("two", note("socket:a", "connected", None))]).await;
    take(&store, vec![by("one", note("socket:a", "", None))]).await;
    assert_eq!(told(&store).await.len(), 1);
    take(&store, vec![by("two", note("socket:a", "", None))]).await;
    assert_eq!(told(&store).await.len(), 1);
    assert!(store.nodes().await.unwrap().is_empty());
}

pub async fn subjects_that_are_there_are_listed_in_order(backend: impl Durable) {
    let store = backend.hooks();
    let notes = ["room:c", "room:a", "roomy", "room:b", "user:a", "room:é"];
    let notes = notes.map(|subject| note(subject, "occupied", Some(1)));
    take(&store, notes.to_vec()).await;
    take(&store, vec![note("room:b", "", Some(2))]).await;
    let list = |after: &'static str, limit| {
        let store = store.clone();
        async move {
            let found = store.there("room:", after, limit).await.unwrap();
            found.into_iter().map(|one| one.subject).collect::<Vec<_>>()
        }
    };
    assert_eq!(list("", 2).await, ["room:a", "room:c"]);
    assert_eq!(list("room:c", 2).await, ["room:é"]);
}

pub async fn who_has_gone_is_remembered_until_forgotten(backend: impl Durable) {
    let store = backend.hooks();
    take(
        &store,
        vec![
            note("room:a", "occupied", Some(5)),
            note("room:a", "", Some(6)),
        ],
    )
    .await;
    told(&store).await;
    store.forget(at(0)).await.unwrap();
    take(&store, vec![note("room:a", "occupied", Some(4))]).await;
    assert!(told(&store).await.is_empty());
    store.forget(later()).await.unwrap();
    take(&store, vec![note("room:a", "occupied", Some(4))]).await;
    assert_eq!(told(&store).await, [state("occupied", 4)]);
    store.forget(later()).await.unwrap();
    assert_eq!(store.there("room:", "", 9).await.unwrap().len(), 1);
}

pub async fn all_of_it_stays_over_a_restart(mut backend: impl Durable) {
    let store = backend.hooks();
    take(
        &store,
        vec![by("one", note("socket:a", "connected", Some(7)))],
    )
    .await;
    let before = due(&store).await;
    backend.reopen().await;
    let store = backend.hooks();
    assert_eq!(due(&store).await, before);
    assert_eq!(store.nodes().await.unwrap(), ["one"]);
    take(&store, vec![note("socket:a", "", Some(7))]).await;
    assert_eq!(due(&store).await, before);
}
