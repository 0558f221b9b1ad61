//! Durable appends per second: committed in groups, against the same work committed one by one.
//!
//! Every sender waits for its append before the next one, `synchronous = FULL`. Both sides take
//! turns in one run, on databases of their own on the same disk; medians of all rounds.

use std::{
    error::Error,
    path::Path,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use roomcast::{
    domain::{EntryId, FeedId, NewEntry, RoomId, Timestamp, UserId},
    ports::{Appended, Commit, FeedStore},
    stores::sqlite::{SqliteOptions, SqliteStore, Synchronous},
    telemetry::metric::GROUP_SIZE,
};
use tokio::sync::mpsc;

const SENDERS: [usize; 3] = [1, 10, 200];
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(1);
const WARM_UP: Duration = Duration::from_millis(200);
/// Senders spread over this many rooms.
const ROOMS: usize = 10;
/// The most appends in one transaction when they are committed in groups.
const GROUP: usize = 256;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// One way of committing, and what its rounds gave.
struct Side {
    store: SqliteStore,
    per_second: Vec<f64>,
    per_commit: Vec<f64>,
}

impl Side {
    fn open(path: &Path, group: usize) -> Outcome<Self> {
        let (sender, commits) = mpsc::unbounded_channel();
        let options = SqliteOptions {
            path: path.to_owned(),
            synchronous: Synchronous::Full,
            queue: 1024,
            group,
            readers: 1,
            timeout: Duration::from_secs(5),
        };
        let store = SqliteStore::open(&options, sender)?;
        tokio::spawn(answer(commits));
        Ok(Self {
            store,
            per_second: Vec::new(),
            per_commit: Vec::new(),
        })
    }

    async fn round(
        &mut self,
        senders: usize,
        time: Duration,
        counts: &PrometheusHandle,
    ) -> Outcome<()> {
        let (writes_before, commits_before) = group_sizes(counts);
        let start = Instant::now();
        let appended = send(&self.store, senders, time).await?;
        let seconds = start.elapsed().as_secs_f64();
        let (writes, commits) = group_sizes(counts);
        self.per_second.push(appended as f64 / seconds);
        self.per_commit
            .push((writes - writes_before) / (commits - commits_before));
        Ok(())
    }
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

/// Lets the senders send for this long; how many appends were acknowledged.
async fn send(store: &SqliteStore, senders: usize, time: Duration) -> Outcome<usize> {
    let until = Instant::now() + time;
    let senders = (0..senders).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            let template = message(number)?;
            let mut appended = 0;
            while Instant::now() < until {
                store
                    .append(NewEntry {
                        id: EntryId::generate(),
                        ..template.clone()
                    })
                    .await?;
                appended += 1;
            }
            Outcome::Ok(appended)
        })
    });
    let mut total = 0;
    for appended in join_all(senders).await {
        total += appended??;
    }
    Ok(total)
}

fn message(sender: usize) -> Outcome<NewEntry> {
    Ok(NewEntry {
        id: EntryId::generate(),
        feed: FeedId::Room(RoomId::new(format!("room-{}", sender % ROOMS))?),
        event: "message:new".into(),
        author: UserId::new(format!("user-{sender}"))?,
        author_name: "Alice".into(),
        client_id: None,
        content: "The quick brown fox jumps over the lazy dog, and then sends it.".into(),
        subject: None,
        attachment: None,
        created_at: Timestamp::now(),
        origin: None,
    })
}

/// How many writes there were so far, in how many transactions.
fn group_sizes(counts: &PrometheusHandle) -> (f64, f64) {
    let text = counts.render();
    let value = |suffix: &str| {
        let name = format!("{GROUP_SIZE}{suffix} ");
        text.lines()
            .find_map(|line| line.strip_prefix(&name)?.parse().ok())
            .unwrap_or(0.0)
    };
    (value("_sum"), value("_count"))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn compare(
    folder: &Path,
    senders: usize,
    round: Duration,
    counts: &PrometheusHandle,
) -> Outcome<()> {
    let mut groups = Side::open(&folder.join(format!("groups-{senders}.db")), GROUP)?;
    let mut single = Side::open(&folder.join(format!("single-{senders}.db")), 1)?;
    send(&groups.store, senders, WARM_UP).await?;
    send(&single.store, senders, WARM_UP).await?;
    for _ in 0..ROUNDS {
        groups.round(senders, round, counts).await?;
        single.round(senders, round, counts).await?;
    }
    groups.store.close().await;
    single.store.close().await;
    let (fast, slow) = (
        median(&mut groups.per_second),
        median(&mut single.per_second),
    );
    println!(
        "{senders:>7} {fast:>14.0} {:>15.1} {slow:>14.0} {:>15.1} {:>7.1}x",
        median(&mut groups.per_commit),
        median(&mut single.per_commit),
        fast / slow,
    );
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let counts = PrometheusBuilder::new().install_recorder()?;
    // As the other benchmarks have it.
    let divisor = std::env::var("BENCH_DIVISOR").map_or(Ok(1), |text| text.parse::<u32>())?;
    let round = ROUND / divisor.max(1);
    // Not the system's temporary folder, which may lie in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    println!("durable appends, synchronous = FULL, medians of {ROUNDS} rounds of {round:?}");
    println!(
        "{:>7} {:>14} {:>15} {:>14} {:>15} {:>8}",
        "senders", "groups: ops/s", "writes/commit", "single: ops/s", "writes/commit", "ratio"
    );
    for senders in SENDERS {
        compare(folder.path(), senders, round, &counts).await?;
    }
    Ok(())
}
