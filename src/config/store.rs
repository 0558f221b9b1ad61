//! The embedded SQLite database.

use std::time::Duration;

use super::{
    error::{ConfigError, ensure},
    schema::{choice, section},
};

choice! {
    /// When SQLite waits for the disk.
    pub enum Synchronous {
        /// At each commit: what was acknowledged survives a loss of power.
        Full = "full",
        /// Now and then: what was acknowledged survives a crash of the process.
        Normal = "normal",
    }
}

section! {
    /// The embedded SQLite database.
    pub struct Store = "store" {
        /// The database file; its directory is made if need be. "sqlite:" or "sqlite://" may stand
        /// before it.
        #[env("DATABASE_URL")]
        pub path: String = "./data/roomcast.db".into(),
        /// full: an acknowledged message survives a loss of power. normal: it survives a crash of
        /// the process, but the last moments may be lost with the power; writes are faster.
        pub synchronous: Synchronous = Synchronous::Full,
        /// The most writes that wait; one more is refused with store_unavailable.
        #[min(1)]
        pub queue: usize = 65_536,
        /// The most writes that are committed as one transaction.
        #[min(1)]
        pub group: usize = 1_024,
        /// Connections that read side by side.
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

    /// A URL of an SQLite file becomes the path of the file, without the URL's options.
    pub(super) fn normalise(&mut self) {
        let path = self.path.strip_prefix("sqlite:");
        let Some(path) = path.map(|path| path.strip_prefix("//").unwrap_or(path)) else {
            return;
        };
        let file = path.split_once('?').map_or(path, |(file, _)| file);
        self.path = file.to_owned();
    }

    /// The errors do not show the path: the URL of another database may hold a password.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let is_postgres = ["postgres:", "postgresql:"]
            .iter()
            .any(|scheme| self.path.starts_with(scheme));
        ensure(!is_postgres, || {
            "store.path (DATABASE_URL) names a PostgreSQL database, which is not supported yet; \
             give the path of an SQLite file"
                .into()
        })?;
        ensure(!self.path.contains("://"), || {
            "store.path (DATABASE_URL) must be the path of an SQLite file".into()
        })?;
        ensure(!self.path.is_empty() && self.path != ":memory:", || {
            "store.path (DATABASE_URL) must name a file; a database in memory is not supported"
                .into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> Store {
        let mut store = Store {
            path: path.into(),
            ..Store::default()
        };
        store.normalise();
        store
    }

    #[test]
    fn the_url_of_an_sqlite_file_is_its_path() {
        for url in [
            "x.db",
            "sqlite:x.db",
            "sqlite://x.db",
            "sqlite://x.db?mode=rwc",
        ] {
            assert_eq!(at(url).path, "x.db", "{url}");
        }
        assert_eq!(at("sqlite:///var/x.db").path, "/var/x.db");
    }

    #[test]
    fn another_database_is_refused_without_showing_its_password() {
        let error = at("postgres://alice:hunter2@db/app").check().unwrap_err();
        assert!(error.to_string().contains("not supported yet"), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(at("mysql://db").check().is_err());
        assert!(at("sqlite::memory:").check().is_err());
    }
}
