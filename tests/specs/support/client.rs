//! Socket.IO v5 over WebSocket, as much of it as the specifications need.

use std::{collections::VecDeque, net::SocketAddr};

use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::mpsc, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Bytes, Message},
};

use super::PATIENCE;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The server's `connect_error`: its message, and the code in its data.
#[derive(Debug)]
pub struct Refused(pub String, pub String);

/// What came from the server.
#[derive(Debug)]
enum Received {
    Event(String, Vec<Value>),
    Ack(u64, Vec<Value>),
    Refused(Refused),
    Connected,
    Disconnected,
}

/// A connected client.
pub struct Client {
    /// `socket.id`, as the server said in `socket-id`.
    pub id: String,
    namespace: String,
    out: SplitSink<Socket, Message>,
    received: mpsc::UnboundedReceiver<Received>,
    events: VecDeque<(String, Vec<Value>)>,
    acks: Vec<(u64, Vec<Value>)>,
    next_ack: u64,
    ended: bool,
    reader: tokio::task::AbortHandle,
}

impl Client {
    pub async fn connect(
        address: SocketAddr,
        namespace: &str,
        token: &str,
    ) -> Result<Self, Refused> {
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let (socket, _) = connect_async(url).await.unwrap();
        let (out, incoming) = socket.split();
        let (sender, received) = mpsc::unbounded_channel();
        // Tests are shorter than the ping interval: pings need no answer.
        let reader = tokio::spawn(read(incoming, sender)).abort_handle();
        let mut client = Self {
            id: String::new(),
            namespace: match namespace {
                "/" => String::new(),
                other => format!("{other},"),
            },
            out,
            received,
            events: VecDeque::new(),
            acks: Vec::new(),
            next_ack: 0,
            ended: false,
            reader,
        };
        let auth = match token {
            "" => json!({}),
            token => json!({ "token": token }),
        };
        client.send(format!("40{}{auth}", client.namespace)).await;
        match client.receive().await {
            Received::Connected => {}
            Received::Refused(refused) => return Err(refused),
            other => panic!("{other:?} before the connection"),
        }
        if namespace == "/" {
            let id = client.expect("socket-id").await;
            client.id = id.as_str().unwrap().to_owned();
        }
        Ok(client)
    }

    /// Sends an event without an ack.
    pub async fn emit(&mut self, event: &str, argument: impl Into<Value>) {
        let packet = json!([event, argument.into()]);
        self.send(format!("42{}{packet}", self.namespace)).await;
    }

    /// Sends an event with these arguments and asks for an ack; its number.
    pub async fn ask(&mut self, event: &str, arguments: &[Value]) -> u64 {
        self.next_ack += 1;
        let id = self.next_ack;
        let mut packet = vec![json!(event)];
        packet.extend_from_slice(arguments);
        let packet = Value::from(packet);
        self.send(format!("42{}{id}{packet}", self.namespace)).await;
        id
    }

    /// Sends an event with one binary attachment at `$placeholder` and asks for an ack.
    pub async fn ask_with_binary(&mut self, event: &str, argument: Value, binary: Vec<u8>) -> u64 {
        self.next_ack += 1;
        let id = self.next_ack;
        let packet = json!([event, argument]);
        self.send(format!("451-{id}{packet}")).await;
        self.out.send(Message::Binary(binary.into())).await.unwrap();
        id
    }

    /// Waits for the ack with this number.
    pub async fn ack(&mut self, id: u64) -> Value {
        loop {
            if let Some(at) = self.acks.iter().position(|(other, _)| *other == id) {
                return self
                    .acks
                    .swap_remove(at)
                    .1
                    .into_iter()
                    .next()
                    .unwrap_or_default();
            }
            match self.receive().await {
                Received::Ack(id, args) => self.acks.push((id, args)),
                Received::Event(name, args) => self.events.push_back((name, args)),
                other => panic!("{other:?} instead of an ack"),
            }
        }
    }

    /// Sends an event and waits for its ack.
    pub async fn call(&mut self, event: &str, argument: impl Into<Value>) -> Value {
        let id = self.ask(event, &[argument.into()]).await;
        self.ack(id).await
    }

    /// Sends an event and waits for its ack, which must be a success.
    pub async fn ok(&mut self, event: &str, argument: impl Into<Value>) -> Value {
        let ack = self.call(event, argument).await;
        assert_eq!(ack["ok"], true, "{event}: {ack}");
        ack
    }

    /// Sends an event and waits for its ack, which must be a failure with this code.
    pub async fn fails(&mut self, event: &str, argument: impl Into<Value>, code: &str) -> Value {
        let ack = self.call(event, argument).await;
        assert_eq!(ack["ok"], false, "{event}: {ack}");
        assert_eq!(ack["code"], code, "{event}: {ack}");
        ack
    }

    /// Waits for an event and returns its first argument; others that come before it are skipped.
    pub async fn expect(&mut self, name: &str) -> Value {
        loop {
            let (event, mut args) = self.next_event().await;
            if event == name {
                return if args.is_empty() {
                    Value::Null
                } else {
                    args.swap_remove(0)
                };
            }
        }
    }

    /// The names and first arguments of the events that come up to the answer of a question asked
    /// now: what is not among them was not sent before.
    pub async fn events_until_now(&mut self) -> Vec<(String, Value)> {
        self.call("presence:get", json!([])).await;
        let events = self.events.drain(..);
        events
            .map(|(name, args)| (name, args.into_iter().next().unwrap_or_default()))
            .collect()
    }

