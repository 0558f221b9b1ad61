//! Typing indicators: `typing:start`, `typing:stop`.

use serde::Deserialize;

use crate::{
    domain::RoomId,
    error::Result,
    realtime::{Context, Event},
};

/// `typing:start`.
#[derive(Deserialize)]
pub struct Start(RoomId);

impl Event for Start {
    const NAME: &'static str = "typing:start";
    type Reply = ();

    async fn handle(self, cx: Context) -> Result<()> {
        let (socket, user) = (cx.socket_id(), cx.user()?);
        cx.services().typing.start(socket, user, &self.0)
    }
}

/// `typing:stop`.
#[derive(Deserialize)]
pub struct Stop(RoomId);

impl Event for Stop {
    const NAME: &'static str = "typing:stop";
    type Reply = ();

    async fn handle(self, cx: Context) -> Result<()> {
        let (socket, user) = (cx.socket_id(), cx.user()?);
        cx.services().typing.stop(socket, user, &self.0)
    }
}
