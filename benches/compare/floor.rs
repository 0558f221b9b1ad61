//! The floor: what it costs to read the same requests and to write the same bytes to the same
//! sockets, by a program that does nothing else. All that a turn has for a client is one write.

use std::{
    collections::HashMap,
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
};

use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};

use crate::{
    Outcome,
    client::is_passing,
    floor_words as words,
    wire::{self, WEBSOCKET_ACCEPT},
};

const LISTENER: Token = Token(usize::MAX);
const READ_BYTES: usize = 256 * 1_024;
const EVENTS: usize = 4_096;

struct Client {
    stream: TcpStream,
    is_upgraded: bool,
    user: String,
    begun: Vec<u8>,
    output: Vec<u8>,
}

/// What becomes of a broadcast for one member of the room.
#[allow(dead_code)] // Tests choose by it.
pub struct Delivery<'a> {
    pub member: usize,
    /// Broadcasts are numbered 0, 1, 2, …
    pub number: u64,
    pub frame: &'a [u8],
    /// What is written to the member at the end of the turn.
    pub output: &'a mut Vec<u8>,
}

/// As it should be; tests have other ways.
pub fn deliver(delivery: &mut Delivery<'_>) {
    delivery.output.extend_from_slice(delivery.frame);
}

pub struct Floor<D> {
    poll: Poll,
    listener: TcpListener,
    /// Those who have gone leave their places.
    clients: Vec<Option<Client>>,
    rooms: HashMap<String, Vec<usize>>,
    dirty: Vec<usize>,
    sent: u64,
    deliver: D,
}

