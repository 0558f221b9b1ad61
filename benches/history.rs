//! What a page of a room and a page of `sync` cost while history grows: 1,000 rooms with 10 and
//! with 100 messages each. The store is asked directly; medians, in microseconds.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use roomcast::{
    domain::{Cursor, EntryId, FeedId, NewEntry, RoomId, Timestamp, UserId},
    ports::{After, Appended, Commit, FeedStore, Following},
    stores::sqlite::{SqliteOptions, SqliteStore, Synchronous},
};
use tokio::sync::mpsc;

const ROOMS: usize = 1_000;
/// Messages of each room, at each size of the history.
const DEPTHS: [usize; 2] = [10, 100];
/// Rooms of the one who reads.
const OWN_ROOMS: [usize; 2] = [10, 1_000];
const PAGE: usize = 100;
/// How much the reader has missed, in the rooms together.
const MISSED: usize = 50;
const READS: usize = 300;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let (sender, commits) = mpsc::unbounded_channel();
    let options = SqliteOptions {
        path: folder.path().join("bench.db"),
        synchronous: Synchronous::Normal,
        queue: 4_096,
        group: 1_024,
        readers: 2,
        timeout: Duration::from_secs(30),
    };
    let store = SqliteStore::open(&options, sender)?;
    tokio::spawn(answer(commits));
    let divisor = std::env::var("BENCH_DIVISOR").map_or(Ok(1), |text| text.parse::<usize>())?;
    let rooms = (ROOMS / divisor).max(1);
    let mut stored = 0;
    for depth in DEPTHS {
        while stored < depth {
            let appends = (0..rooms).map(|number| store.append(message(number)));
            for appended in join_all(appends).await {
                appended?;
            }
            stored += 1;
        }
        measure(&store, rooms, depth).await?;
    }
    Ok(())
}

async fn measure(store: &SqliteStore, rooms: usize, depth: usize) -> Outcome<()> {
    println!("{} messages in {rooms} rooms", rooms * depth);
    let mut number = 0;
    let page = median(async || {
        number = (number + 7) % rooms;
        let from = Cursor::AfterSeq(depth as u64 - 10);
        store.page(&room(number), from, PAGE).await
    })
    .await?;
    println!("  a page of 10 messages: {page:.0} µs");
    let newest = store.last_position().await?;
    for own in OWN_ROOMS.map(|own| own.min(rooms)) {
        // The newest messages are one in each room: so many rooms have news for the reader.
        let missed = MISSED.min(own);
        let following = || Following {
            reader: reader(),
            feeds: (rooms - own..rooms).map(room).collect(),
            lost: Vec::new(),
            is_partial: false,
        };
        let after = After::Position(newest - missed as u64);
        let sync = median(async || store.changes(following(), after, PAGE).await).await?;
        println!("  sync of {missed} messages, {own} rooms: {sync:.0} µs");
    }
    Ok(())
}

async fn median<T>(
    mut read: impl AsyncFnMut() -> Result<T, roomcast::ports::StoreError>,
) -> Outcome<f64> {
    let mut times = Vec::with_capacity(READS);
    for _ in 0..READS {
        let began = Instant::now();
        read().await?;
        times.push(began.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

/// Stands in for delivery.
async fn answer(mut commits: mpsc::UnboundedReceiver<Commit>) {
    while let Some(commit) = commits.recv().await {
        let _ = commit.done.send(Ok(Appended {
            entry: commit.entry,
            duplicate: false,
        }));
    }
}

fn id<T, E>(made: Result<T, E>) -> T {
    match made {
        Ok(id) => id,
        Err(_) => unreachable!("the benchmark's own ids are valid"),
    }
}

fn reader() -> UserId {
    id(UserId::new("reader"))
}

fn room(number: usize) -> FeedId {
    FeedId::Room(id(RoomId::new(format!("room-{number}"))))
}

fn message(number: usize) -> NewEntry {
    NewEntry {
        id: EntryId::generate(),
        feed: room(number),
        event: "message:new".into(),
        author: id(UserId::new("sender")),
        author_name: "Sender".into(),
        client_id: None,
        content: "a message of usual length, as people write them to each other".to_owned(),
        subject: None,
        attachment: None,
        created_at: Timestamp::now(),
        origin: None,
    }
}
