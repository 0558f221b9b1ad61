//! Whether everything came, once, and in order.

use std::{collections::BTreeSet, ops::AddAssign};

/// What was wrong, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// What never came.
    pub lost: u64,
    /// What came again.
    pub doubled: u64,
    /// What came after something that was sent later.
    pub disordered: u64,
    /// What was never sent.
    pub invented: u64,
}

impl Faults {
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for Faults {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.disordered += other.disordered;
        self.invented += other.invented;
    }
}

/// What one reader has heard of messages that are numbered 0, 1, 2, … by who sent them.
#[derive(Debug, Default)]
pub struct Sequence {
    /// One more than the greatest number heard.
    next: u64,
    missing: BTreeSet<u64>,
}

impl Sequence {
    /// Takes a delivery, of so many messages sent so far; whether it is the first of its number.
    pub fn hear(&mut self, number: u64, sent: u64, faults: &mut Faults) -> bool {
        if number >= sent {
            faults.invented += 1;
            return false;
        }
        if number >= self.next {
            self.missing.extend(self.next..number);
            self.next = number + 1;
            return true;
        }
        if self.missing.remove(&number) {
            faults.disordered += 1;
            return true;
        }
        faults.doubled += 1;
        false
    }

    /// Nothing is to come any more: what was sent and not heard is lost.
    pub fn end(&mut self, sent: u64, faults: &mut Faults) {
        faults.lost += self.missing.len() as u64 + (sent - self.next);
        self.missing.clear();
        self.next = sent;
    }
}
