//! Many clients in one thread: raw WebSockets that have signed in, and lines for requests.

use std::{
    io::{ErrorKind, Read},
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};
use socket2::{Domain, Socket, Type};

pub use crate::client::Heard;
use crate::{
    Outcome,
    client::{Client, is_passing},
    wire,
};

/// How long nothing may happen while something is waited for.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// How many are about to connect, or to be answered, at a time.
const AT_ONCE: usize = 50;
const TURN: Duration = Duration::from_millis(50);
const READ_BYTES: usize = 256 * 1_024;
const EVENTS: usize = 4_096;
/// So that ports do not run out.
const CLIENTS_PER_ADDRESS: usize = 5_000;

/// Clients, known by the order in which they came.
pub struct Crowd {
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
    ready: usize,
    /// Who has something to write.
    dirty: Vec<usize>,
    buffer: Vec<u8>,
    bytes: u64,
}

impl Crowd {
    pub fn new() -> Outcome<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS),
            clients: Vec::new(),
            ready: 0,
            dirty: Vec::new(),
            buffer: vec![0; READ_BYTES],
            bytes: 0,
        })
    }

    /// All bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Connects one client for each of these and signs it in.
    pub fn connect(&mut self, clients: &[(SocketAddr, String)]) -> Outcome<()> {
        let wanted = self.ready + clients.len();
        let mut coming = clients.iter();
        while self.ready < wanted {
            while self.clients.len() - self.ready < AT_ONCE {
                let Some((address, token)) = coming.next() else {
                    break;
                };
                let stream = self.open(*address)?;
                let client = Client::socket(stream, *address, token.clone());
                self.dirty.push(self.clients.len());
                self.clients.push(client);
            }
            self.wait("clients connect", |_, _| {})?;
        }
        Ok(())
    }

    /// Has each of the first clients send its packet with the ack id 0; all must be granted.
    pub fn ask_all(&mut self, packets: &[String]) -> Outcome<()> {
        let (mut asked, mut granted, mut refused) = (0, 0, None);
        while granted < packets.len() {
            while asked < packets.len() && asked - granted < AT_ONCE {
                self.say(asked, packets[asked].as_bytes());
                asked += 1;
            }
            self.wait("clients ask", |_, heard| {
                let Heard::Packet([b'4', b'3', b'0', ack @ ..]) = heard else {
                    return;
                };
                if ack.starts_with(b"[{\"ok\":true") {
                    granted += 1;
                } else {
                    refused = Some(String::from_utf8_lossy(ack).into_owned());
                }
            })?;
            if let Some(why) = refused {
                return Err(format!("refused: {why}").into());
            }
        }
        Ok(())
    }

    /// Opens a connection for requests.
    pub fn line(&mut self, address: SocketAddr) -> Outcome<usize> {
        let stream = self.open(address)?;
        self.clients.push(Client::line(stream));
        self.ready += 1;
        Ok(self.clients.len() - 1)
    }

    /// Opens the connection of the next client.
    fn open(&mut self, address: SocketAddr) -> Outcome<TcpStream> {
        let number = self.clients.len();
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        let address_number = u8::try_from(number / CLIENTS_PER_ADDRESS)?;
        if address_number > 0 {
            let source = Ipv4Addr::new(127, 0, 0, 1 + address_number);
            socket.bind(&SocketAddr::from((source, 0)).into())?;
        }
        let connected = socket.connect(&address.into());
        if let Err(error) = connected
            && error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error())
        {
            return Err(error.into());
        }
        let mut stream = TcpStream::from_std(socket.into());
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        registry.register(&mut stream, Token(number), interest)?;
        Ok(stream)
    }

    /// Sends a packet, at the next turn.
    pub fn say(&mut self, client: usize, packet: &[u8]) {
        self.put(client, |output| wire::put_masked(output, packet));
    }

    /// Sends a request, at the next turn.
    pub fn request(&mut self, client: usize, request: &[u8]) {
        self.put(client, |output| output.extend_from_slice(request));
    }

    fn put(&mut self, client: usize, put: impl FnOnce(&mut Vec<u8>)) {
        let output = &mut self.clients[client].output;
        if output.is_empty() {
            self.dirty.push(client);
        }
        put(output);
    }

    /// Turns until something was heard; fails when that takes too long.
    pub fn wait(&mut self, what: &str, mut hear: impl FnMut(usize, Heard<'_>)) -> Outcome<()> {
        let began = Instant::now();
        while !self.turn(TURN, &mut hear)? {
            if began.elapsed() > PATIENCE {
                return Err(format!("nothing happens while {what}").into());
            }
        }
        Ok(())
    }

    /// Turns until nobody has heard anything for so long.
    pub fn settle(&mut self, silence: Duration) -> Outcome<()> {
        let began = Instant::now();
        let mut heard_at = began;
        while heard_at.elapsed() < silence {
            if self.turn(TURN, &mut |_, _| {})? {
                heard_at = Instant::now();
            }
            if began.elapsed() > PATIENCE + silence {
                return Err("the server does not come to rest".into());
            }
        }
        Ok(())
    }

    /// Writes what waits and reads what is there, after this long at most; whether something was.
    pub fn turn(
        &mut self,
        wait: Duration,
        hear: &mut impl FnMut(usize, Heard<'_>),
    ) -> Outcome<bool> {
        for client in std::mem::take(&mut self.dirty) {
            self.clients[client].flush()?;
        }
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        if let Err(error) = self.poll.poll(&mut events, Some(wait))
            && error.kind() != ErrorKind::Interrupted
        {
            return Err(error.into());
        }
        let mut has_heard = false;
        for event in &events {
            let client = event.token().0;
            if event.is_writable() {
                self.clients[client].flush()?;
            }
            if event.is_readable() {
                has_heard |= self.read(client, hear)?;
            }
        }
        self.events = events;
        Ok(has_heard)
    }

    fn read(&mut self, number: usize, hear: &mut impl FnMut(usize, Heard<'_>)) -> Outcome<bool> {
        let client = &mut self.clients[number];
        let (was_ready, was_clean) = (client.is_ready(), client.output.is_empty());
        let mut has_heard = false;
        loop {
            let count = match client.stream.read(&mut self.buffer) {
                Ok(0) => return Err(format!("client {number} was disconnected").into()),
                Ok(count) => count,
                Err(error) if is_passing(&error) => break,
                Err(error) => return Err(error.into()),
            };
            has_heard = true;
            self.bytes += count as u64;
            client.take(&self.buffer[..count], &mut |heard| hear(number, heard))?;
            // It has given all that it had.
            if count < self.buffer.len() {
                break;
            }
        }
        if client.is_ready() && !was_ready {
            self.ready += 1;
        }
        if was_clean && !client.output.is_empty() {
            self.dirty.push(number);
        }
        Ok(has_heard)
    }
}