impl<D: FnMut(&mut Delivery<'_>)> Floor<D> {
    pub fn bind(deliver: D) -> Outcome<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            clients: Vec::new(),
            rooms: HashMap::new(),
            dirty: Vec::new(),
            sent: 0,
            deliver,
        })
    }

    pub fn address(&self) -> Outcome<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Serves for ever.
    pub fn run(mut self) -> Outcome<()> {
        let mut events = Events::with_capacity(EVENTS);
        let mut buffer = vec![0; READ_BYTES];
        loop {
            if let Err(error) = self.poll.poll(&mut events, None)
                && error.kind() != ErrorKind::Interrupted
            {
                return Err(error.into());
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    Token(number) => self.serve(number, &mut buffer)?,
                }
            }
            for number in std::mem::take(&mut self.dirty) {
                self.flush(number);
            }
        }
    }

    fn accept(&mut self) -> Outcome<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if is_passing(&error) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            stream.set_nodelay(true)?;
            let number = self.clients.len();
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll
                .registry()
                .register(&mut stream, Token(number), interest)?;
            self.clients.push(Some(Client {
                stream,
                is_upgraded: false,
                user: format!("user-{number}"),
                begun: Vec::new(),
                output: Vec::new(),
            }));
        }
    }

    fn flush(&mut self, number: usize) {
        let Some(client) = &mut self.clients[number] else {
            return;
        };
        while !client.output.is_empty() {
            match client.stream.write(&client.output) {
                Ok(count) => drop(client.output.drain(..count)),
                Err(error) if is_passing(&error) => return,
                Err(_) => return self.clients[number] = None,
            }
        }
    }

    fn serve(&mut self, number: usize, buffer: &mut [u8]) -> Outcome<()> {
        self.flush(number);
        while let Some(client) = &mut self.clients[number] {
            match client.stream.read(buffer) {
                Ok(count @ 1..) => {
                    self.take(number, &buffer[..count])?;
                    if count < buffer.len() {
                        break;
                    }
                }
                Err(error) if is_passing(&error) => break,
                Ok(0) | Err(_) => self.clients[number] = None,
            }
        }
        Ok(())
    }

    fn take(&mut self, number: usize, bytes: &[u8]) -> Outcome<()> {
        let Some(client) = &mut self.clients[number] else {
            return Ok(());
        };
        let mut begun = std::mem::take(&mut client.begun);
        let mut left = bytes;
        if !begun.is_empty() {
            begun.extend_from_slice(bytes);
            left = &begun;
        }
        while let Some(rest) = self.request(number, left)? {
            left = rest;
        }
        if let Some(client) = &mut self.clients[number] {
            client.begun = left.to_vec();
        }
        Ok(())
    }

    /// Does what these bytes begin with, if it is all there; what comes after.
    fn request<'a>(&mut self, number: usize, bytes: &'a [u8]) -> Outcome<Option<&'a [u8]>> {
        let is_upgraded = self.clients[number]
            .as_ref()
            .is_some_and(|client| client.is_upgraded);
        if is_upgraded {
            let Some((text, rest)) = wire::frame(bytes)? else {
                return Ok(None);
            };
            self.packet(number, text);
            return Ok(Some(rest));
        }
        let Some((head, rest)) = wire::head(bytes) else {
            return Ok(None);
        };
        let Some((body, rest)) = rest.split_at_checked(wire::body_length(head)?) else {
            return Ok(None);
        };
        if head.starts_with(b"POST /api/driver/") {
            let (room, packet) = words::position(head, body);
            self.broadcast(&room, &packet);
            self.put(number, words::answer("204 No Content").as_bytes());
        } else if head.starts_with(b"POST /api/emit") {
            let (room, packet) = words::emit(body);
            self.broadcast(&room, &packet);
            self.put(number, words::answer("202 Accepted").as_bytes());
        } else {
            self.upgrade(number);
        }
        Ok(Some(rest))
    }

    fn upgrade(&mut self, number: usize) {
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {WEBSOCKET_ACCEPT}\r\n\r\n"
        );
        self.put(number, answer.as_bytes());
        self.text(number, b"0{\"sid\":\"floor\"}");
        if let Some(client) = &mut self.clients[number] {
            client.is_upgraded = true;
        }
    }

    fn packet(&mut self, number: usize, packet: &[u8]) {
        let (ack, event) = match packet {
            [b'4', b'0', ..] => return self.text(number, b"40{\"sid\":\"floor\"}"),
            [b'4', b'2', rest @ ..] => wire::digits(rest),
            _ => return,
        };
        let answer = if event.starts_with(b"[\"message:send\"") {
            let user = self.clients[number]
                .as_ref()
                .map_or("", |client| &client.user);
            let (room, message) = words::message(event, user, self.sent + 1);
            self.broadcast(&room, &format!("42[\"message:new\",{message}]"));
            format!("43{ack}[{{\"ok\":true,\"message\":{message}}}]")
        } else if event.starts_with(b"[\"presence:get\"") {
            format!("43{ack}[{{\"ok\":true,\"presence\":{{}}}}]")
        } else {
            self.rooms
                .entry(words::entered(event))
                .or_default()
                .push(number);
            format!("43{ack}[{{\"ok\":true}}]")
        };
        self.text(number, answer.as_bytes());
    }

    fn broadcast(&mut self, room: &str, packet: &str) {
        let mut frame = Vec::new();
        wire::put_text(&mut frame, packet.as_bytes());
        let members = self.rooms.remove(room).unwrap_or_default();
        for member in &members {
            let Some(client) = &mut self.clients[*member] else {
                continue;
            };
            if client.output.is_empty() {
                self.dirty.push(*member);
            }
            (self.deliver)(&mut Delivery {
                member: *member,
                number: self.sent,
                frame: &frame,
                output: &mut client.output,
            });
        }
        self.rooms.insert(room.to_owned(), members);
        self.sent += 1;
    }

    fn text(&mut self, number: usize, text: &[u8]) {
        let mut frame = Vec::new();
        wire::put_text(&mut frame, text);
        self.put(number, &frame);
    }

    /// Writes this at the end of the turn.
    fn put(&mut self, number: usize, bytes: &[u8]) {
        let Some(client) = &mut self.clients[number] else {
            return;
        };
        if client.output.is_empty() {
            self.dirty.push(number);
        }
        client.output.extend_from_slice(bytes);
    }
}
