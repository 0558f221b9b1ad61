//! One client: how it gets from a connection to a signed-in socket, and what it hears then.

use std::{
    io::{self, ErrorKind, Write},
    net::SocketAddr,
};

use mio::net::TcpStream;

use crate::{
    Outcome,
    wire::{self, WEBSOCKET_ACCEPT, WEBSOCKET_KEY},
};

/// What came to a client.
pub enum Heard<'a> {
    /// A Socket.IO packet, with the `4` of Engine.IO before it.
    Packet(&'a [u8]),
    /// The answer to a request, by its status.
    Answer(u16),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Upgrading,
    Opening,
    SigningIn,
    Ready,
    /// It speaks plain HTTP.
    Line,
}

pub struct Client {
    pub stream: TcpStream,
    phase: Phase,
    token: String,
    /// The beginning of what is not all there yet.
    begun: Vec<u8>,
    /// What waits to be written.
    pub output: Vec<u8>,
}

impl Client {
    /// One that asks for a WebSocket and then signs in with this token.
    pub fn socket(stream: TcpStream, address: SocketAddr, token: String) -> Self {
        let request = format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {address}\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: {WEBSOCKET_KEY}\r\n\r\n"
        );
        Self {
            phase: Phase::Upgrading,
            token,
            output: request.into_bytes(),
            ..Self::line(stream)
        }
    }

    /// One that sends requests.
    pub fn line(stream: TcpStream) -> Self {
        Self {
            stream,
            phase: Phase::Line,
            token: String::new(),
            begun: Vec::new(),
            output: Vec::new(),
        }
    }

    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready | Phase::Line)
    }

    /// Writes what waits, as far as it is taken.
    pub fn flush(&mut self) -> Outcome<()> {
        while !self.output.is_empty() {
            match self.stream.write(&self.output) {
                Ok(count) => drop(self.output.drain(..count)),
                Err(error) if is_passing(&error) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Takes what was read.
    pub fn take(&mut self, bytes: &[u8], hear: &mut impl FnMut(Heard<'_>)) -> Outcome<()> {
        if self.begun.is_empty() {
            let left = self.parse(bytes, hear)?;
            self.begun.extend_from_slice(left);
            return Ok(());
        }
        let mut begun = std::mem::take(&mut self.begun);
        begun.extend_from_slice(bytes);
        let left = self.parse(&begun, hear)?.len();
        begun.drain(..begun.len() - left);
        self.begun = begun;
        Ok(())
    }

    /// Takes what is complete; what is left.
    fn parse<'a>(
        &mut self,
        mut bytes: &'a [u8],
        hear: &mut impl FnMut(Heard<'_>),
    ) -> Outcome<&'a [u8]> {
        loop {
            let rest = match self.phase {
                Phase::Line => wire::answer(bytes)?.map(|(status, rest)| {
                    hear(Heard::Answer(status));
                    rest
                }),
                Phase::Upgrading => match wire::head(bytes) {
                    Some((head, rest)) => self.upgraded(head).map(|()| Some(rest))?,
                    None => None,
                },
                _ => match wire::frame(bytes)? {
                    Some((text, rest)) => self.packet(text, hear).map(|()| Some(rest))?,
                    None => None,
                },
            };
            match rest {
                Some(rest) => bytes = rest,
                None => return Ok(bytes),
            }
        }
    }

    fn upgraded(&mut self, head: &[u8]) -> Outcome<()> {
        let head = String::from_utf8_lossy(head);
        if !head.starts_with("HTTP/1.1 101 ") || !head.contains(WEBSOCKET_ACCEPT) {
            return Err(format!("no upgrade: {head}").into());
        }
        self.phase = Phase::Opening;
        Ok(())
    }

    fn packet(&mut self, text: &[u8], hear: &mut impl FnMut(Heard<'_>)) -> Outcome<()> {
        match (text, self.phase) {
            (b"2", _) => wire::put_masked(&mut self.output, b"3"),
            ([b'0', ..], Phase::Opening) => {
                let auth = format!("40{{\"token\":\"{}\"}}", std::mem::take(&mut self.token));
                wire::put_masked(&mut self.output, auth.as_bytes());
                self.phase = Phase::SigningIn;
            }
            ([b'4', b'0', ..], Phase::SigningIn) => self.phase = Phase::Ready,
            ([b'4', b'2' | b'3', ..], _) => hear(Heard::Packet(text)),
            _ => return Err(format!("unexpected: {}", String::from_utf8_lossy(text)).into()),
        }
        Ok(())
    }
}

/// Whether it can be tried again later.
pub fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::NotConnected
    )
}
