//! Offline push: how far the log was planned, what is to be sent, and to which browsers.

use std::{sync::Arc, time::Duration};

use roomcast::{
    domain::{
        Delivery, DeliveryId, EntryId, FeedId, NewEntry, PushTarget, Subscription, SubscriptionId,
        Timestamp, VendorId,
    },
    ports::{DuePushes, KeepRule, Planned, PushPlan, PushStore, Settled, Unplanned},
};

use crate::backend::{Durable, append, at, lobby, says, user};

/// All cases, for `run!`.
macro_rules! push {
    ($backend:ty) => {
        run! { $backend, push:
            planning_begins_after_the_newest_entry_and_goes_on_where_it_came_to
            entries_for_one_user_are_found_past_those_for_nobody_in_particular
            what_retention_took_before_it_was_planned_is_no_silent_hole
            a_plan_makes_one_delivery_for_the_webhook_and_one_for_each_browser
            a_plan_is_refused_whole_while_too_many_wait
            deliveries_for_what_is_not_configured_any_more_are_dropped
            a_delivery_stays_due_until_it_is_settled
            a_delivery_is_there_after_a_restart
            a_delivery_that_was_given_up_can_be_put_back
            only_the_newest_dead_letters_are_kept
            a_browser_that_is_gone_takes_what_is_for_it_along
            a_browser_that_subscribes_again_keeps_what_is_for_it
            a_browser_that_changes_hands_takes_nothing_along
            only_the_newest_browsers_of_a_user_are_kept
            a_browser_is_removed_by_its_user_alone
            a_subscription_that_has_ended_is_sent_nothing
        }
    };
}
pub(crate) use push;

const BOTH: [PushTarget; 2] = [PushTarget::Webhook, PushTarget::Subscription];

fn plan(entry: &str, name: &str) -> PushPlan {
    PushPlan {
        entry: EntryId::new(entry).unwrap(),
        user: user(name),
        webhook: Some(format!("webhook of {entry}")),
        message: Some(format!("message of {entry}")),
    }
}

fn for_browsers(entry: &str, name: &str) -> PushPlan {
    PushPlan {
        webhook: None,
        ..plan(entry, name)
    }
}

async fn store(push: &Arc<dyn PushStore>, plans: Vec<PushPlan>) -> Planned {
    push.plan(plans, 0, 1_000).await.unwrap()
}

async fn due(push: &Arc<dyn PushStore>, target: PushTarget) -> DuePushes {
    let soon = Timestamp::now().plus(Duration::from_secs(1));
    push.due(target, soon, 100).await.unwrap()
}

async fn webhooks(push: &Arc<dyn PushStore>) -> Vec<Delivery> {
    due(push, PushTarget::Webhook).await.deliveries
}

async fn messages(push: &Arc<dyn PushStore>) -> Vec<Delivery> {
    due(push, PushTarget::Subscription).await.deliveries
}

fn bodies(deliveries: &[Delivery]) -> Vec<&str> {
    let bodies = deliveries.iter();
    bodies.map(|delivery| delivery.body.as_str()).collect()
}

fn browser(name: &str, endpoint: &str, created_ms: i64) -> Subscription {
    Subscription {
        id: SubscriptionId::generate(),
        user: user(name),
        endpoint: format!("https://push.example/{endpoint}"),
        p256dh: [4; 65],
        auth: [7; 16],
        expires_at: None,
        created_at: at(created_ms),
    }
}

async fn subscribe(backend: &impl Durable, browser: &Subscription) -> SubscriptionId {
    let subscriptions = backend.subscriptions();
    subscriptions.subscribe(browser.clone(), 20).await.unwrap()
}

async fn begun(backend: &impl Durable) -> Arc<dyn PushStore> {
    let push = backend.pushes();
    push.begin(&BOTH).await.unwrap();
    push
}

pub async fn planning_begins_after_the_newest_entry_and_goes_on_where_it_came_to(
    mut backend: impl Durable,
) {
    append(&backend.feeds(), says("alice", "before")).await;
    let old = append(&backend.feeds(), says("alice", "before")).await;
    let start = backend.pushes().begin(&BOTH).await.unwrap();
    assert_eq!(start.position, old.position);
    let new = append(&backend.feeds(), says("alice", "after")).await;
    backend.reopen().await;
    let start = backend.pushes().begin(&BOTH).await.unwrap();
    assert_eq!(start.position, old.position, "nothing was planned");
    let planned = backend.pushes().plan(Vec::new(), new.position, 1).await;
    assert_eq!(planned.unwrap(), Planned::Stored(0));
    backend.reopen().await;
    let start = backend.pushes().begin(&BOTH).await.unwrap();
    assert_eq!(start.position, new.position);
}

