//! Who may look: by the password, or by the session that a login has given.

use std::{net::IpAddr, sync::Arc, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use super::attempts::Attempts;
use crate::{
    domain::Timestamp,
    error::{Code, Error, Result},
};

/// How long a session may be used instead of the password.
const SESSION: Duration = Duration::from_secs(24 * 60 * 60);

/// The most passwords that are checked at a time: each keeps a processor busy.
const MAX_CHECKS: usize = 1;

/// The most that wait for it; one more is refused.
const MAX_WAITING: usize = 16;

/// The longest password, in bytes; bcrypt looks at the first 72.
const MAX_PASSWORD_BYTES: usize = 256;

/// The longest session, in bytes.
const MAX_SESSION_BYTES: usize = 128;

/// Checks passwords and sessions.
pub(super) struct Login {
    username: String,
    hash: Arc<str>,
    /// What sessions are signed with: it is the same on every node, and another once the password is.
    key: [u8; 32],
    attempts: Attempts,
    waiting: Semaphore,
    checking: Semaphore,
}

/// One answer to all that fails: it does not say why, in the words that the Admin UI knows.
fn refused() -> Error {
    Error::new(Code::Unauthenticated, "invalid credentials")
}

impl Login {
    pub fn new(username: String, hash: &str) -> Self {
        let key = Sha256::new()
            .chain_update("roomcast admin session\0")
            .chain_update(&username)
            .chain_update([0])
            .chain_update(hash)
            .finalize();
        Self {
            username,
            hash: hash.into(),
            key: key.into(),
            attempts: Attempts::default(),
            waiting: Semaphore::new(MAX_WAITING),
            checking: Semaphore::new(MAX_CHECKS),
        }
    }

    /// Whether a client with this `auth` may connect.
    pub async fn check(&self, auth: &Value, address: Option<IpAddr>) -> Result<()> {
        if self.has_session(auth, Timestamp::now()) {
            return Ok(());
        }
        let text = |key: &str| auth.get(key).and_then(Value::as_str);
        let (Some(username), Some(password)) = (text("username"), text("password")) else {
            return Err(refused());
        };
        if password.len() > MAX_PASSWORD_BYTES || !self.attempts.begin(address) {
            tracing::debug!(?address, "a login to the Admin UI was refused unseen");
            return Err(refused());
        }
        let is_known: bool = username.as_bytes().ct_eq(self.username.as_bytes()).into();
        // A name that is wrong takes as long.
        if !self.is_password(password).await || !is_known {
            tracing::warn!(?address, "a login to the Admin UI failed");
            return Err(refused());
        }
        self.attempts.succeeded(address);
        tracing::info!(?address, "an administrator has logged in");
        Ok(())
    }

    async fn is_password(&self, password: &str) -> bool {
        let Ok(_place) = self.waiting.try_acquire() else {
            return false;
        };
        let Ok(_turn) = self.checking.acquire().await else {
            return false;
        };
        let (password, hash) = (password.to_owned(), self.hash.clone());
        let checking = move || bcrypt::verify(password, &hash).unwrap_or(false);
        tokio::task::spawn_blocking(checking).await.unwrap_or(false)
    }

    /// Whether this `auth` brings a session that has not ended.
    pub fn has_session(&self, auth: &Value, now: Timestamp) -> bool {
        let session = auth.get("sessionId").and_then(Value::as_str);
        let session = session.filter(|session| session.len() <= MAX_SESSION_BYTES);
        let Some((end, _)) = session.and_then(|session| session.split_once('.')) else {
            return false;
        };
        let Ok(end) = end.parse() else {
            return false;
        };
        let made = self.session(end);
        let is_ours = made
            .as_bytes()
            .ct_eq(session.unwrap_or_default().as_bytes());
        bool::from(is_ours) && end > now.as_secs()
    }

    /// A session from now on.
    pub fn new_session(&self, now: Timestamp) -> String {
        self.session(now.plus(SESSION).as_secs())
    }

    /// Its end, in seconds since 1970, and what shows that it is ours.
    fn session(&self, end: i64) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            // It takes keys of any length.
            return String::new();
        };
        mac.update(end.to_string().as_bytes());
        format!("{end}.{}", hex::encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn login(password: &str) -> Login {
        Login::new("admin".into(), &bcrypt::hash(password, 4).unwrap())
    }

    async fn checks(login: &Login, auth: Value) -> Result<()> {
        login.check(&auth, None).await
    }

    #[tokio::test]
    async fn the_name_and_the_password_let_in_and_all_that_fails_is_answered_alike() {
        let login = login("secret");
        let right = json!({ "username": "admin", "password": "secret" });
        assert_eq!(checks(&login, right).await, Ok(()));
        for wrong in [
            json!({ "username": "admin", "password": "guess" }),
            json!({ "username": "root", "password": "secret" }),
            json!({ "username": "admin" }),
            json!({ "username": ["admin"], "password": { "a": 1 } }),
            json!({ "username": "admin", "password": "x".repeat(300) }),
            json!({ "sessionId": "1.2" }),
            json!(null),
        ] {
            assert_eq!(checks(&login, wrong).await, Err(refused()));
        }
    }

    #[tokio::test]
    async fn who_has_failed_too_often_is_refused_with_the_right_password_too() {
        let login = login("secret");
        for _ in 0..10 {
            let wrong = json!({ "username": "admin", "password": "guess" });
            assert!(checks(&login, wrong).await.is_err());
        }
        let right = json!({ "username": "admin", "password": "secret" });
        assert_eq!(checks(&login, right).await, Err(refused()));
    }

    #[test]
    fn a_session_lasts_for_a_day_and_until_the_password_changes() {
        let (login, other) = (login("secret"), login("another"));
        let now = Timestamp::from_ms(1_700_000_000_000);
        let auth = json!({ "sessionId": login.new_session(now) });
        assert!(login.has_session(&auth, now));
        assert!(!login.has_session(&auth, now.plus(SESSION)));
        assert!(!other.has_session(&auth, now));
        let forged = json!({ "sessionId": format!("9{}", login.new_session(now)) });
        assert!(!login.has_session(&forged, now));
    }
}
