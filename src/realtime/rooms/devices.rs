//! The sockets of one user: mostly one.

use std::collections::HashSet;

use crate::domain::SocketId;

/// At least one socket.
pub enum Devices {
    /// One.
    One(SocketId),
    /// Several.
    #[allow(clippy::box_collection)] // Few users have several, and each has room for this.
    Many(Box<HashSet<SocketId>>),
}

impl Devices {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &SocketId> {
        let (one, many) = match self {
            Self::One(one) => (Some(one), None),
            Self::Many(many) => (None, Some(many.iter())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// Adds one.
    pub fn add(&mut self, id: SocketId) {
        match self {
            Self::One(one) if *one == id => {}
            Self::One(one) => *self = Self::Many(Box::new([one.clone(), id].into())),
            Self::Many(many) => {
                many.insert(id);
            }
        }
    }

    /// Removes one; whether there is none left, and this is to be dropped.
    pub fn remove(&mut self, id: &SocketId) -> bool {
        match self {
            Self::One(one) => one == id,
            Self::Many(many) => {
                many.remove(id);
                let only = many.iter().next().filter(|_| many.len() == 1);
                if let Some(only) = only.cloned() {
                    *self = Self::One(only);
                }
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_socket_and_several_are_kept_alike() {
        let [phone, laptop, watch] =
            ["phone", "laptop", "watch"].map(|id| SocketId::new(id).unwrap());
        let mut devices = Devices::One(phone.clone());
        for id in [&phone, &laptop, &watch, &watch] {
            devices.add(id.clone());
        }
        assert_eq!(devices.iter().count(), 3);
        assert!(!devices.remove(&laptop));
        assert!(!devices.remove(&laptop));
        assert!(!devices.remove(&phone));
        assert_eq!(devices.iter().collect::<Vec<_>>(), [&watch]);
        assert!(!devices.remove(&phone));
        assert!(devices.remove(&watch));
    }
}
