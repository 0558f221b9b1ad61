//! A Redis for tests: one for the whole process, or one of a test's own that it may stop.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use roomcast::stores::redis::{Redis, RedisOptions};

/// What `tests/services/redis.sh` runs; it ends with this.
pub struct RedisServer {
    script: Child,
    url: String,
    process: u32,
}

impl RedisServer {
    /// Starts one on a port; without one, on a free one.
    pub fn start(port: Option<u16>) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/services/redis.sh");
        let mut script = Command::new(script)
            .args(port.map(|port| port.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/services/redis.sh needs bash");
        let mut line = String::new();
        let out = script.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        let (url, process) = line.trim().split_once(' ').expect(
            "these tests need a Redis: install redis-server (Debian: apt-get install redis-server), \
             version 7 or newer, or say where one is by REDIS_SERVER",
        );
        Self {
            url: url.to_owned(),
            process: process.parse().unwrap(),
            script,
        }
    }

    /// The one that tests share; each uses a prefix of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisServer> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(None))
    }

    /// Kills it and starts another one, which is empty, on its port.
    pub fn restart(self) -> Self {
        let port = self.kill();
        Self::start(Some(port))
    }

    /// Kills it; returns its port.
    pub fn kill(mut self) -> u16 {
        drop(self.script.stdin.take());
        self.script.wait().unwrap();
        self.url.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Stops it where it is, or lets it go on.
    pub fn freeze(&self, is_frozen: bool) {
        let signal = if is_frozen { "-STOP" } else { "-CONT" };
        let process = self.process.to_string();
        let done = Command::new("kill").args([signal, &process]).status();
        assert!(done.unwrap().success());
    }

    /// A connection to it.
    pub fn connect(&self, prefix: &str, timeout: Duration) -> Redis {
        let options = RedisOptions {
            url: self.url.clone(),
            prefix: prefix.to_owned(),
            timeout,
        };
        Redis::open(&options).unwrap()
    }
}

/// A prefix that nobody else uses.
pub fn prefix() -> String {
    format!("test-{}", uuid::Uuid::now_v7())
}
