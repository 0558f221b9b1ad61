//! The task that reads a client's WebSocket.

use std::{cell::RefCell, future::poll_fn, io::ErrorKind, sync::Arc};

use tokio::{net::TcpStream, time::timeout};

use super::{
    Engine, Hello, Incoming, Message,
    frames::{FrameReader, Received, Violation},
};
use crate::realtime::{
    connection::{CloseReason, Connection, Readable},
    wire::{Opcode, Packet},
};

/// How much is read at a time, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// After how many reads other tasks get their turn.
const TURN: usize = 16;

thread_local! {
    /// What is read is taken up at once, so that all connections of a thread share a buffer.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// A WebSocket after its handshake.
pub struct WebSocket {
    stream: Arc<TcpStream>,
    frames: FrameReader,
    /// What came together with the handshake.
    early: Vec<u8>,
}

/// What reading led to.
enum Read {
    /// All there was.
    Dry,
    /// Some; more may be there.
    Some,
}

impl WebSocket {
    pub fn new(stream: TcpStream, early: Vec<u8>, max_message: usize) -> Self {
        Self {
            stream: Arc::new(stream),
            frames: FrameReader::new(max_message),
            early,
        }
    }

    /// Begins a session and serves it to its end.
    pub async fn serve_new(self, engine: Engine, hello: Hello, incoming: Box<dyn Incoming>) {
        let connection = engine.begin(&hello, incoming, Some(self.stream.clone()));
        drop(engine);
        // The handshake goes out with the session's first read at the latest.
        self.serve(connection).await;
    }

    /// Takes a polling session over, once the client has probed the WebSocket.
    pub async fn serve_upgrade(mut self, engine: Engine, connection: Arc<Connection>) {
        let limit = engine.0.shared.options.upgrade_timeout;
        drop(engine);
        match timeout(limit, self.probe(&connection)).await {
            Ok(true) => self.serve(connection).await,
            Ok(false) | Err(_) => {
                connection.abandon_upgrade();
                self.close(CloseReason::ParseError);
            }
        }
    }

    /// Waits for the client's probe, answers it, and waits for its word to go over; whether it
    /// gave it. What follows that word in the same bytes belongs to the session.
    async fn probe(&mut self, connection: &Arc<Connection>) -> bool {
        let mut probed = false;
        loop {
            let received = match self.next_received(connection).await {
                Ok(received) => received,
                Err(_) => return false,
            };
            match received {
                Received::Text(text) if text == "2probe" && !probed => {
                    probed = true;
                    let answer = Packet::control('3', "probe");
                    if self.stream.try_write(answer.from_byte(0)).is_err()
                        || connection.begin_upgrade().is_err()
                    {
                        return false;
                    }
                }
                Received::Text(text) if text == "5" && probed => {
                    connection.upgrade(&self.stream);
                    return true;
                }
                Received::Ping(data) => {
                    let pong = Packet::frame(Opcode::Pong, &[&data]);
                    if self.stream.try_write(pong.from_byte(0)).is_err() {
                        return false;
                    }
                }
                _ => return false,
            }
        }
    }

    /// The next message before the WebSocket belongs to the session.
    async fn next_received(&mut self, connection: &Connection) -> Result<Received, CloseReason> {
        loop {
            let mut early = std::mem::take(&mut self.early);
            let mut rest = &early[..];
            let received = self.frames.read(&mut rest);
            let used = early.len() - rest.len();
            early.drain(..used);
            self.early = early;
            if let Some(received) = received.map_err(|_| CloseReason::ParseError)? {
                return Ok(received);
            }
            self.stream
                .readable()
                .await
                .map_err(|_| CloseReason::TransportError)?;
            if connection.has_ended() {
                return Err(CloseReason::TransportClose);
            }
            let mut bytes = [0; 1_024];
            match self.stream.try_read(&mut bytes) {
                Ok(0) => return Err(CloseReason::TransportClose),
                Ok(count) => self.early.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return Err(CloseReason::TransportError),
            }
        }
    }

    async fn serve(mut self, connection: Arc<Connection>) {
        let early = std::mem::take(&mut self.early);
        if let Err(reason) = self.take(&connection, &early) {
            return connection.end(reason);
        }
        drop(early);
        let mut reads = 0;
        loop {
            let readable = poll_fn(|cx| connection.poll_readable(&self.stream, cx)).await;
            if readable == Readable::Ended {
                return;
            }
            match self.read(&connection) {
                Ok(Read::Dry) => reads = 0,
                Ok(Read::Some) => reads += 1,
                Err(reason) => return connection.end(reason),
            }
            if reads == TURN {
                reads = 0;
                tokio::task::yield_now().await;
            }
        }
    }

    fn read(&mut self, connection: &Arc<Connection>) -> Result<Read, CloseReason> {
        BUFFER.with_borrow_mut(|buffer| match self.stream.try_read(buffer) {
            Ok(0) => Err(CloseReason::TransportClose),
            Ok(count) => self.take(connection, &buffer[..count]).map(|()| Read::Some),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Read::Dry),
            Err(_) => Err(CloseReason::TransportError),
        })
    }

    /// Hands on what the bytes hold.
    fn take(&mut self, connection: &Arc<Connection>, bytes: &[u8]) -> Result<(), CloseReason> {
        let mut rest = bytes;
        loop {
            let received = match self.frames.read(&mut rest) {
                Ok(Some(received)) => received,
                Ok(None) => return Ok(()),
                Err(Violation::TooBig) => return Err(CloseReason::PayloadTooLarge),
                Err(Violation::Protocol | Violation::Utf8) => return Err(CloseReason::ParseError),
            };
            match received {
                Received::Text(text) => connection.packet(text)?,
                Received::Binary(bytes) => connection.binary(bytes)?,
                Received::OversizedText(mut begin) => {
                    if begin.first() != Some(&b'4') {
                        return Err(CloseReason::ParseError);
                    }
                    begin.remove(0);
                    connection.receive(Message::OversizedText(begin))?;
                }
                Received::OversizedBinary => connection.receive(Message::OversizedBinary)?,
                Received::Ping(data) => connection.answer(&Packet::frame(Opcode::Pong, &[&data])),
                Received::Close => return Err(CloseReason::TransportClose),
            }
        }
    }

    /// Ends a WebSocket whose session goes on elsewhere.
    pub fn refuse(self) {
        self.close(CloseReason::TransportClose);
    }

    /// Ends a WebSocket that belongs to no session.
    fn close(&self, reason: CloseReason) {
        let close = reason.close_frame();
        if let Err(error) = self.stream.try_write(close.from_byte(0)) {
            tracing::trace!(%error, "a WebSocket ended without a Close frame");
        }
    }
}
