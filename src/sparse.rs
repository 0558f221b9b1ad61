//! Tables that have become nearly empty give back what a crowd needed.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash},
};

/// A smaller table keeps its size.
const MIN_CAPACITY: usize = 1_024;

/// One part in so many must be in use.
const USED: usize = 8;

/// Whether a table of this capacity has too little in it.
pub fn is_sparse(len: usize, capacity: usize) -> bool {
    capacity > MIN_CAPACITY && len < capacity / USED
}

/// Makes a nearly empty map smaller.
pub fn shrink<K: Hash + Eq, V, S: BuildHasher>(map: &mut HashMap<K, V, S>) {
    if is_sparse(map.len(), map.capacity()) {
        map.shrink_to(map.len() * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_s_table_is_given_back_when_it_has_gone() {
        let mut map: HashMap<u32, u32> = (0..100_000).map(|n| (n, n)).collect();
        for n in 10..100_000 {
            map.remove(&n);
            shrink(&mut map);
        }
        assert!(map.capacity() <= MIN_CAPACITY * 2, "{}", map.capacity());
        assert_eq!(map.len(), 10);
    }
}
