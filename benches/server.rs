//! A server process to measure, and clients of as little weight as can be.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use roomcast::auth::{MintClaims, mint};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const SECRET: &str = "a secret for the benchmarks";

/// So many of what is measured, or fewer, by `BENCH_DIVISOR`: to see that a benchmark runs.
pub fn scaled(count: usize) -> usize {
    let divisor = std::env::var("BENCH_DIVISOR").map_or(1, |text| text.parse().unwrap());
    (count / divisor).max(1)
}

/// A running server with a database of its own.
pub struct ServerProcess {
    child: Child,
    address: String,
    _data: tempfile::TempDir,
}

impl ServerProcess {
    /// Starts the binary of this build, or that of `ROOMCAST_BIN`, with these settings besides
    /// those without which a benchmark would measure limits.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        // Metrics are read without TLS, but the client wants to know whose it would be.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let data = tempfile::tempdir().unwrap();
        let built = PathBuf::from(env!("CARGO_BIN_EXE_roomcast"));
        let binary = std::env::var_os("ROOMCAST_BIN").map_or(built, PathBuf::from);
        let mut child = Command::new(binary)
            .arg("serve")
            .env("PORT", "0")
            .env("JWT_SECRET", SECRET)
            .env("ROOMCAST_STORE__PATH", data.path().join("bench.db"))
            // Everybody's coming would be told to everybody.
            .env("ROOMCAST_PRESENCE__AUDIENCE", "roommates")
            .env("ROOMCAST_LIMITS__EVENTS_PER_SECOND", "0")
            .env("ROOMCAST_LIMITS__USER_EVENTS_PER_SECOND", "0")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let line = BufReader::new(stdout).lines().next().unwrap().unwrap();
        let address = line.strip_prefix("listening on http://").unwrap();
        Self {
            address: address.to_owned(),
            child,
            _data: data,
        }
    }

    /// A token for a user who may enter every room.
    pub fn token(&self, user: &str) -> String {
        let claims = MintClaims {
            sub: user.to_owned(),
            name: None,
            rooms: vec!["*".to_owned()],
            roles: Vec::new(),
            issuer: String::new(),
            audience: String::new(),
            ttl: Duration::from_secs(3_600),
        };
        mint(SECRET.as_bytes(), &claims).unwrap()
    }

    /// Connects a client over WebSocket and signs it in.
    pub async fn connect(&self, token: String) -> RawClient {
        let mut client = RawClient::open(&self.address).await;
        client.send(&format!("40{{\"token\":\"{token}\"}}")).await;
        client.until("socket-id").await;
        client
    }

    /// Opens an event stream and reads its greeting.
    pub async fn stream(&self, path: &str, token: String) -> StreamClient {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        while !String::from_utf8_lossy(&read).contains("event: connected") {
            let count = stream.read_buf(&mut read).await.unwrap();
            assert!(count > 0, "the server has closed the stream");
        }
        StreamClient(stream)
    }

    /// Resident memory.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let number = line.unwrap().split_whitespace().nth(1).unwrap();
        number.parse().unwrap()
    }

    /// CPU time of the server so far, user and system together.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The name in parentheses may hold spaces; utime and stime are fields 14 and 15.
        let after = stat.rsplit_once(')').unwrap().1;
        let fields: Vec<_> = after.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        // USER_HZ is 100 on Linux.
        Duration::from_millis(ticks * 10)
    }

    /// Waits until the server counts so many connected sockets.
    pub async fn until_connections(&self, count: usize) {
        self.until("roomcast_connections", count).await;
    }

    /// Waits until a metric has this value.
    pub async fn until(&self, metric: &str, value: usize) {
        let wanted = format!("{metric} {value}");
        let url = format!("http://{}/metrics", self.address);
        loop {
            let metrics = reqwest::get(&url).await.unwrap().text().await.unwrap();
            if metrics.lines().any(|line| line == wanted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An open event stream; dropping it hangs up.
pub struct StreamClient(#[allow(dead_code)] TcpStream);

/// A WebSocket that knows no more than the benchmarks need: it sends short text frames and reads
/// text frames of any length.
pub struct RawClient {
    stream: TcpStream,
    read: Vec<u8>,
}

impl RawClient {
    async fn open(address: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let request = format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {address}\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut client = Self {
            stream,
            read: Vec::new(),
        };
        loop {
            if let Some(end) = client.read.windows(4).position(|four| four == b"\r\n\r\n") {
                client.read.drain(..end + 4);
                return client;
            }
            client.fill().await;
        }
    }

    async fn fill(&mut self) {
        let mut buffer = [0; 4_096];
        let count = self.stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "the server has closed the connection");
        self.read.extend_from_slice(&buffer[..count]);
    }

    /// Sends a text frame, masked by zeros.
    pub async fn send(&mut self, text: &str) {
        let mut frame = vec![0x81];
        match u16::try_from(text.len()).unwrap() {
            short @ 0..=125 => frame.push(0x80 | short as u8),
            long => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&long.to_be_bytes());
            }
        }
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(text.as_bytes());
        self.stream.write_all(&frame).await.unwrap();
    }

    /// The next text frame.
    pub async fn next(&mut self) -> String {
        loop {
            if let Some(text) = self.take() {
                return text;
            }
            self.fill().await;
        }
    }

    fn take(&mut self) -> Option<String> {
        let (head, size) = match *self.read.get(1)? {
            126 => {
                let size = self.read.get(2..4)?.try_into().ok()?;
                (4, usize::from(u16::from_be_bytes(size)))
            }
            127 => {
                let size = self.read.get(2..10)?.try_into().ok()?;
                (10, usize::try_from(u64::from_be_bytes(size)).ok()?)
            }
            size => (2, usize::from(size)),
        };
        let payload = self.read.get(head..head + size)?.to_vec();
        self.read.drain(..head + size);
        Some(String::from_utf8(payload).unwrap())
    }

    /// Reads until a frame holds this text; that frame.
    pub async fn until(&mut self, text: &str) -> String {
        loop {
            let frame = self.next().await;
            if frame.contains(text) {
                return frame;
            }
        }
    }
}
