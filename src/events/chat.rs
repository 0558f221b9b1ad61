//! Chat: `join:room`, `leave:room`, `message:…`, `chat:message`, `chat:read`, `messages:since`.

use serde::{Deserialize, Serialize};

use super::APPENDS;
use crate::{
    domain::{Attachment, ClientId, Cursor, EntryId, Message, MessagePage, Object, RoomId},
    error::{Error, Result},
    realtime::{Acks, Arguments, Context, Event, Failure, Handling, Order},
    services::{Draft, Entered, MAX_PAGE},
};

/// `join:room`.
#[derive(Deserialize)]
pub struct Join(RoomId);

impl Event for Join {
    const NAME: &'static str = "join:room";
    // Frontends that exist listen for `error` here, ack or not.
    const HANDLING: Handling = Handling {
        order: Order::Serial,
        failure: Failure::AckAndEvent,
        arguments: Arguments::First,
        acks: Acks::Object,
        is_secret: false,
    };
    type Reply = Entered;

    async fn handle(self, cx: Context) -> Result<Entered> {
        let chat = &cx.services().chat;
        chat.join(cx.speaker()?, &self.0, cx.asks()).await
    }
}

/// `leave:room`.
#[derive(Deserialize)]
pub struct Leave(RoomId);

impl Event for Leave {
    const NAME: &'static str = "leave:room";
    type Reply = ();

    async fn handle(self, cx: Context) -> Result<()> {
        cx.services().chat.leave(cx.speaker()?, &self.0).await
    }
}

/// The ack of whatever stores or changes a message.
#[derive(Serialize)]
pub struct Stored {
    message: Message,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outgoing {
    room_id: RoomId,
    content: String,
    client_id: Option<ClientId>,
    attachment: Option<Attachment>,
}

impl Outgoing {
    async fn post(self, cx: &Context, event: &'static str) -> Result<Stored> {
        let draft = Draft {
            room_id: self.room_id,
            content: self.content,
            client_id: self.client_id,
            attachment: self.attachment,
        };
        let message = cx.services().chat.post(cx.speaker()?, draft, event).await?;
        Ok(Stored { message })
    }
}

/// `message:send`.
#[derive(Deserialize)]
pub struct Send(Object<Outgoing>);

impl Event for Send {
    const NAME: &'static str = "message:send";
    const HANDLING: Handling = APPENDS;
    type Reply = Stored;

    async fn handle(self, cx: Context) -> Result<Stored> {
        self.0.0.post(&cx, "message:new").await
    }
}

/// `chat:message`.
#[derive(Deserialize)]
pub struct SendAsChatMessage(Object<Outgoing>);

impl Event for SendAsChatMessage {
    const NAME: &'static str = "chat:message";
    const HANDLING: Handling = APPENDS;
    type Reply = Stored;

    async fn handle(self, cx: Context) -> Result<Stored> {
        self.0.0.post(&cx, Self::NAME).await
    }
}

/// `message:edit`.
#[derive(Deserialize)]
pub struct Edit(Object<Edited>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Edited {
    room_id: RoomId,
    message_id: EntryId,
    content: String,
}

impl Event for Edit {
    const NAME: &'static str = "message:edit";
    type Reply = Stored;

    async fn handle(self, cx: Context) -> Result<Stored> {
        let Object(to) = self.0;
        let chat = &cx.services().chat;
        let edited = chat.edit(cx.speaker()?, &to.room_id, &to.message_id, to.content);
        Ok(Stored {
            message: edited.await?,
        })
    }
}

/// A message of a room.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Which {
    room_id: RoomId,
    message_id: EntryId,
}

/// `message:delete`.
#[derive(Deserialize)]
pub struct Delete(Object<Which>);

impl Event for Delete {
    const NAME: &'static str = "message:delete";
    type Reply = Stored;

    async fn handle(self, cx: Context) -> Result<Stored> {
        let Object(which) = self.0;
        let chat = &cx.services().chat;
        let deleted = chat.delete(cx.speaker()?, &which.room_id, &which.message_id);
        Ok(Stored {
            message: deleted.await?,
        })
    }
}

/// `chat:read`.
#[derive(Deserialize)]
pub struct Read(Object<Which>);

/// The ack of `chat:read`.
#[derive(Serialize)]
pub struct Unread {
    unread: u64,
}

impl Event for Read {
    const NAME: &'static str = "chat:read";
    type Reply = Unread;

    async fn handle(self, cx: Context) -> Result<Unread> {
        let Object(which) = self.0;
        let chat = &cx.services().chat;
        let unread = chat.read(cx.speaker()?, &which.room_id, &which.message_id);
        Ok(Unread {
            unread: unread.await?,
        })
    }
}

/// `messages:since`.
#[derive(Deserialize)]
pub struct Since(Object<Missed>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Missed {
    room_id: RoomId,
    after: Option<After>,
    limit: Option<usize>,
}

/// A message by its `seq` or its id.
#[derive(Deserialize)]
#[serde(untagged)]
enum After {
    Seq(u64),
    Id(EntryId),
}

impl Event for Since {
    const NAME: &'static str = "messages:since";
    type Reply = MessagePage;

    async fn handle(self, cx: Context) -> Result<MessagePage> {
        let Object(missed) = self.0;
        let limit = missed.limit.unwrap_or(MAX_PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(Error::invalid_payload(format!(
                "limit must be between 1 and {MAX_PAGE}"
            )));
        }
        let from = match missed.after {
            None => Cursor::AfterSeq(0),
            Some(After::Seq(seq)) => Cursor::AfterSeq(seq),
            Some(After::Id(id)) => Cursor::after(id),
        };
        let user = cx.user()?;
        cx.services()
            .chat
            .page(user, missed.room_id, from, limit)
            .await
    }
}
