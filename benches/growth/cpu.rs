//! What a process has used of the processor, to the nanosecond: rounds are short.

use std::{collections::HashMap, ffi::OsString, time::Duration};

use crate::Outcome;

/// It has come to rest when it uses no more than this in one look.
const REST: Duration = Duration::from_micros(100);
const LOOK: Duration = Duration::from_millis(10);
const MOST_LOOKS: usize = 100;

/// The processor time of one process.
pub struct Cpu {
    pid: u32,
    /// By thread. Those that have ended keep what they had when they were last looked at: a thread
    /// ends only after it had nothing to do for seconds.
    threads: HashMap<OsString, u64>,
}

impl Cpu {
    pub fn of(pid: u32) -> Self {
        let threads = HashMap::new();
        Self { pid, threads }
    }

    /// All so far, of the program and of the kernel for it.
    pub fn read(&mut self) -> Outcome<Duration> {
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.pid))? {
            let thread = thread?;
            // It may have ended just now.
            if let Ok(stat) = std::fs::read_to_string(thread.path().join("schedstat")) {
                let nanos = stat.split_whitespace().next().unwrap_or_default();
                self.threads.insert(thread.file_name(), nanos.parse()?);
            }
        }
        Ok(Duration::from_nanos(self.threads.values().sum()))
    }

    /// The same, once it has come to rest: what was asked of it may go on after the last answer.
    pub fn read_at_rest(&mut self) -> Outcome<Duration> {
        let mut before = self.read()?;
        for _ in 0..MOST_LOOKS {
            std::thread::sleep(LOOK);
            let now = self.read()?;
            if now - before < REST {
                return Ok(now);
            }
            before = now;
        }
        Ok(before)
    }
}
