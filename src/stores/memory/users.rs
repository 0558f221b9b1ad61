//! Users with the order in which they have changed.

use std::collections::{BTreeMap, HashMap};

use crate::{domain::UserId, sparse};

/// Users, with the order in which they have changed.
pub(super) struct Users<T> {
    pub(super) by_id: HashMap<UserId, (u64, T)>,
    pub(super) by_version: BTreeMap<u64, UserId>,
}

impl<T> Default for Users<T> {
    fn default() -> Self {
        Self {
            by_id: HashMap::new(),
            by_version: BTreeMap::new(),
        }
    }
}

impl<T> Users<T> {
    pub(super) fn put(&mut self, user: &UserId, value: T, version: u64) {
        let earlier = self.by_id.insert(user.clone(), (version, value));
        if let Some((earlier, _)) = earlier {
            self.by_version.remove(&earlier);
        }
        self.by_version.insert(version, user.clone());
    }

    pub(super) fn remove(&mut self, user: &UserId) -> Option<T> {
        let (version, value) = self.by_id.remove(user)?;
        self.by_version.remove(&version);
        sparse::shrink(&mut self.by_id);
        Some(value)
    }

    pub(super) fn get(&self, user: &UserId) -> Option<&T> {
        self.by_id.get(user).map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, user: &UserId) -> Option<&mut T> {
        self.by_id.get_mut(user).map(|(_, value)| value)
    }

    /// Forgets who has changed first, where there are more than so many.
    pub(super) fn limit(&mut self, most: usize) {
        if self.by_id.len() > most
            && let Some((_, first)) = self.by_version.pop_first()
        {
            self.by_id.remove(&first);
        }
    }
}
