//! What a reader gets, whatever the order in which it opens, entries come, and it reads.

use std::pin::Pin;

use futures::{FutureExt, StreamExt};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::*;
use crate::{
    domain::{Posted, RoomPatterns, Token},
    stores::sqlite::{SqliteOptions, SqliteStore, Synchronous},
};

struct World {
    hub: Arc<StreamHub>,
    store: SqliteStore,
    _folder: tempfile::TempDir,
}

fn limits() -> StreamLimits {
    StreamLimits {
        streams: 0,
        per_user: 0,
        pending_bytes: 1_000,
        stall: Duration::from_secs(20),
        keep_alive: Duration::from_secs(25),
        retry_ms: 3_000,
        leeway: Duration::ZERO,
        tick: Duration::from_millis(250),
    }
}

fn alice() -> UserId {
    UserId::new("alice").unwrap()
}

fn feed() -> FeedId {
    FeedId::User(alice())
}

fn opening(last_event_id: Option<String>) -> Opening {
    Opening {
        user: Arc::new(User {
            id: alice(),
            name: "Alice".into(),
            rooms: RoomPatterns::default(),
            roles: Vec::new(),
            token: Token::default(),
        }),
        last_event_id,
        connection: Connection::Own(Hangup::default()),
    }
}

impl World {
    fn with(limits: StreamLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions {
            path: folder.path().join("roomcast.db"),
            synchronous: Synchronous::Normal,
            queue: 100,
            group: 10,
            readers: 1,
            timeout: Duration::from_secs(5),
        };
        let (sender, mut commits) = mpsc::unbounded_channel();
        let store = SqliteStore::open(&options, sender).unwrap();
        let hub = Arc::new(StreamHub::new(Arc::new(store.clone()), limits));
        let streams = hub.clone();
        tokio::spawn(async move {
            while let Some(commit) = commits.recv().await {
                let commit: crate::ports::Commit = commit;
                streams.deliver(&commit.entry);
                let entry = commit.entry;
                let duplicate = false;
                let _ = commit
                    .done
                    .send(Ok(crate::ports::Appended { entry, duplicate }));
            }
        });
        Self {
            hub,
            store,
            _folder: folder,
        }
    }

    async fn post(&self, number: usize) {
        let new = Posted::draft(feed(), "event".into(), &json!({"number": number}), None);
        self.store.append(new).await.unwrap();
    }

    async fn open(&self, last_event_id: Option<String>) -> Client {
        let source = Source::Feed(feed());
        let reader = self.hub.open(source, opening(last_event_id)).await.unwrap();
        Client(Box::pin(reader))
    }
}

struct Client(Pin<Box<Reader>>);

/// An event as a client reads it.
#[derive(Debug)]
struct Read {
    id: Option<String>,
    event: String,
    data: Value,
}

fn parse(bytes: &Bytes) -> Vec<Read> {
    let text = std::str::from_utf8(bytes).unwrap();
    let blocks = text.split("\n\n").filter(|block| block.contains("data: "));
    let parsed = blocks.map(|block| {
        let field = |name: &str| {
            let mut lines = block.lines();
            lines
                .find_map(|line| line.strip_prefix(name))
                .map(str::to_owned)
        };
        Read {
            id: field("id: "),
            event: field("event: ").unwrap(),
            data: serde_json::from_str(&field("data: ").unwrap()).unwrap(),
        }
    });
    parsed.collect()
}

