//! Notices that were told, for nodes that have not heard them.

use std::{collections::VecDeque, sync::atomic::Ordering};

use super::{Kind, MAX_NOTICES, Outgoing, Waiting};
use crate::{cluster::frame::Frame, ports::Notice};

/// The last notices that were told, each with the number of its publication.
#[derive(Default)]
pub(super) struct Told(VecDeque<(u64, Notice)>);

impl Outgoing {
    /// Some of another node's publications were not heard: asks for the notices in them.
    pub(in crate::cluster) fn missed(&self, of: String, between: (u64, u64)) {
        self.put(&Frame::Missed { of, between }, Kind::Notice);
    }

    /// A node has not heard these publications of ours.
    pub(in crate::cluster) fn tell_again(&self, to: &str, between: (u64, u64)) {
        let told = self.0.told.lock();
        let is_missed = |number: u64| (between.0..between.1).contains(&number);
        for (_, notice) in told.0.iter().filter(|(number, _)| is_missed(*number)) {
            let (to, notice) = (to.to_owned(), notice.clone());
            self.put(&Frame::Again { to, notice }, Kind::Notice);
        }
    }

    /// Keeps what a node may ask for that has not heard it.
    pub(super) fn note_told(&self, number: u64, taken: Vec<Waiting>) {
        self.0.taken.fetch_add(1, Ordering::Relaxed);
        let notices = taken.into_iter().filter_map(|waiting| waiting.notice);
        let told = &mut self.0.told.lock().0;
        told.extend(notices.map(|notice| (number, notice)));
        let beyond = told.len().saturating_sub(MAX_NOTICES);
        told.drain(..beyond);
    }
}