    /// Fails when the event has come or comes before the answer of a question asked now.
    pub async fn never_heard(&mut self, name: &str) {
        let events = self.events_until_now().await;
        assert!(events.iter().all(|(event, _)| event != name), "{events:?}");
    }

    /// Sends an event again and again, until the server ends the connection.
    pub async fn flood(&mut self, event: &str) {
        let frame = format!("42{}{}", self.namespace, json!([event, []]));
        let began = tokio::time::Instant::now();
        while self
            .out
            .send(Message::Text(frame.clone().into()))
            .await
            .is_ok()
        {
            assert!(began.elapsed() < PATIENCE, "the server takes everything");
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the user is offline, by what this client hears of presence.
    pub async fn until_offline(&mut self, user: &str) {
        loop {
            let changed = self.expect("presence:changed").await;
            if changed["userId"] == user && changed["status"] == "offline" {
                return;
            }
        }
    }

    /// Waits until the server has ended the connection.
    pub async fn ended(&mut self) {
        while !matches!(self.receive().await, Received::Disconnected) {}
    }

    /// Says goodbye, as `socket.disconnect()` does.
    pub async fn goodbye(mut self) {
        self.send("41".to_owned()).await;
    }

    /// Drops the transport without a word.
    pub fn vanish(self) {}

    /// Sends an Engine.IO text frame.
    pub async fn send(&mut self, frame: String) {
        self.out.send(Message::Text(frame.into())).await.unwrap();
    }

    async fn next_event(&mut self) -> (String, Vec<Value>) {
        if let Some(event) = self.events.pop_front() {
            return event;
        }
        loop {
            match self.receive().await {
                Received::Event(name, args) => return (name, args),
                Received::Ack(id, args) => self.acks.push((id, args)),
                // Another namespace over the same transport.
                Received::Connected => {}
                other => panic!("{other:?} instead of an event"),
            }
        }
    }

    async fn receive(&mut self) -> Received {
        assert!(!self.ended, "the connection has ended");
        let received = timeout(PATIENCE, self.received.recv()).await;
        let received = received.expect("nothing came in time");
        let received = received.unwrap_or(Received::Disconnected);
        self.ended = matches!(received, Received::Disconnected);
        received
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn read(
    mut incoming: futures_util::stream::SplitStream<Socket>,
    out: mpsc::UnboundedSender<Received>,
) {
    let mut binary: Option<(Received, usize, Vec<Bytes>)> = None;
    while let Some(Ok(message)) = incoming.next().await {
        let received = match message {
            Message::Text(text) => match parse(&text) {
                Some((received, 0)) => received,
                Some((received, count)) => {
                    binary = Some((received, count, Vec::new()));
                    continue;
                }
                None => continue,
            },
            Message::Binary(bytes) => {
                let (received, count, mut parts) = binary.take().unwrap();
                parts.push(bytes);
                if parts.len() < count {
                    binary = Some((received, count, parts));
                    continue;
                }
                filled(received, &parts)
            }
            _ => continue,
        };
        if out.send(received).is_err() {
            return;
        }
    }
}

/// A packet and how many binaries follow it.
fn parse(frame: &str) -> Option<(Received, usize)> {
    let packet = frame.strip_prefix('4')?;
    let (kind, rest) = packet.split_at(1);
    let (binaries, rest) = match kind {
        "5" | "6" => rest
            .split_once('-')
            .map(|(n, rest)| (n.parse().unwrap(), rest))?,
        _ => (0, rest),
    };
    let rest = match rest.strip_prefix('/') {
        Some(named) => named.split_once(',').map_or("", |(_, rest)| rest),
        None => rest,
    };
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (id, data) = rest.split_at(digits);
    let args = || serde_json::from_str::<Vec<Value>>(data).unwrap();
    let received = match kind {
        "0" => Received::Connected,
        "1" => Received::Disconnected,
        "4" => {
            let error: Value = serde_json::from_str(data).unwrap();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            Received::Refused(Refused(
                text(&error["message"]),
                text(&error["data"]["code"]),
            ))
        }
        "2" | "5" => {
            let mut args = args();
            let name = args.remove(0).as_str().unwrap().to_owned();
            Received::Event(name, args)
        }
        "3" | "6" => Received::Ack(id.parse().unwrap(), args()),
        other => panic!("packet type {other}"),
    };
    Some((received, binaries))
}

/// Puts `{"binary": [bytes]}` where the packet has placeholders.
fn filled(received: Received, parts: &[Bytes]) -> Received {
    fn fill(value: &mut Value, parts: &[Bytes]) {
        match value {
            Value::Object(map) if map.contains_key("_placeholder") => {
                let at = usize::try_from(map["num"].as_u64().unwrap()).unwrap();
                *value = json!({ "binary": parts[at].to_vec() });
            }
            Value::Object(map) => map.values_mut().for_each(|value| fill(value, parts)),
            Value::Array(list) => list.iter_mut().for_each(|value| fill(value, parts)),
            _ => {}
        }
    }
    match received {
        Received::Event(name, mut args) => {
            args.iter_mut().for_each(|arg| fill(arg, parts));
            Received::Event(name, args)
        }
        Received::Ack(id, mut args) => {
            args.iter_mut().for_each(|arg| fill(arg, parts));
            Received::Ack(id, args)
        }
        other => other,
    }
}
