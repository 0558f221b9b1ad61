//! What a suite needs of the backend it runs against, and the people and things it talks about.

use std::sync::Arc;

use parking_lot::Mutex;
use roomcast::{
    domain::{ClientId, Entry, EntryId, FeedId, NewEntry, RoomId, Timestamp, UserId},
    ports::{
        Appended, Change, Commit, FeedStore, HookStore, MemberStore, PaymentStore, PositionStore,
        PresenceStore, PushStore, RevocationStore, SeenStore, SessionStore, StockStore,
        SubscriptionStore,
    },
};
use tokio::sync::mpsc;

/// A backend of what must last. Each test has its own, empty at first.
pub trait Durable {
    fn feeds(&self) -> Arc<dyn FeedStore>;
    fn members(&self) -> Arc<dyn MemberStore>;
    fn payments(&self) -> Arc<dyn PaymentStore>;
    fn stock(&self) -> Arc<dyn StockStore>;
    fn revocations(&self) -> Arc<dyn RevocationStore>;
    fn seen(&self) -> Arc<dyn SeenStore>;
    fn sessions(&self) -> Arc<dyn SessionStore>;
    fn pushes(&self) -> Arc<dyn PushStore>;
    fn subscriptions(&self) -> Arc<dyn SubscriptionStore>;
    fn hooks(&self) -> Arc<dyn HookStore>;

    /// What has been handed to live readers since the backend was opened, in that order.
    fn delivered(&self) -> Vec<Arc<Entry>>;

    /// Closes the backend and opens it again, as a restart of the process does.
    async fn reopen(&mut self);
}

/// A backend of what may be forgotten. Each test has its own, empty at first.
pub trait Volatile {
    fn positions(&self) -> Arc<dyn PositionStore>;
    fn presence(&self) -> Arc<dyn PresenceStore>;
}

/// Stands in for the live readers: notes each commit, then answers its append.
#[derive(Clone, Default)]
pub struct Readers(Arc<Mutex<Vec<Arc<Entry>>>>);

impl Readers {
    /// Readers of all that comes through the channel, until it is closed.
    pub fn of(mut commits: mpsc::UnboundedReceiver<Commit>) -> Self {
        let readers = Self::default();
        let noted = readers.clone();
        tokio::spawn(async move {
            while let Some(commit) = commits.recv().await {
                noted.0.lock().push(Arc::clone(&commit.entry));
                let _ = commit.done.send(Ok(Appended {
                    entry: commit.entry,
                    duplicate: false,
                }));
            }
        });
        readers
    }

    pub fn heard(&self) -> Vec<Arc<Entry>> {
        self.0.lock().clone()
    }
}

pub fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

pub fn room(id: &str) -> RoomId {
    RoomId::new(id).unwrap()
}

pub fn lobby() -> FeedId {
    FeedId::Room(room("lobby"))
}

pub fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

/// Something that `author` says in the lobby.
pub fn says(author: &str, content: &str) -> NewEntry {
    NewEntry {
        id: EntryId::generate(),
        feed: lobby(),
        event: "message:new".into(),
        author: user(author),
        author_name: author.to_uppercase().into(),
        client_id: None,
        content: content.into(),
        subject: None,
        attachment: None,
        created_at: at(1_000),
        origin: None,
    }
}

/// The same under a client id.
pub fn says_as(author: &str, content: &str, client_id: &str) -> NewEntry {
    NewEntry {
        client_id: Some(ClientId::new(client_id).unwrap()),
        ..says(author, content)
    }
}

/// Appends and returns the stored entry.
pub async fn append(feeds: &Arc<dyn FeedStore>, entry: NewEntry) -> Arc<Entry> {
    feeds.append(entry).await.unwrap().entry
}

/// The entry of a change that was done.
pub fn done(change: Change) -> Entry {
    match change {
        Change::Done(entry) => *entry,
        other => panic!("not done: {other:?}"),
    }
}

/// The newest `seq` of a feed.
pub async fn last_seq(feeds: &Arc<dyn FeedStore>, feed: &FeedId) -> u64 {
    let read = feeds.unread(&user("anybody"), vec![feed.clone()]).await;
    read.unwrap()[0].last_seq
}
