//! The revocations' port.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params, types::Type};

use super::{SqliteStore, rows};
use crate::{
    domain::{Timestamp, UserId},
    ports::{Revocation, RevocationStore, StoreResult},
};

const TOKEN_ID: i64 = 0;
const TOKEN_DIGEST: i64 = 1;
const USER: i64 = 2;

#[async_trait]
impl RevocationStore for SqliteStore {
    async fn add(&self, revocation: &Revocation, until: Option<Timestamp>) -> StoreResult<()> {
        let revocation = revocation.clone();
        self.write(move |connection| add(connection, &revocation, until))
            .await
    }

    async fn load(&self, now: Timestamp) -> StoreResult<Vec<Revocation>> {
        self.write(move |connection| {
            connection
                .prepare_cached("DELETE FROM revocations WHERE expires_at <= ?1")?
                .execute([now.as_ms()])?;
            connection
                .prepare_cached("SELECT kind, subject, issued_until FROM revocations")?
                .query_map([], revocation)?
                .collect()
        })
        .await
    }
}

/// A second revocation of the same subject never shortens the first.
fn add(
    connection: &Connection,
    revocation: &Revocation,
    until: Option<Timestamp>,
) -> rusqlite::Result<()> {
    let (kind, subject, issued_until) = match revocation {
        Revocation::TokenId(id) => (TOKEN_ID, id.as_str(), None),
        Revocation::TokenDigest(digest) => (TOKEN_DIGEST, digest.as_str(), None),
        Revocation::User(user, issued_until) => (USER, user.as_str(), Some(*issued_until)),
    };
    connection
        .prepare_cached(
            // max() of a NULL is NULL, which is what never expires.
            "INSERT INTO revocations (kind, subject, issued_until, expires_at)
             VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (kind, subject) DO UPDATE SET
                 issued_until = max(issued_until, excluded.issued_until),
                 expires_at = max(expires_at, excluded.expires_at)",
        )?
        .execute(params![
            kind,
            subject,
            issued_until.map(Timestamp::as_ms),
            until.map(Timestamp::as_ms),
        ])
        .map(drop)
}

fn revocation(row: &Row<'_>) -> rusqlite::Result<Revocation> {
    match row.get(0)? {
        TOKEN_ID => Ok(Revocation::TokenId(row.get(1)?)),
        TOKEN_DIGEST => Ok(Revocation::TokenDigest(row.get(1)?)),
        USER => Ok(Revocation::User(
            rows::text(row, 1, UserId::new)?,
            Timestamp::from_ms(row.get(2)?),
        )),
        _ => Err(rows::invalid(0, Type::Integer)),
    }
}
