//! The backends behind the store ports: SQLite for what must last, memory for what may be forgotten.

pub mod memory;
pub mod sqlite;
