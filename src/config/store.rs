//! Where what is durable lies: an SQLite file, or a PostgreSQL database.

use std::time::Duration;

use super::{
    Secret,
    error::{ConfigError, ensure},
    schema::{choice, section},
};

/// How the address of a PostgreSQL database begins.
const POSTGRES: [&str; 2] = ["postgres://", "postgresql://"];

/// The SQLite file where none is named.
const DEFAULT_FILE: &str = "./data/roomcast.db";

choice! {
    /// When a commit waits for the disk.
    pub enum Synchronous {
        /// At each commit: what was acknowledged survives a loss of power.
        Full = "full",
        /// Now and then: what was acknowledged survives a crash of the process.
        Normal = "normal",
    }
}

section! {
    /// Where what is durable lies: an SQLite file of this node alone, or a PostgreSQL database that
    /// several nodes share.
    pub struct Store = "store" {
        /// The database file; its directory is made if need be, and "sqlite:" or "sqlite://" may
        /// stand before it. Or the address of a PostgreSQL database, version 13 or newer:
        /// postgres://user:password@host:port/database. "" = ./data/roomcast.db
        #[env("DATABASE_URL")]
        pub path: Secret = Secret::default(),
        /// full: an acknowledged message survives a loss of power. normal: it survives a crash of
        /// this process, but the last moments may be lost with the power, or with PostgreSQL; writes
        /// are faster.
        pub synchronous: Synchronous = Synchronous::Full,
        /// The most writes that wait; one more is refused with store_unavailable.
        #[min(1)]
        pub queue: usize = 65_536,
        /// The most writes that are committed as one transaction.
        #[min(1)]
        pub group: usize = 1_024,
        /// Connections that read side by side; with PostgreSQL those that also write what is not an
        /// entry of a feed.
        #[min(1)]
        pub readers: usize = 4,
        /// How long a write or read may wait and run, in milliseconds, before it is given up with
        /// store_unavailable.
        #[min(1)]
        pub timeout_ms: u64 = 5_000,
    }
}

impl Store {
    /// How long a write or read may wait and run.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// The address of the PostgreSQL database, if it is one.
    pub fn postgres(&self) -> Option<&str> {
        let path = self.path.expose();
        let is_its = |scheme: &&str| path.starts_with(*scheme);
        POSTGRES.iter().any(is_its).then_some(path)
    }

    /// The path of the SQLite file, where it is one: a URL of it without its options.
    pub fn file(&self) -> &str {
        let path = match self.path.expose() {
            "" => DEFAULT_FILE,
            path => path,
        };
        let Some(path) = path.strip_prefix("sqlite:") else {
            return path;
        };
        let path = path.strip_prefix("//").unwrap_or(path);
        path.split_once('?').map_or(path, |(file, _)| file)
    }

    /// The errors do not show the path: the URL of another database may hold a password.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.postgres().is_some() {
            return Ok(());
        }
        ensure(!self.file().contains("://"), || {
            "store.path (DATABASE_URL) must be the path of an SQLite file, or begin with postgres://"
                .into()
        })?;
        ensure(!self.file().is_empty() && self.file() != ":memory:", || {
            "store.path (DATABASE_URL) must name a file; a database in memory is not supported"
                .into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> Store {
        Store {
            path: Secret::new(path),
            ..Store::default()
        }
    }

    #[test]
    fn the_url_of_an_sqlite_file_is_its_path() {
        for url in [
            "x.db",
            "sqlite:x.db",
            "sqlite://x.db",
            "sqlite://x.db?mode=rwc",
        ] {
            assert_eq!(at(url).file(), "x.db", "{url}");
            assert_eq!(at(url).postgres(), None, "{url}");
        }
        assert_eq!(at("sqlite:///var/x.db").file(), "/var/x.db");
        assert_eq!(at("").file(), "./data/roomcast.db");
    }

    #[test]
    fn a_postgresql_database_is_known_by_its_scheme() {
        for url in ["postgres://db/app", "postgresql://alice:hunter2@db/app"] {
            assert_eq!(at(url).postgres(), Some(url));
            at(url).check().unwrap();
        }
    }

    #[test]
    fn another_database_is_refused_without_showing_its_password() {
        let error = at("mysql://alice:hunter2@db/app").check().unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(at("sqlite::memory:").check().is_err());
    }
}
