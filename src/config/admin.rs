//! The namespace of Socket.IO's Admin UI.

use super::{
    Secret,
    error::{ConfigError, ensure},
    schema::{choice, section},
};

/// Of a bcrypt hash: its length, and the costs with which a login takes neither no time nor seconds.
const HASH_BYTES: usize = 60;
const COSTS: std::ops::RangeInclusive<u32> = 4..=14;

/// How long a password may be, in bytes: what is beyond, bcrypt does not look at.
pub(crate) const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 8..=72;

choice! {
    /// How much the Admin UI shows.
    pub enum AdminMode {
        /// Sockets, their rooms and events, too.
        Development = "development",
        /// Figures of servers alone.
        Production = "production",
    }
}

section! {
    /// The namespace /admin, by which Socket.IO's Admin UI shows what is connected. Every node of a
    /// cluster says the same here.
    pub struct Admin = "admin" {
        /// Whether there is one.
        pub enabled: bool = false,
        /// Who may log in.
        pub username: String = "admin".into(),
        /// The password, or better its bcrypt hash, which the command hash-password prints.
        pub password: Secret = Secret::default(),
        /// Whether administrators may look, but not emit, join, leave or disconnect.
        pub read_only: bool = false,
        /// development shows sockets, their rooms and every event with its arguments; production
        /// only how many there are.
        pub mode: AdminMode = AdminMode::Development,
        /// What this server is called. "" = the name of the machine and the number of the process.
        pub server_id: String = String::new(),
    }
}

impl Admin {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !self.enabled {
            return Ok(());
        }
        ensure(!self.username.is_empty(), || {
            "admin.username must not be empty".into()
        })?;
        let password = self.password.expose();
        let fits = match password.starts_with('$') {
            true => is_hash(password),
            false => PASSWORD_BYTES.contains(&password.len()),
        };
        ensure(fits, || {
            format!(
                "admin.password must be a password of {} to {} bytes that does not begin with `$`, or a \
                 bcrypt hash with a cost from {} to {}, as `roomcast hash-password` prints one",
                PASSWORD_BYTES.start(),
                PASSWORD_BYTES.end(),
                COSTS.start(),
                COSTS.end()
            )
        })
    }
}

/// `$2b$10$` and 53 characters; or `$2a$`, `$2x$`, `$2y$`.
fn is_hash(text: &str) -> bool {
    let fits = |rest: &str| {
        let (cost, salted) = rest.split_at_checked(3)?;
        let cost = cost.strip_suffix('$')?.parse().ok()?;
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "./".contains(letter);
        (COSTS.contains(&cost) && salted.chars().all(is_letter)).then_some(())
    };
    let versions = ["$2a$", "$2b$", "$2x$", "$2y$"];
    let rest = versions.iter().find_map(|begin| text.strip_prefix(begin));
    text.len() == HASH_BYTES && rest.and_then(fits).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2b$10$heqvAkYMez.Va6Et2uXInOnkCT6/uQj1brkrbyG3LpopDklcq7ZOS";

    fn check(hash: &str) -> Result<(), ConfigError> {
        let admin = Admin {
            enabled: true,
            password: Secret::new(hash),
            ..Admin::default()
        };
        admin.check()
    }

    #[test]
    fn a_password_is_configured_by_itself_or_its_bcrypt_hash() {
        assert!(check(HASH).is_ok());
        assert!(check(&HASH.replace("$2b$", "$2y$")).is_ok());
        assert!(check("correct horse").is_ok());
        for wrong in ["", "short", &HASH[..59], "$2b$10$", &"x".repeat(73)] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_hash_that_would_take_seconds_or_no_time_is_refused() {
        assert!(check(&HASH.replace("$10$", "$31$")).is_err());
        assert!(check(&HASH.replace("$10$", "$03$")).is_err());
    }

    #[test]
    fn without_the_namespace_nothing_need_be_set() {
        assert!(Admin::default().check().is_ok());
    }
}
