//! Roomcast: a Socket.IO-compatible realtime server. How to use it is in the [`guide`].
//!
//! # A tour
//! An event's way in: a packet arrives in [`realtime`], which keeps each socket's events in order
//! and within limits; [`events`] reads it into validated types; a service does the work and
//! asks its ports; the returned value becomes the ack. HTTP routes ([`http`]) enter at the same
//! services. The way out is one call, [`ports::Emitter::emit`].
//!
//! - [`domain`]: pure types and rules. [`ports`]: what services need from outside, one small trait
//!   each. [`services`]: what Roomcast does. None of them knows axum, socketioxide or a database.
//! - [`stores`]: the ports on SQLite or PostgreSQL, and in memory or Redis. [`wiring`] alone decides
//!   which is used.
//! - [`cluster`]: nodes that act as one. [`bridge`]: what workers publish on Redis. [`ecosystem`]:
//!   Node's servers and emitters on the same Redis. [`admin`]: what the Admin UI shows of it all.
//! - [`outgoing`]: what the server asks of others by HTTP: signed webhooks, backends that answer
//!   events ([`services::Forward`]) and are told of sockets, rooms and users
//!   ([`services::Webhooks`]), and Web Push.
//! - [`auth`]: tokens, keys and revocations → [`domain::Identity`].
//! - [`config`] and [`cli`]: every key is documented where it stands; `roomcast default-config`
//!   prints them.
//!
//! # Three classes of delivery
//! *Durable* (messages, notifications, orders, channels, outcomes of payments): an entry of a feed,
//! acknowledged when it is stored, delivered in `seq` order by the one task that reads commits.
//! One log has three readers, who see the same ids: sockets, event streams
//! ([`realtime::streams`]), and pages over HTTP, of one feed or of all that is a user's
//! ([`services::Sync`]). Push for users who are away reads the same log. *Latest* (positions, stock, presence): the newest
//! value wins. *Passing* (typing, joins, emits of backends): at most once.
//!
//! *Durable* entries that a slow reader cannot take stay in their feed; what a client missed while
//! its transport was gone comes from the namespace's log, or after a restart from the store.
//!
//! # Several nodes
//! Redis makes it fast, the database makes it right. PostgreSQL gives every entry of every feed one
//! position in the order of commits, with no gap; a node delivers an entry when it has delivered the
//! one before, whether Redis brought it or the database had it ([`cluster::Follower`]). What a node
//! knows of its devices stands in Redis under a lease; whatever comes into doubt is registered anew
//! under another one, and what a dead node had is taken, and told, by one of the others.
//!
//! # Where this departs from what one might expect
//! - Nodes do not talk by `socketioxide-redis`: its adapter keeps rooms of its own beside ours and
//!   resolves them to sockets before we see an event, while recovery needs the rooms; and it knows
//!   neither classes of delivery nor what a latest value is the value of. [`cluster`] tells what is
//!   encoded already, many events in one publication, and notices what it missed.
//! - Live delivery follows one position for all feeds, not the `seq` of each: a node that polls asks
//!   one question, whatever it has readers of.
//! - Of socketioxide only the packets and their parsers are used, in [`realtime::namespace`].
//!   Engine.IO, sessions, rooms and writing are ours: its own drop packets silently when a channel
//!   is full, let a socket's events overtake each other, and keep sockets that do not read as
//!   ghosts. Its namespaces under our own Engine.IO would take one in-memory WebSocket, three tasks
//!   and 14 KB a connection to hand on what the parser has read; without them an idle connection
//!   takes 4 KB instead of 31, and an acknowledged event about half the CPU time. Nothing is left to
//!   hibernate: a task of 384 bytes, an outbox, a session, and seats in two rooms.
//! - `socket.id` is a new one for each namespace and connection, as in Node's server; the session's
//!   id is another, and a secret.
//! - SQLite is driven by `rusqlite`, not by an async driver: one thread owns the writing
//!   connection and commits whatever waits as one transaction. An async driver crosses threads once
//!   a statement.
//! - Arguments are read from a packet's own text or MessagePack, not through socketioxide, whose
//!   reading loses binary below an `Option` or a newtype.
//! - The outcome of a payment is an entry of its user's feed for streams, pages and push; sockets
//!   hear it by a way of its own, since it is for the one that asked, and for others only when that
//!   has gone.
//! - A position counts the entries of all feeds. It is the cursor of `sync` and of recovery after a
//!   restart; retention never takes the newest entry, so that it only rises.
//! - A slow reader's socket is caught up from the store, a slow event stream is ended: its client
//!   comes back by itself, with the id of the last event that it has seen.
//! - A socket's events run one after another, but those that only append ([`realtime::Order`])
//!   overlap while they wait for their commit: one socket's burst shares commits, too. Their acks
//!   come in the order of the events.
//! - An event whose handler need not wait is handled by the task that has read it, which then writes
//!   what its client was sent meanwhile, unless it is the flusher's already: an ack needs no other
//!   task, and a quarter less of instructions.
//! - A request over HTTP runs in its connection's task and wakes no other: a future that wakes itself
//!   while it is polled is polled again at once, what all requests pass is one function around the
//!   router, and CORS is asked about pages alone. Whoever shows the same token again is known by it.
//! - On many cores several tasks write, each for its own connections; on two it is one.
//! - After writing to a crowd the flusher rests for as long as that took, at most 2 ms: a busy
//!   room's messages share writes, which are most of their price; a quiet room's are written at once.

pub mod admin;
pub mod auth;
pub mod bridge;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod domain;
pub mod ecosystem;
pub mod error;
pub mod events;
pub mod guide;
pub mod http;
pub mod outgoing;
pub mod ports;
pub mod realtime;
pub mod server;
pub mod services;
mod sparse;
pub mod stores;
pub mod telemetry;
pub mod webhook;
pub mod wiring;

pub use error::{Code, Error, Result};
pub use realtime::{Context, Event, namespace::Namespace};
pub use server::Server;
