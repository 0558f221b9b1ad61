//! Messages between two users: `send-message`.

use serde::{Deserialize, Serialize};

use super::APPENDS;
use crate::{
    domain::{ClientId, DirectMessage, Object, OrderId, UserId},
    error::Result,
    realtime::{Context, Event, Handling},
    services::DirectDraft,
};

/// `send-message`.
#[derive(Deserialize)]
pub struct Send(Object<Outgoing>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outgoing {
    to: UserId,
    content: String,
    order_id: Option<OrderId>,
    client_id: Option<ClientId>,
}

/// The ack of `send-message`.
#[derive(Serialize)]
pub struct Sent {
    message: DirectMessage,
}

impl Event for Send {
    const NAME: &'static str = "send-message";
    const HANDLING: Handling = APPENDS;
    type Reply = Sent;

    async fn handle(self, cx: Context) -> Result<Sent> {
        let Object(outgoing) = self.0;
        let draft = DirectDraft {
            to: outgoing.to,
            content: outgoing.content,
            order_id: outgoing.order_id,
            client_id: outgoing.client_id,
        };
        let message = cx.services().direct.send(cx.speaker()?, draft).await?;
        Ok(Sent { message })
    }
}
