//! The line in which writes wait for the writer, in the order in which they were asked for.
//!
//! A channel would not do: those who wait for room in it are overtaken by whoever comes at the
//! moment when there is room, before they have been woken.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;

use crate::ports::{StoreError, StoreResult};

/// Jobs in order of arrival. Those beyond the limit stand in line as well, as their callers hold
/// them in memory anyway, but may be withdrawn by an impatient one.
pub(super) struct Line<J> {
    state: Mutex<State<J>>,
    /// Wakes a writer that is a thread.
    changed: Condvar,
    /// Wakes a writer that is a task.
    arrived: Notify,
    limit: u64,
}

struct State<J> {
    /// A withdrawn job leaves its place empty.
    jobs: VecDeque<Option<J>>,
    /// How many places have left the line: the ticket of the first one in it.
    first: u64,
    closed: bool,
}

/// A place in the line beyond the limit.
#[derive(Clone, Copy)]
pub(super) struct Ticket(u64);

impl<J> State<J> {
    fn take(&mut self, most: usize, group: &mut Vec<J>) {
        while group.len() < most
            && let Some(job) = self.jobs.pop_front()
        {
            self.first += 1;
            group.extend(job);
        }
    }
}

impl<J> Line<J> {
    /// A line in which so many places are sure.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                first: 0,
                closed: false,
            }),
            changed: Condvar::new(),
            arrived: Notify::new(),
            limit: limit as u64,
        }
    }

    /// Gives the job the last place; a ticket when that lies beyond the limit. Fails when closed.
    pub(super) fn join(&self, job: J) -> StoreResult<Option<Ticket>> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(StoreError);
        }
        let ahead = state.jobs.len() as u64;
        let ticket = Ticket(state.first + ahead);
        state.jobs.push_back(Some(job));
        drop(state);
        self.wake();
        Ok((ahead >= self.limit).then_some(ticket))
    }

    /// Takes back a job that is still beyond the limit. Absent when it has come within it.
    pub(super) fn withdraw(&self, ticket: Ticket) -> Option<J> {
        let mut state = self.state.lock();
        let ahead = ticket.0.checked_sub(state.first)?;
        if ahead < self.limit {
            return None;
        }
        state.jobs.get_mut(usize::try_from(ahead).ok()?)?.take()
    }

    /// Moves up to `most` jobs from the front into `group`, as soon as there is one. Moves none
    /// only when the line is closed and empty.
    pub(super) fn take(&self, most: usize, group: &mut Vec<J>) {
        let mut state = self.state.lock();
        loop {
            state.take(most, group);
            if !group.is_empty() || state.closed {
                return;
            }
            self.changed.wait(&mut state);
        }
    }

    /// Does the same without blocking; one task at a time may wait so.
    pub(super) async fn next(&self, most: usize, group: &mut Vec<J>) {
        loop {
            {
                let mut state = self.state.lock();
                state.take(most, group);
                if !group.is_empty() || state.closed {
                    return;
                }
            }
            self.arrived.notified().await;
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
        self.wake();
    }

    fn wake(&self) {
        self.changed.notify_one();
        self.arrived.notify_one();
    }

    /// Closes the line and drops who is in it: there is no one left to serve them.
    pub(super) fn abandon(&self) {
        self.close();
        let left = std::mem::take(&mut self.state.lock().jobs);
        drop(left);
    }
}
