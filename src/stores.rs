//! The backends behind the store ports: SQLite or PostgreSQL for what must last, memory for what may
//! be forgotten.

mod caller;
mod line;
pub mod memory;
mod metrics;
pub mod postgres;
pub mod sqlite;
