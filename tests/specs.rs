//! What users, backends and operators may rely on, over real sockets on free ports.

#![allow(clippy::unwrap_used, clippy::expect_used)] // What panics here is a failed test.

#[path = "specs/support.rs"]
mod support;

#[path = "specs/access.rs"]
mod access;
#[path = "specs/chat.rs"]
mod chat;
#[path = "specs/connecting.rs"]
mod connecting;
#[path = "specs/direct.rs"]
mod direct;
#[path = "specs/emits.rs"]
mod emits;
#[path = "specs/limits.rs"]
mod limits;
#[path = "specs/members.rs"]
mod members;
#[path = "specs/ops.rs"]
mod ops;
#[path = "specs/order.rs"]
mod order;
#[path = "specs/payments.rs"]
mod payments;
#[path = "specs/presence.rs"]
mod presence;
#[path = "specs/push.rs"]
mod push;
#[path = "specs/sessions.rs"]
mod sessions;
#[path = "specs/tidy.rs"]
mod tidy;
#[path = "specs/tracking.rs"]
mod tracking;
#[path = "specs/typing.rs"]
mod typing;
#[path = "specs/watch.rs"]
mod watch;