pub async fn entries_for_one_user_are_found_past_those_for_nobody_in_particular(
    backend: impl Durable,
) {
    let feeds = backend.feeds();
    let to = |feed, content| NewEntry {
        feed,
        ..says("alice", content)
    };
    append(&feeds, says("alice", "in the lobby")).await;
    let direct = FeedId::direct(&user("alice"), &user("bob"));
    append(&feeds, to(direct, "direct")).await;
    append(&feeds, says("alice", "in the lobby again")).await;
    append(&feeds, to(FeedId::User(user("bob")), "notification")).await;
    let orders = FeedId::Vendor(VendorId::new("v1").unwrap());
    let last = append(&feeds, to(orders, "order")).await;
    let push = backend.pushes();
    let (mut position, mut found) = (0, Vec::new());
    for _ in 0..3 {
        let since = push.entries_after(position, 2).await.unwrap();
        position = since.position;
        found.extend(since.entries);
    }
    let contents: Vec<_> = found.iter().map(|entry| entry.content.as_str()).collect();
    assert_eq!(contents, ["direct", "notification", "order"]);
    assert_eq!(found[2], last);
    let end = push.entries_after(position, 2).await.unwrap();
    assert_eq!((end.position, end.entries.len()), (last.position, 0));
}

pub async fn what_retention_took_before_it_was_planned_is_no_silent_hole(backend: impl Durable) {
    let (feeds, push) = (backend.feeds(), backend.pushes());
    let bob = FeedId::User(user("bob"));
    let mut positions = Vec::new();
    for feed in [lobby(), bob.clone(), bob.clone(), lobby(), lobby()] {
        let entry = NewEntry {
            feed,
            ..says("alice", "{}")
        };
        positions.push(append(&feeds, entry).await.position);
    }
    let none = Unplanned {
        feeds: 0,
        newest: 0,
    };
    assert_eq!(push.unplanned(0).await.unwrap(), none);
    let newest = KeepRule {
        entries: 1,
        since: None,
    };
    for feed in [&lobby(), &bob] {
        feeds.trim(feed, newest, 10).await.unwrap();
    }
    let taken = Unplanned {
        feeds: 1,
        newest: positions[1],
    };
    assert_eq!(push.unplanned(positions[0]).await.unwrap(), taken);
    assert_eq!(push.unplanned(positions[1]).await.unwrap(), none);
}

pub async fn a_plan_makes_one_delivery_for_the_webhook_and_one_for_each_browser(
    backend: impl Durable,
) {
    let push = begun(&backend).await;
    let phone = subscribe(&backend, &browser("alice", "phone", 1)).await;
    subscribe(&backend, &browser("alice", "laptop", 2)).await;
    subscribe(&backend, &browser("bob", "tablet", 3)).await;
    let planned = store(&push, vec![plan("e1", "alice"), plan("e2", "carol")]).await;
    assert_eq!(planned, Planned::Stored(4));
    let again = store(&push, vec![plan("e1", "alice")]).await;
    assert_eq!(again, Planned::Stored(0));
    let found = webhooks(&push).await;
    assert_eq!(bodies(&found), ["webhook of e1", "webhook of e2"]);
    assert_eq!(found[0].id.as_str(), "e1");
    assert_eq!((&found[0].user, found[0].attempts), (&user("alice"), 0));
    let found = due(&push, PushTarget::Subscription).await;
    assert_eq!(found.pending, 4);
    assert_eq!(bodies(&found.deliveries), ["message of e1"; 2]);
    let to = found.deliveries[0].subscription.clone().unwrap();
    let expected = Subscription {
        id: phone,
        ..browser("alice", "phone", 1)
    };
    assert_eq!(to, expected);
}

pub async fn a_plan_is_refused_whole_while_too_many_wait(backend: impl Durable) {
    let feeds = backend.feeds();
    let push = begun(&backend).await;
    let entry = append(&feeds, says("alice", "hello")).await;
    store(&push, vec![plan("e1", "alice")]).await;
    let refused = push.plan(vec![plan("e2", "alice")], entry.position, 1);
    assert_eq!(refused.await.unwrap(), Planned::Full);
    assert_eq!(bodies(&webhooks(&push).await), ["webhook of e1"]);
    assert_eq!(push.begin(&BOTH).await.unwrap().position, 0);
    let nothing = push.plan(Vec::new(), entry.position, 1).await;
    assert_eq!(nothing.unwrap(), Planned::Stored(0));
    assert_eq!(push.begin(&BOTH).await.unwrap().position, entry.position);
}

