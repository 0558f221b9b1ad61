//! The revocations' port.

use async_trait::async_trait;
use sqlx::{Row, postgres::PgRow};

use super::{PostgresStore, rows};
use crate::{
    domain::{Timestamp, UserId},
    ports::{Revocation, RevocationStore, StoreResult},
};

const TOKEN_ID: i32 = 0;
const TOKEN_DIGEST: i32 = 1;
const USER: i32 = 2;

#[async_trait]
impl RevocationStore for PostgresStore {
    /// A second revocation of the same subject never shortens the first.
    async fn add(&self, revocation: &Revocation, until: Option<Timestamp>) -> StoreResult<()> {
        let (kind, subject, issued_until) = match revocation {
            Revocation::TokenId(id) => (TOKEN_ID, id.as_str(), None),
            Revocation::TokenDigest(digest) => (TOKEN_DIGEST, digest.as_str(), None),
            Revocation::User(user, issued_until) => (USER, user.as_str(), Some(*issued_until)),
        };
        // What never expires has NULL, which greatest() would pass over.
        let statement = sqlx::query(
            "INSERT INTO revocations (kind, subject, issued_until, expires_at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (kind, sha256(subject)) DO UPDATE SET
                 issued_until = greatest(revocations.issued_until, excluded.issued_until),
                 expires_at = CASE WHEN revocations.expires_at >= excluded.expires_at
                     THEN revocations.expires_at
                     WHEN revocations.expires_at IS NOT NULL THEN excluded.expires_at END",
        )
        .bind(kind)
        .bind(subject.as_bytes())
        .bind(issued_until.map(Timestamp::as_ms))
        .bind(until.map(Timestamp::as_ms));
        self.pool.write(statement).await.map(drop)
    }

    async fn load(&self, now: Timestamp) -> StoreResult<Vec<Revocation>> {
        let expired =
            sqlx::query("DELETE FROM revocations WHERE expires_at <= $1").bind(now.as_ms());
        self.pool.write(expired).await?;
        let all = sqlx::query("SELECT kind, subject, issued_until FROM revocations");
        self.pool.read(all, revocation).await
    }
}

fn revocation(row: &PgRow) -> sqlx::Result<Revocation> {
    let subject = rows::text(row, "subject")?;
    match row.try_get("kind")? {
        TOKEN_ID => Ok(Revocation::TokenId(subject)),
        TOKEN_DIGEST => Ok(Revocation::TokenDigest(subject)),
        USER => Ok(Revocation::User(
            UserId::new(subject).map_err(|_| rows::invalid("subject"))?,
            rows::time(row, "issued_until")?,
        )),
        _ => Err(rows::invalid("kind")),
    }
}
