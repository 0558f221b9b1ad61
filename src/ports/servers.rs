//! The servers of a cluster as a program may use them: those of Node and Roomcast's own nodes.

use std::time::Duration;

use async_trait::async_trait;
use rmpv::Value;
use serde::{Deserialize, Serialize};

use crate::domain::{Args, Room};

/// Whom something is for: the sockets in one of these rooms, or all where none is named, without those
/// in the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whom {
    /// The rooms.
    pub rooms: Vec<Room>,
    /// The rooms whose sockets are left out.
    pub except: Vec<Room>,
}

impl Whom {
    /// The sockets of a room.
    pub fn room(room: Room) -> Self {
        let (rooms, except) = (vec![room], Vec::new());
        Self { rooms, except }
    }
}

/// What is done with sockets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SocketsMove {
    /// They come into rooms.
    Join {
        /// The rooms.
        rooms: Vec<Room>,
    },
    /// They leave rooms.
    Leave {
        /// The rooms.
        rooms: Vec<Room>,
    },
    /// They end.
    Disconnect {
        /// And the client's sockets of other namespaces with them.
        close: bool,
    },
}

/// What is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The socket.
    Socket,
    /// Its connection, with the client's sockets of other namespaces.
    Connection,
}

/// A socket of any server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundSocket {
    /// Its id.
    pub id: String,
    /// The rooms that it is in.
    pub rooms: Vec<String>,
    /// What its server keeps of it: `socket.data`.
    pub data: Value,
    /// How it came.
    pub handshake: Value,
}

/// What servers or clients have answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Gathered<T> {
    /// What came in time.
    pub found: Vec<T>,
    /// Whether all have answered.
    pub is_complete: bool,
}

/// The servers of the cluster, this one among them.
#[async_trait]
pub trait Servers: Send + Sync + 'static {
    /// This node's name.
    fn node(&self) -> &str;

    /// How many servers there are, this one among them.
    async fn count(&self, namespace: &str) -> usize;

    /// Sockets of all servers.
    async fn fetch(&self, namespace: &str, whom: &Whom) -> Gathered<FoundSocket>;

    /// Lets sockets of all servers join rooms.
    fn join(&self, namespace: &str, whom: &Whom, rooms: &[Room]);

    /// Lets them leave rooms.
    fn leave(&self, namespace: &str, whom: &Whom, rooms: &[Room]);

    /// Ends them.
    fn disconnect(&self, namespace: &str, whom: &Whom, ended: Ended);

    /// Sends an event to sockets of all servers, and gathers the first argument of each ack.
    async fn ask(
        &self,
        namespace: &str,
        whom: &Whom,
        event: (&str, Args),
        within: Duration,
    ) -> Gathered<Value>;

    /// Tells the other servers an event (`serverSideEmit`).
    fn tell(&self, namespace: &str, event: (&str, Args));

    /// The same, and gathers what they answer.
    async fn call(&self, namespace: &str, event: (&str, Args)) -> Gathered<Value>;
}