pub async fn deliveries_for_what_is_not_configured_any_more_are_dropped(backend: impl Durable) {
    let push = begun(&backend).await;
    subscribe(&backend, &browser("alice", "phone", 1)).await;
    store(&push, vec![plan("e1", "alice")]).await;
    let start = push.begin(&[PushTarget::Subscription]).await.unwrap();
    assert_eq!(start.dropped, 1);
    assert_eq!(webhooks(&push).await, []);
    assert_eq!(messages(&push).await.len(), 1);
    assert_eq!(due(&push, PushTarget::Webhook).await.pending, 1);
}

pub async fn a_delivery_stays_due_until_it_is_settled(backend: impl Durable) {
    let push = begun(&backend).await;
    let plans = ["e1", "e2", "e3"].map(|entry| plan(entry, "alice"));
    store(&push, plans.to_vec()).await;
    assert_eq!(webhooks(&push).await.len(), 3);
    let two = push.due(PushTarget::Webhook, Timestamp::now(), 2).await;
    assert_eq!(two.unwrap().deliveries.len(), 2);
    let before = push.due(PushTarget::Webhook, at(0), 9).await.unwrap();
    assert_eq!(before.deliveries, []);
    assert!(before.next.is_some_and(|next| next <= Timestamp::now()));
    let id = |text| DeliveryId::new(text).unwrap();
    push.settle(&id("e1"), Settled::Delivered).await.unwrap();
    let later = Timestamp::now().plus(Duration::from_secs(600));
    let postponed = Settled::Postponed {
        attempts: 3,
        due_at: later,
    };
    push.settle(&id("e2"), postponed).await.unwrap();
    push.settle(&id("e9"), Settled::Delivered).await.unwrap();
    let now = due(&push, PushTarget::Webhook).await;
    assert_eq!(bodies(&now.deliveries), ["webhook of e3"]);
    assert_eq!((now.next, now.pending), (Some(later), 2));
    let then = push.due(PushTarget::Webhook, later, 9).await.unwrap();
    let attempts: Vec<_> = then.deliveries.iter().map(|one| one.attempts).collect();
    assert_eq!(attempts, [0, 3], "the longest due comes first");
    assert_eq!(then.next, None);
}

pub async fn a_delivery_is_there_after_a_restart(mut backend: impl Durable) {
    let push = begun(&backend).await;
    subscribe(&backend, &browser("alice", "phone", 1)).await;
    store(&push, vec![plan("e1", "alice")]).await;
    let before = (webhooks(&push).await, messages(&push).await);
    drop(push);
    backend.reopen().await;
    let push = begun(&backend).await;
    assert_eq!((webhooks(&push).await, messages(&push).await), before);
}

fn dead(keep: usize) -> Settled {
    Settled::Dead {
        attempts: 12,
        error: "status 500".into(),
        keep,
    }
}

pub async fn a_delivery_that_was_given_up_can_be_put_back(backend: impl Durable) {
    let push = begun(&backend).await;
    store(&push, vec![plan("e1", "alice")]).await;
    let delivery = webhooks(&push).await.remove(0);
    push.settle(&delivery.id, dead(10)).await.unwrap();
    assert_eq!(webhooks(&push).await, []);
    assert_eq!(due(&push, PushTarget::Webhook).await.pending, 0);
    let letters = push.dead_letters(10).await.unwrap();
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!(
        (&letter.id, &letter.user_id),
        (&delivery.id, &user("alice"))
    );
    assert_eq!(letter.entry_id, EntryId::new("e1").unwrap());
    assert_eq!(letter.target, PushTarget::Webhook);
    assert_eq!((letter.attempts, &*letter.last_error), (12, "status 500"));
    assert_eq!(letter.created_at, delivery.created_at);
    assert!(letter.failed_at >= letter.created_at);
    assert!(push.revive(&delivery.id).await.unwrap());
    assert_eq!(webhooks(&push).await, std::slice::from_ref(&delivery));
    assert_eq!(push.dead_letters(10).await.unwrap(), []);
    assert!(!push.revive(&delivery.id).await.unwrap());
}

pub async fn only_the_newest_dead_letters_are_kept(backend: impl Durable) {
    let push = begun(&backend).await;
    let entries = ["e1", "e2", "e3"];
    store(&push, entries.map(|entry| plan(entry, "alice")).to_vec()).await;
    for entry in entries {
        let id = DeliveryId::new(entry).unwrap();
        push.settle(&id, dead(2)).await.unwrap();
    }
    let letters = push.dead_letters(10).await.unwrap();
    let ids: Vec<_> = letters.iter().map(|letter| letter.id.as_str()).collect();
    assert_eq!(ids, ["e3", "e2"]);
    assert_eq!(push.dead_letters(1).await.unwrap()[0].id.as_str(), "e3");
}

