//! What a reader gets, whatever the order in which it opens, entries come, and it reads.
