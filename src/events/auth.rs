//! A new token for a connection that stands: `auth:refresh`.

use serde::{Deserialize, Serialize};

use crate::{
    domain::Timestamp,
    error::Result,
    realtime::{Acks, Arguments, Context, Event, Failure, Handling, Order},
};

/// `auth:refresh`.
#[derive(Deserialize)]
pub struct Refresh(String);

/// The ack of `auth:refresh`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refreshed {
    /// When the new token ends, if it does.
    expires_at: Option<Timestamp>,
}

impl Event for Refresh {
    const NAME: &'static str = "auth:refresh";
    const HANDLING: Handling = Handling {
        order: Order::Serial,
        failure: Failure::AckOrEvent,
        arguments: Arguments::First,
        acks: Acks::Object,
        is_secret: true,
    };
    type Reply = Refreshed;

    async fn handle(self, cx: Context) -> Result<Refreshed> {
        let sessions = &cx.services().sessions;
        let expires_at = sessions.refresh(cx.speaker()?, &self.0).await?;
        Ok(Refreshed { expires_at })
    }
}