pub async fn a_browser_that_is_gone_takes_what_is_for_it_along(backend: impl Durable) {
    let push = begun(&backend).await;
    subscribe(&backend, &browser("alice", "phone", 1)).await;
    subscribe(&backend, &browser("alice", "laptop", 2)).await;
    let plans = ["e1", "e2"].map(|entry| for_browsers(entry, "alice"));
    store(&push, plans.to_vec()).await;
    let found = messages(&push).await;
    assert_eq!(found.len(), 4);
    let of_phone = |delivery: &&Delivery| {
        let to = delivery.subscription.as_ref().unwrap();
        to.endpoint.ends_with("phone")
    };
    let phone: Vec<_> = found.iter().filter(of_phone).collect();
    push.settle(&phone[0].id, dead(10)).await.unwrap();
    push.settle(&phone[1].id, Settled::Gone).await.unwrap();
    assert_eq!(push.dead_letters(10).await.unwrap(), []);
    let left = due(&push, PushTarget::Subscription).await;
    assert_eq!((left.deliveries.len(), left.pending), (2, 2));
    assert_eq!(left.deliveries.iter().filter(of_phone).count(), 0);
    store(&push, vec![for_browsers("e3", "alice")]).await;
    assert_eq!(messages(&push).await.len(), 3);
}

pub async fn a_browser_that_subscribes_again_keeps_what_is_for_it(backend: impl Durable) {
    let push = begun(&backend).await;
    let first = subscribe(&backend, &browser("alice", "phone", 1)).await;
    store(&push, vec![for_browsers("e1", "alice")]).await;
    let renewed = Subscription {
        auth: [8; 16],
        expires_at: Some(at(i64::MAX)),
        ..browser("alice", "phone", 2)
    };
    assert_eq!(subscribe(&backend, &renewed).await, first);
    let found = messages(&push).await;
    let to = found[0].subscription.clone().unwrap();
    let expected = Subscription {
        id: first,
        ..renewed
    };
    assert_eq!(to, expected);
}

pub async fn a_browser_that_changes_hands_takes_nothing_along(backend: impl Durable) {
    let push = begun(&backend).await;
    let first = subscribe(&backend, &browser("alice", "phone", 1)).await;
    store(&push, vec![for_browsers("e1", "alice")]).await;
    let second = subscribe(&backend, &browser("bob", "phone", 2)).await;
    assert_ne!(first, second);
    assert_eq!(messages(&push).await, []);
    let plans = vec![for_browsers("e2", "alice"), for_browsers("e3", "bob")];
    store(&push, plans).await;
    assert_eq!(bodies(&messages(&push).await), ["message of e3"]);
}

pub async fn only_the_newest_browsers_of_a_user_are_kept(backend: impl Durable) {
    let push = begun(&backend).await;
    let subscriptions = backend.subscriptions();
    for (endpoint, created_ms) in [("oldest", 1), ("newest", 3), ("middle", 2)] {
        let browser = browser("alice", endpoint, created_ms);
        subscriptions.subscribe(browser, 2).await.unwrap();
    }
    store(&push, vec![for_browsers("e1", "alice")]).await;
    let found = messages(&push).await;
    let mut endpoints: Vec<_> = found
        .iter()
        .filter_map(|one| one.subscription.as_ref()?.endpoint.rsplit('/').next())
        .collect();
    endpoints.sort_unstable();
    assert_eq!(endpoints, ["middle", "newest"]);
}

pub async fn a_browser_is_removed_by_its_user_alone(backend: impl Durable) {
    let push = begun(&backend).await;
    let phone = browser("alice", "phone", 1);
    subscribe(&backend, &phone).await;
    let subscriptions = backend.subscriptions();
    let remove = async |name| {
        let user = user(name);
        let removed = subscriptions.unsubscribe(&user, &phone.endpoint);
        removed.await.unwrap();
    };
    remove("bob").await;
    store(&push, vec![for_browsers("e1", "alice")]).await;
    assert_eq!(messages(&push).await.len(), 1);
    remove("alice").await;
    assert_eq!(messages(&push).await, []);
}

pub async fn a_subscription_that_has_ended_is_sent_nothing(backend: impl Durable) {
    let push = begun(&backend).await;
    let ended = Subscription {
        expires_at: Some(at(1)),
        ..browser("alice", "phone", 0)
    };
    subscribe(&backend, &ended).await;
    let planned = store(&push, vec![for_browsers("e1", "alice")]).await;
    assert_eq!(planned, Planned::Stored(0));
}
