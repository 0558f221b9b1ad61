//! The task that reads a client's WebSocket.

use std::{
    cell::RefCell,
    io::{self, ErrorKind, Read},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use socket2::SockRef;
use tokio::{io::Interest, net::TcpStream, time::timeout};

use super::{
    Engine, Hello, Incoming, Message,
    frames::{FrameReader, Received, Violation},
};
use crate::realtime::{
    connection::{CloseReason, Connection, Readable},
    queue::Runner,
    wire::{Opcode, Packet},
};

/// How much is read at a time, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// After how many reads other tasks get their turn.
const TURN: usize = 16;

/// How many events of a read are handled in place. The rest of a burst waits its turn in a task.
const IN_PLACE: usize = 4;

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

/// Reads what is there. A socket that gave less than there was room for is empty, and what comes next
/// is announced anew (epoll(7)): it need not be asked again.
fn try_read(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut all = None;
    let read = stream.try_io(Interest::READABLE, || {
        let count = (&*SockRef::from(stream)).read(buffer)?;
        if count == 0 || count == buffer.len() {
            return Ok(count);
        }
        all = Some(count);
        Err(ErrorKind::WouldBlock.into())
    });
    all.map_or(read, Ok)
}

impl WebSocket {
    pub fn new(stream: TcpStream, early: Vec<u8>, max_message: usize) -> Self {
        Self {
            stream: Arc::new(stream),
            frames: FrameReader::new(max_message),
            early,
        }
    }

    /// Begins a session; what is returned serves it to its end.
    pub fn serve_new(self, engine: &Engine, hello: &Hello, incoming: Box<dyn Incoming>) -> Serving {
        let connection = engine.begin(hello, incoming, Some(self.stream.clone()));
        self.serve(connection)
    }

    /// Takes a polling session over, once the client has probed the WebSocket.
    pub async fn serve_upgrade(mut self, engine: Engine, connection: Arc<Connection>) {
        let limit = engine.0.shared.options.upgrade_timeout;
        drop(engine);
        match timeout(limit, self.probe(&connection)).await {
            // In a task of its own, so that the waiting for this does not stay with it.
            Ok(true) => drop(tokio::spawn(self.serve(connection))),
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

    fn serve(self, connection: Arc<Connection>) -> Serving {
        let mut serving = Serving {
            stream: self.stream,
            frames: self.frames,
            connection,
        };
        let corked = serving.connection.cork();
        if let Err(reason) = serving.take(&self.early) {
            serving.connection.end(reason);
        }
        drop(corked);
        serving
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

/// Reads a session's WebSocket to its end. A future of its own: of a function's, most would be its
/// arguments' second place.
pub struct Serving {
    stream: Arc<TcpStream>,
    frames: FrameReader,
    connection: Arc<Connection>,
}

impl Future for Serving {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        for _ in 0..TURN {
            match ready!(this.connection.poll_readable(&this.stream, context)) {
                Readable::Ended => return Poll::Ready(()),
                Readable::Bytes => {}
            }
            if !this.read() {
                return Poll::Ready(());
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Serving {
    /// Takes up what is there, and writes what that leads to; whether the connection goes on.
    fn read(&mut self) -> bool {
        let corked = self.connection.cork();
        let taken = BUFFER.with_borrow_mut(|buffer| match try_read(&self.stream, buffer) {
            Ok(0) => Err(CloseReason::TransportClose),
            Ok(count) => self.take(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(_) => Err(CloseReason::TransportError),
        });
        // Before anything is written, which might fail for another reason.
        if let Err(reason) = taken {
            self.connection.end(reason);
        }
        drop(corked);
        taken.is_ok()
    }

    /// Hands on what the bytes hold.
    fn take(&mut self, bytes: &[u8]) -> Result<(), CloseReason> {
        let (mut rest, mut in_place) = (bytes, 0);
        loop {
            match self.frames.read(&mut rest) {
                Ok(Some(received)) => {
                    if let Some(runner) = self.hand_on(received)?
                        && in_place < IN_PLACE
                    {
                        in_place += 1;
                        runner.run_here();
                    }
                }
                Ok(None) => return Ok(()),
                Err(Violation::TooBig) => return Err(CloseReason::PayloadTooLarge),
                Err(Violation::Protocol | Violation::Utf8) => return Err(CloseReason::ParseError),
            }
        }
    }

    fn hand_on(&self, received: Received) -> Result<Option<Runner>, CloseReason> {
        let connection = &self.connection;
        match received {
            Received::Text(text) => connection.packet(text),
            Received::Binary(bytes) => connection.binary(bytes),
            Received::OversizedText(mut begin) => {
                if begin.first() != Some(&b'4') {
                    return Err(CloseReason::ParseError);
                }
                begin.remove(0);
                connection.receive(Message::OversizedText(begin))
            }
            Received::OversizedBinary => connection.receive(Message::OversizedBinary),
            Received::Ping(data) => {
                connection.answer(&Packet::frame(Opcode::Pong, &[&data]));
                Ok(None)
            }
            Received::Close => Err(CloseReason::TransportClose),
        }
    }
}