impl Client {
    async fn next(&mut self) -> Option<Bytes> {
        let next = tokio::time::timeout(Duration::from_secs(10), self.0.next());
        next.await.unwrap().map(|bytes| bytes.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_entry_comes_once_and_in_order_whenever_a_client_comes_and_goes() {
    let world = Arc::new(World::with(StreamLimits {
        pending_bytes: 1 << 20,
        ..limits()
    }));
    let seed = rand::random();
    let mut random = StdRng::seed_from_u64(seed);
    const COUNT: usize = 400;
    world.post(0).await;
    let posting = tokio::spawn({
        let world = world.clone();
        async move {
            for number in 1..COUNT {
                world.post(number).await;
            }
        }
    });
    let (mut last, mut seen) = (Some("0".to_owned()), Vec::new());
    while seen.len() < COUNT {
        let mut client = world.open(last.clone()).await;
        for _ in 0..random.random_range(1..60) {
            let Some(bytes) = client.next().await else {
                panic!("ended: {:?}, seed {seed}", client.0.live.ended());
            };
            for read in parse(&bytes) {
                if read.event == "connected" {
                    assert_eq!(read.data["verdict"], "complete", "seed {seed}");
                    continue;
                }
                last = read.id;
                seen.push(read.data["number"].as_u64().unwrap() as usize);
            }
            if seen.len() == COUNT {
                break;
            }
        }
    }
    posting.await.unwrap();
    assert_eq!(seen, (0..COUNT).collect::<Vec<_>>(), "seed {seed}");
    assert!(!world.hub.is_read(&feed()));
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_ended_when_its_budget_is_full() {
    let world = World::with(limits());
    let mut client = world.open(None).await;
    client.next().await.unwrap();
    for number in 0..100 {
        world.post(number).await;
    }
    assert_eq!(client.0.live.ended(), Some(EndReason::OverBudget));
    assert!(client.next().await.is_none());
}

#[tokio::test]
async fn a_reader_that_takes_nothing_of_what_waits_is_ended_and_hung_up_on() {
    let world = World::with(limits());
    let hangup = Hangup::default();
    let opening = Opening {
        connection: Connection::Own(hangup.clone()),
        ..opening(None)
    };
    let reader = world.hub.open(Source::Feed(feed()), opening).await.unwrap();
    let mut client = Client(Box::pin(reader));
    client.next().await.unwrap();
    world.post(0).await;
    let live = &client.0.live;
    let later = Instant::now() + limits().stall;
    live.check(later, &limits());
    assert_eq!(live.ended(), Some(EndReason::Stalled));
    assert!(hangup.wanted().now_or_never().is_none());
    live.check(later + limits().tick, &limits());
    assert!(hangup.wanted().now_or_never().is_some());
}

#[tokio::test]
async fn silence_is_broken_by_a_comment() {
    let world = World::with(limits());
    let mut client = world.open(None).await;
    client.next().await.unwrap();
    let later = Instant::now() + limits().keep_alive;
    client.0.live.check(later, &limits());
    assert_eq!(client.next().await.unwrap(), ":\n\n");
}

#[tokio::test]
async fn streams_beyond_a_limit_are_refused_and_places_come_back() {
    let world = World::with(StreamLimits {
        streams: 2,
        per_user: 1,
        ..limits()
    });
    let source = || Source::Feed(feed());
    let first = world.open(None).await;
    let refused = world.hub.open(source(), opening(None)).await.err().unwrap();
    assert_eq!(refused.code(), Code::TooManyStreamsPerUser);
    drop(first);
    world.open(None).await;
}

#[tokio::test]
async fn a_value_that_is_stored_nowhere_is_replaced_while_it_waits() {
    let world = World::with(limits());
    let channel = ChannelId::new("figures").unwrap();
    world.hub.publish(&channel, "update", &json!(1));
    let source = Source::Unstored(channel.clone());
    let reader = world.hub.open(source, opening(None)).await.unwrap();
    let mut client = Client(Box::pin(reader));
    let greeting = parse(&client.next().await.unwrap());
    assert_eq!(greeting[1].event, "initial");
    assert_eq!(greeting[1].data, 1);
    for value in 2..5 {
        world.hub.publish(&channel, "update", &json!(value));
    }
    let update = parse(&client.next().await.unwrap());
    assert_eq!((update.len(), &update[0].data), (1, &json!(4)));
}
