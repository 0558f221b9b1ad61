//! Connections as the store wants them, and the migrations that bring a database to today's schema.

use std::{
    io,
    sync::LazyLock,
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions, Connection, PgConnection, SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    postgres::PgConnectOptions,
};
use tokio::time::timeout;

use super::{OpenError, PostgresOptions, Synchronous};

/// In their order, numbered from 1. One that has been released stays as it is: its checksum is stored.
const SCRIPTS: [(&str, &str); 4] = [
    ("tables", include_str!("migrations/0001_tables.sql")),
    ("functions", include_str!("migrations/0002_functions.sql")),
    ("told", include_str!("migrations/0003_told.sql")),
    ("hooks", include_str!("migrations/0004_hooks.sql")),
];

static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let numbered = (1..).zip(SCRIPTS);
    let migrations = numbered.map(|(version, (description, sql))| {
        let sql = sql.into_sql_str();
        Migration::new(
            version,
            description.into(),
            MigrationType::Simple,
            sql,
            false,
        )
    });
    Migrator::with_migrations(migrations.collect())
});

/// How many prepared statements a connection keeps; more than there are kinds of them.
const STATEMENTS: usize = 128;

/// How often the server asks a silent node whether it is there.
const KEEPALIVE_SECONDS: &str = "15";

/// A connection that has not been used for longer is tried before it is relied on.
const FRESH: Duration = Duration::from_secs(1);

/// A connection, and when it was used last.
pub(super) struct Live {
    pub(super) connection: PgConnection,
    pub(super) used_at: Instant,
}

/// Makes connections, each of them within a time.
#[derive(Clone)]
pub(super) struct Connector {
    options: PgConnectOptions,
    pub(super) timeout: Duration,
}

impl Connector {
    pub(super) fn new(options: &PostgresOptions) -> Result<Self, OpenError> {
        // The parser's words could repeat the password.
        let parsed: PgConnectOptions = options.url.parse().map_err(|_| OpenError::Url)?;
        let synchronous_commit = match options.synchronous {
            Synchronous::Full => "on",
            Synchronous::Normal => "off",
        };
        let bound = format!("{}ms", options.timeout.as_millis().max(1));
        let parsed = parsed
            .application_name("roomcast")
            .statement_cache_capacity(STATEMENTS)
            .disable_statement_logging()
            .options([
                ("synchronous_commit", synchronous_commit),
                ("statement_timeout", &bound),
                ("lock_timeout", &bound),
                ("idle_in_transaction_session_timeout", &bound),
                // The server lets go of what a node holds that was cut off.
                ("tcp_user_timeout", &bound),
                ("tcp_keepalives_idle", KEEPALIVE_SECONDS),
                ("tcp_keepalives_interval", KEEPALIVE_SECONDS),
                // Each query has an index in its order, whatever is known of a table that has just
                // been filled; and none of them is worth compiling.
                ("enable_seqscan", "off"),
                ("enable_bitmapscan", "off"),
                ("jit", "off"),
            ]);
        Ok(Self {
            options: parsed,
            timeout: options.timeout,
        })
    }

    pub(super) async fn connect(&self) -> sqlx::Result<Live> {
        let connecting = PgConnection::connect_with(&self.options);
        let connection = timeout(self.timeout, connecting).await;
        Ok(Live {
            connection: connection.unwrap_or_else(|_| Err(no_answer()))?,
            used_at: Instant::now(),
        })
    }

    pub(super) async fn open(&self) -> Result<Live, OpenError> {
        self.connect().await.map_err(|source| OpenError::Connect {
            database: self.database(),
            source,
        })
    }

    /// Whether a connection still leads somewhere, as far as that has to be asked.
    pub(super) async fn is_alive(&self, live: &mut Live) -> bool {
        if live.used_at.elapsed() < FRESH {
            return true;
        }
        let answer = timeout(self.timeout.min(FRESH) / 2, live.connection.ping());
        matches!(answer.await, Ok(Ok(())))
    }

    /// Applies the migrations that are missing. Nodes that start at once do so one after another,
    /// each for as long as it takes.
    pub(super) async fn migrate(&self) -> Result<(), OpenError> {
        let unbounded = Self {
            options: self.options.clone().options([
                ("statement_timeout", "0"),
                ("lock_timeout", "0"),
                ("idle_in_transaction_session_timeout", "0"),
            ]),
            timeout: self.timeout,
        };
        let mut live = unbounded.open().await?;
        let encoding = sqlx::query_scalar("SELECT current_setting('server_encoding')")
            .fetch_one(&mut live.connection)
            .await
            .map_err(|source| OpenError::Connect {
                database: self.database(),
                source,
            })?;
        if encoding != "UTF8" {
            return Err(OpenError::Encoding {
                database: self.database(),
                encoding,
            });
        }
        let migrated = MIGRATIONS
            .run_direct(None, &mut live.connection, false)
            .await;
        migrated.map_err(|error| self.not_migrated(error))
    }

    fn not_migrated(&self, source: MigrateError) -> OpenError {
        let database = self.database();
        let known = MIGRATIONS.iter().map(|one| one.version).max().unwrap_or(0);
        match source {
            MigrateError::VersionMissing(found) if found > known => OpenError::Newer {
                database,
                found,
                known,
            },
            source => OpenError::Migrate { database, source },
        }
    }

    /// Where the database is, without what is secret.
    fn database(&self) -> String {
        let (host, port) = (self.options.get_host(), self.options.get_port());
        let user = self.options.get_username();
        let name = self.options.get_database().unwrap_or(user);
        format!("{host}:{port}/{name}")
    }
}

/// What a statement fails with when the server does not answer in time.
pub(super) fn no_answer() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(
        io::ErrorKind::TimedOut,
        "the database does not answer",
    ))
}

/// Whether the connection that failed so can be used no more.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // The server is going down, or has crashed; it is a standby now, and another one may be
            // behind its name; its tables have changed under what was prepared.
            code.starts_with("57P") || code == "25006" || code == "0A000"
        }),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Encode(_) => false,
        _ => true,
    }
}
