//! The servers that are measured, each in processes of its own, and what these have used.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    Outcome,
    wire::{API_KEY, SECRET},
};

/// The unit of the times in /proc/PID/stat, as Linux gives it to programs on every architecture.
const TICK: Duration = Duration::from_millis(10);
/// On, and never in the way.
const LIMIT: &str = "1000000";
const SOURCES: &str = env!("CARGO_MANIFEST_DIR");

/// Each client takes a descriptor here, and one in the server, which inherits the limit.
pub fn raise_open_files() -> Outcome<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}

/// A program that says where it listens, and ends with this one.
struct Process {
    child: Child,
    said: String,
}

impl Process {
    /// Starts it and reads its first line.
    fn start(command: &mut Command) -> Outcome<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut said = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut said)?;
        }
        let process = Self { child, said };
        if process.said.is_empty() {
            return Err(format!("{command:?} said nothing").into());
        }
        Ok(process)
    }

    fn address(&self) -> Outcome<SocketAddr> {
        let address = self.said.trim().strip_prefix("listening on http://");
        let address = address.ok_or_else(|| format!("a server said {}", self.said))?;
        Ok(address.parse()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Redis or a PostgreSQL by the script of the tests, which ends with its standard input.
pub struct Service {
    script: Child,
    pub url: String,
}

impl Service {
    pub fn start(script: &str) -> Outcome<Self> {
        let path = Path::new(SOURCES).join("tests/services").join(script);
        let mut script = Command::new("bash")
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut said = String::new();
        if let Some(output) = script.stdout.take() {
            BufReader::new(output).read_line(&mut said)?;
        }
        let url = said.split(' ').next().unwrap_or_default().to_owned();
        Ok(Self { script, url })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}

/// One server: one node, or several that act as one.
#[derive(Default)]
pub struct Server {
    nodes: Vec<Process>,
    pub addresses: Vec<SocketAddr>,
    _services: Vec<Service>,
    _data: Option<TempDir>,
}

impl Server {
    fn add(&mut self, command: &mut Command) -> Outcome<()> {
        let node = Process::start(command)?;
        self.addresses.push(node.address()?);
        self.nodes.push(node);
        Ok(())
    }

    /// Roomcast as in production: tokens, limits, budgets and metrics are on, and what is
    /// acknowledged is on the disk.
    pub fn roomcast(settings: &[(&str, &str)]) -> Outcome<Self> {
        // Not the system's temporary folder, which may lie in memory.
        let data = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let mut server = Self::default();
        server.add(
            roomcast()
                .env("ROOMCAST_STORE__PATH", data.path().join("bench.db"))
                .envs(settings.iter().copied()),
        )?;
        server._data = Some(data);
        Ok(server)
    }

    /// Two nodes of it, with a Redis and a PostgreSQL.
    pub fn roomcast_nodes(count: usize) -> Outcome<Self> {
        let mut server = Self::default();
        let redis = Service::start("redis.sh")?;
        let postgres = Service::start("postgres.sh")?;
        for _ in 0..count {
            server.add(
                roomcast()
                    .env("REDIS_URL", &redis.url)
                    .env("DATABASE_URL", &postgres.url),
            )?;
        }
        server._services = vec![redis, postgres];
        Ok(server)
    }

    /// Node's server, after `npm ci` where that was not done.
    pub fn node() -> Outcome<Self> {
        let mut server = Self::default();
        server.add(&mut node()?)?;
        Ok(server)
    }

    /// Several of them with a Redis.
    pub fn node_nodes(count: usize) -> Outcome<Self> {
        let mut server = Self::default();
        let redis = Service::start("redis.sh")?;
        for _ in 0..count {
            server.add(node()?.env("REDIS_URL", &redis.url))?;
        }
        server._services = vec![redis];
        Ok(server)
    }

    /// This program, as what does nothing but reading and writing.
    pub fn floor() -> Outcome<Self> {
        let mut server = Self::default();
        server.add(Command::new(std::env::current_exe()?).arg("floor"))?;
        Ok(server)
    }

    pub fn pids(&self) -> impl Iterator<Item = u32> {
        self.nodes.iter().map(|node| node.child.id())
    }

    /// CPU time of all its nodes so far, of the program and of the kernel for it.
    pub fn cpu(&self) -> Outcome<Duration> {
        let mut ticks = 0;
        for pid in self.pids() {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
            // The name in parentheses may hold spaces; utime and stime are fields 14 and 15.
            let fields = stat.rsplit_once(')').unwrap_or_default().1;
            for field in fields.split_whitespace().skip(11).take(2) {
                ticks += field.parse::<u32>()?;
            }
        }
        Ok(TICK * ticks)
    }

    /// Its resident memory, in bytes.
    pub fn resident(&self) -> Outcome<u64> {
        let mut kilobytes = 0;
        for pid in self.pids() {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let number = line.unwrap_or_default().split_whitespace().next();
            kilobytes += number.unwrap_or_default().parse::<u64>()?;
        }
        Ok(kilobytes * 1_024)
    }

    /// A number that the first node counts for Prometheus; 0 where there is none yet.
    pub fn metric(&self, name: &str) -> Outcome<f64> {
        let mut stream = TcpStream::connect(self.addresses[0])?;
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(value.map_or(Ok(0.0), str::parse)?)
    }
}

fn roomcast() -> Command {
    let built = option_env!("CARGO_BIN_EXE_roomcast").map(PathBuf::from);
    let binary = std::env::var_os("ROOMCAST_BIN")
        .map(PathBuf::from)
        .or(built);
    let mut command = Command::new(binary.unwrap_or_else(|| "target/release/roomcast".into()));
    command
        .arg("serve")
        .env("PORT", "0")
        .env("JWT_SECRET", SECRET)
        .env("API_KEYS", API_KEY)
        .env("LOG_LEVEL", "warn")
        // Everybody's coming would be told to everybody.
        .env("ROOMCAST_PRESENCE__AUDIENCE", "roommates")
        .env("ROOMCAST_LIMITS__CONNECTIONS_PER_IP", LIMIT)
        .env("ROOMCAST_LIMITS__CONNECTIONS_PER_USER", LIMIT)
        .env("ROOMCAST_LIMITS__EVENTS_PER_SECOND", LIMIT)
        .env("ROOMCAST_LIMITS__USER_EVENTS_PER_SECOND", LIMIT)
        .env("ROOMCAST_LIMITS__REQUESTS_PER_SECOND", LIMIT);
    command
}

fn node() -> Outcome<Command> {
    let folder = Path::new(SOURCES).join("benches/compare/node");
    if !folder.join("node_modules").exists() {
        let installed = Command::new("npm")
            .args(["ci", "--silent"])
            .current_dir(&folder)
            .stdout(Stdio::null())
            .status()?;
        if !installed.success() {
            return Err("npm ci has failed".into());
        }
    }
    let mut command = Command::new("node");
    command
        .arg(folder.join("server.mjs"))
        .env("NODE_ENV", "production")
        .env("JWT_SECRET", SECRET)
        .env("API_KEYS", API_KEY);
    Ok(command)
}
