//! From where a client wants to go on.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::{Timestamp, UserId};

/// Where a client's knowledge ends. Its text means nothing to clients, and is one user's only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncCursor {
    /// Whose it is.
    owner: String,
    /// Among the entries of all feeds.
    pub position: u64,
    /// Among the changes of presence.
    pub presence: u64,
}

/// The form of the text.
const VERSION: &str = "1";

fn owner(user: &UserId) -> String {
    hex::encode(&Sha256::digest(user.as_str())[..6])
}

impl SyncCursor {
    /// The user's cursor.
    pub fn new(user: &UserId, position: u64, presence: u64) -> Self {
        Self {
            owner: owner(user),
            position,
            presence,
        }
    }

    /// Whether it is this user's.
    pub fn is_of(&self, user: &UserId) -> bool {
        self.owner == owner(user)
    }
}

impl fmt::Display for SyncCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            owner,
            position,
            presence,
        } = self;
        let text = format!("{VERSION}.{owner}.{position}.{presence}");
        f.write_str(&URL_SAFE_NO_PAD.encode(text))
    }
}

impl FromStr for SyncCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(drop)?;
        let text = String::from_utf8(bytes).map_err(drop)?;
        let mut parts = text.split('.');
        let mut part = || parts.next().ok_or(());
        if part()? != VERSION {
            return Err(());
        }
        let owner = part()?.to_owned();
        let position = part()?.parse().map_err(drop)?;
        let presence = part()?.parse().map_err(drop)?;
        match parts.next() {
            None => Ok(Self {
                owner,
                position,
                presence,
            }),
            Some(_) => Err(()),
        }
    }
}

/// What a client says of how much it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownUpTo {
    /// Nothing.
    Nothing,
    /// What an earlier answer ended with.
    Cursor(SyncCursor),
    /// Everything before this time.
    Time(Timestamp),
}

impl FromStr for KnownUpTo {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::Nothing);
        }
        match text.parse() {
            Ok(cursor) => Ok(Self::Cursor(cursor)),
            Err(()) => Timestamp::parse(text).map(Self::Time).ok_or(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_is_one_user_s_only() {
        let (alice, bob) = (UserId::new("alice").unwrap(), UserId::new("bob").unwrap());
        let cursor = SyncCursor::new(&alice, 7, 8);
        assert_eq!(cursor.to_string().parse(), Ok(cursor.clone()));
        assert!(cursor.is_of(&alice));
        assert!(!cursor.is_of(&bob));
    }

    #[test]
    fn a_time_and_nothing_are_known_and_anything_else_is_not() {
        let time = Timestamp::from_ms(0);
        let known: Result<KnownUpTo, ()> = "1970-01-01T00:00:00.000Z".parse();
        assert_eq!(known, Ok(KnownUpTo::Time(time)));
        assert_eq!("".parse(), Ok(KnownUpTo::Nothing));
        for other in ["yesterday", "MS4x", "1.a.2.3", "MS5hLjIuMy40"] {
            assert_eq!(other.parse::<KnownUpTo>(), Err(()), "{other}");
        }
    }
}
