//! The line in which writes wait for the writer, in the order in which they were asked for.
//!
//! A channel would not do: those who wait for room in it are overtaken by whoever comes at the
//! moment when there is room, before they have been woken.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use super::group::Job;
use crate::ports::{StoreError, StoreResult};

/// Jobs in order of arrival. Those beyond the limit stand in line as well, as their callers hold
/// them in memory anyway, but may be withdrawn by an impatient one.
pub(super) struct Line {
    state: Mutex<State>,
    changed: Condvar,
    limit: u64,
}

#[derive(Default)]
struct State {
    /// A withdrawn job leaves its place empty.
    jobs: VecDeque<Option<Box<dyn Job>>>,
    /// How many places have left the line: the ticket of the first one in it.
    first: u64,
    closed: bool,
}

/// A place in the line beyond the limit.
#[derive(Clone, Copy)]
pub(super) struct Ticket(u64);

impl Line {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            limit: limit.max(1) as u64,
        }
    }

    /// Gives the job the last place; a ticket when that lies beyond the limit. Fails when closed.
    pub(super) fn join(&self, job: Box<dyn Job>) -> StoreResult<Option<Ticket>> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(StoreError);
        }
        let ahead = state.jobs.len() as u64;
        let ticket = Ticket(state.first + ahead);
        state.jobs.push_back(Some(job));
        drop(state);
        self.changed.notify_one();
        Ok((ahead >= self.limit).then_some(ticket))
    }

    /// Takes back a job that is still beyond the limit. Absent when it has come within it.
    pub(super) fn withdraw(&self, ticket: Ticket) -> Option<Box<dyn Job>> {
        let mut state = self.state.lock();
        let ahead = ticket.0.checked_sub(state.first)?;
        if ahead < self.limit {
            return None;
        }
        state.jobs.get_mut(usize::try_from(ahead).ok()?)?.take()
    }

    /// Moves up to `most` jobs from the front into `group`, as soon as there is one. Moves none
    /// only when the line is closed and empty.
    pub(super) fn take(&self, most: usize, group: &mut Vec<Box<dyn Job>>) {
        let mut state = self.state.lock();
        loop {
            while group.len() < most
                && let Some(job) = state.jobs.pop_front()
            {
                state.first += 1;
                group.extend(job);
            }
            if !group.is_empty() || state.closed {
                return;
            }
            self.changed.wait(&mut state);
        }
    }

    /// How many places are taken.
    pub(super) fn len(&self) -> usize {
        self.state.lock().jobs.len()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Lets nobody join any more; who is in line will be served.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_one();
    }

    /// Closes the line and drops who is in it: there is no one left to serve them.
    pub(super) fn abandon(&self) {
        self.close();
        let left = std::mem::take(&mut self.state.lock().jobs);
        drop(left);
    }
}
