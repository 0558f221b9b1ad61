//! Presence: `presence:update`, `presence:get`.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{
    domain::{Presence, Status, UserId},
    error::Result,
    realtime::{Context, Event},
};

/// `presence:update`.
#[derive(Deserialize)]
pub struct Update(Status);

impl Event for Update {
    const NAME: &'static str = "presence:update";
    type Reply = ();

    async fn handle(self, cx: Context) -> Result<()> {
        let user = &cx.user()?.id;
        cx.services().presence.update(user, self.0).await
    }
}

/// `presence:get`.
#[derive(Deserialize)]
pub struct Get(Vec<UserId>);

/// The ack of `presence:get`.
#[derive(Serialize)]
pub struct Presences {
    presence: HashMap<UserId, Presence>,
}

impl Event for Get {
    const NAME: &'static str = "presence:get";
    type Reply = Presences;

    async fn handle(self, cx: Context) -> Result<Presences> {
        cx.user()?;
        let presence = cx.services().presence.get(&self.0).await?;
        Ok(Presences { presence })
    }
}
