//! The backends behind the store ports: SQLite or PostgreSQL for what must last, memory or Redis for
//! what may be forgotten.

pub mod memory;
pub mod redis;
pub mod sqlite;
