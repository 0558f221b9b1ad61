//! A PostgreSQL for the tests of this process, in which each test has a database of its own.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use roomcast::{
    ports::Commit,
    stores::postgres::{OpenError, PostgresOptions, PostgresStore, Synchronous},
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::sync::{OnceCell, mpsc};

use crate::backend::Readers;

/// Long enough for never being reached.
pub const PATIENT: Duration = Duration::from_secs(10);

/// A server, which ends with this process: it runs for as long as its standard input is open.
pub struct Server {
    script: Child,
    /// Where its first database is, up to the last slash.
    base: String,
    pub pid: u32,
}

impl Server {
    /// Starts a server that has its data in this folder, or in one that goes with it.
    pub fn start(place: Option<(&Path, u16)>) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/postgres.sh");
        let mut command = Command::new(script);
        if let Some((folder, port)) = place {
            command.arg(folder);
            if port > 0 {
                command.arg(port.to_string());
            }
        }
        let mut script = command
            .env("POSTGRES_OPTIONS", "-c fsync=off -c full_page_writes=off")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = script.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let Some((url, pid)) = line.trim().split_once(' ') else {
            panic!(
                "PostgreSQL did not start; install Debian's postgresql (see above what it says)"
            );
        };
        let (base, _) = url.rsplit_once('/').unwrap();
        Self {
            script,
            base: base.to_owned(),
            pid: pid.parse().unwrap(),
        }
    }

    pub fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.base)
    }

    pub fn port(&self) -> u16 {
        let (_, port) = self.base.rsplit_once(':').unwrap();
        port.parse().unwrap()
    }

    /// Ends it as a crash does.
    pub fn stop(mut self) {
        drop(self.script.stdin.take());
        self.script.wait().unwrap();
    }

    /// Sends a signal to the server and to all its processes, the server first.
    pub fn signal(&self, signal: &str) {
        let pid = self.pid;
        let of_children = PathBuf::from(format!("/proc/{pid}/task/{pid}/children"));
        let send = |pids: &str| {
            let pids = pids.split_whitespace();
            Command::new("kill")
                .arg(signal)
                .args(pids)
                .status()
                .unwrap();
        };
        send(&pid.to_string());
        send(&std::fs::read_to_string(of_children).unwrap());
    }
}

/// The server of this process.
async fn shared() -> &'static Server {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    SERVER.get_or_init(async || Server::start(None)).await
}

async fn connect(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().unwrap();
    let options = options.disable_statement_logging();
    PgConnection::connect_with(&options).await.unwrap()
}

/// The number that SQL gives in a database.
pub async fn query_number(url: &str, sql: &'static str) -> i64 {
    let query = sqlx::query_scalar(sql);
    query.fetch_one(&mut connect(url).await).await.unwrap()
}

/// Runs SQL in a database.
pub async fn run_sql(url: &str, sql: &str) {
    let mut connection = connect(url).await;
    let sql = AssertSqlSafe(sql.to_owned());
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// A new database with nothing in it; its URL.
pub async fn empty_database() -> String {
    new_database("template0").await
}

/// A new database with empty tables; its URL.
pub async fn database() -> String {
    static MIGRATED: OnceCell<()> = OnceCell::const_new();
    let migrate = async || {
        let server = shared().await;
        run_sql(&server.url("postgres"), "CREATE DATABASE migrated").await;
        let (store, _) = open(&server.url("migrated")).await.unwrap();
        store.close().await;
    };
    MIGRATED.get_or_init(migrate).await;
    new_database("migrated").await
}

async fn new_database(template: &str) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(1);
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let server = shared().await;
    let sql = format!("CREATE DATABASE {name} TEMPLATE {template}");
    run_sql(&server.url("postgres"), &sql).await;
    server.url(&name)
}

pub fn options(url: &str) -> PostgresOptions {
    PostgresOptions {
        url: url.to_owned(),
        synchronous: Synchronous::Normal,
        group: 64,
        readers: 2,
        timeout: PATIENT,
    }
}

pub async fn open(url: &str) -> Result<(PostgresStore, Readers), OpenError> {
    open_with(&options(url)).await
}

pub async fn open_with(options: &PostgresOptions) -> Result<(PostgresStore, Readers), OpenError> {
    let (sender, commits) = mpsc::unbounded_channel::<Commit>();
    let store = PostgresStore::open(options, sender).await?;
    Ok((store, Readers::of(commits)))
}
