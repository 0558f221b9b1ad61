//! Messages between two users: `send-message`.

use serde::{Deserialize, Serialize};

use crate::{
    domain::{ClientId, DirectMessage, OrderId, UserId},
    error::Result,
    realtime::{Context, Event, Order},
    services::DirectDraft,
};

/// `send-message`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Send {
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
    const ORDER: Order = Order::FirstPoll;
    type Reply = Sent;

    async fn handle(self, cx: Context) -> Result<Sent> {
        let draft = DirectDraft {
            to: self.to,
            content: self.content,
            order_id: self.order_id,
            client_id: self.client_id,
        };
        let message = cx.services().direct.send(cx.speaker()?, draft).await?;
        Ok(Sent { message })
    }
}
