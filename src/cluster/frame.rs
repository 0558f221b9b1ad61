//! What nodes tell each other: MessagePack, several frames in one publication.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{Attachment, ClientId, Entry, EntryId, FeedId, Room, SocketId, Timestamp, UserId},
    ports::{Class, Emit, Keep, Notice, Says},
    realtime::namespace::Encoded,
};

/// The version of what follows. Nodes of another version are not understood.
const VERSION: u8 = 1;

/// The largest publication that is read.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Who tells, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub node: String,
    /// Publications of the node so far.
    pub number: u64,
    pub sent_at_ms: i64,
}

/// One thing that is told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Frame {
    /// The node lives, and hears itself.
    Beat,
    /// An entry has been committed.
    Entry(Box<WireEntry>),
    /// An event for clients.
    Emit(Box<WireEmit>),
    /// Something for the node itself.
    Notice(Notice),
    /// A node has not heard some of another's publications, and wants its notices again.
    Missed {
        /// Whose.
        of: String,
        /// The first publication that was not heard, and the first that was again.
        between: (u64, u64),
    },
    /// A notice again, for the one node that has not heard it.
    Again { to: String, notice: Notice },
}

/// An entry as it was committed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireEntry {
    id: EntryId,
    feed: String,
    seq: u64,
    position: u64,
    event: Arc<str>,
    author: UserId,
    author_name: Arc<str>,
    client_id: Option<ClientId>,
    content: String,
    subject: Option<String>,
    attachment: Option<Bytes>,
    created_at_ms: i64,
    origin: Option<SocketId>,
}

impl WireEntry {
    pub fn new(entry: &Entry) -> Self {
        let attachment = entry.attachment.as_ref();
        Self {
            id: entry.id.clone(),
            feed: entry.feed.key(),
            seq: entry.seq,
            position: entry.position,
            event: entry.event.clone(),
            author: entry.author.clone(),
            author_name: entry.author_name.clone(),
            client_id: entry.client_id.clone(),
            content: entry.content.clone(),
            subject: entry.subject.clone(),
            attachment: attachment.map(|attachment| attachment.to_bytes().into()),
            created_at_ms: entry.created_at.as_ms(),
            origin: entry.origin.clone(),
        }
    }

    /// The entry; none when it cannot be one.
    pub fn read(self) -> Option<Arc<Entry>> {
        let attachment = match &self.attachment {
            Some(bytes) => Some(Attachment::from_bytes(bytes)?),
            None => None,
        };
        Some(Arc::new(Entry {
            id: self.id,
            feed: FeedId::from_key(&self.feed)?,
            seq: self.seq,
            position: self.position,
            event: self.event,
            author: self.author,
            author_name: self.author_name,
            client_id: self.client_id,
            content: self.content,
            subject: self.subject,
            attachment,
            created_at: Timestamp::from_ms(self.created_at_ms),
            edited_at: None,
            deleted_at: None,
            origin: self.origin,
        }))
    }
}

/// An event, encoded for clients.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireEmit {
    namespace: String,
    event: String,
    class: Class,
    keep: Keep,
    key: String,
    number: Option<u64>,
    says: Option<Says>,
    to: Vec<String>,
    except: Vec<String>,
    origin: Option<SocketId>,
    body: Encoded,
}

impl WireEmit {
    pub fn new(emit: &Emit<'_>, body: Encoded) -> Self {
        let names = |rooms: &[Room]| rooms.iter().map(Room::to_string).collect();
        Self {
            namespace: emit.namespace.to_owned(),
            event: emit.event.to_owned(),
            class: emit.class,
            keep: emit.keep,
            key: emit.key.to_owned(),
            number: emit.number,
            says: emit.says,
            to: names(emit.to),
            except: names(emit.except),
            origin: emit.origin.cloned(),
            body,
        }
    }

    /// Calls `send` with the event and its encoded arguments.
    pub fn read(self, send: impl FnOnce(&Emit<'_>, Encoded)) {
        let rooms = |names: Vec<String>| names.into_iter().map(Room::named).collect::<Vec<_>>();
        let (to, except) = (rooms(self.to), rooms(self.except));
        let emit = Emit {
            event: &self.event,
            payload: &(),
            class: self.class,
            to: &to,
            except: &except,
            origin: self.origin.as_ref(),
            namespace: &self.namespace,
            entry: None,
            key: &self.key,
            number: self.number,
            says: self.says,
            keep: self.keep,
        };
        send(&emit, self.body);
    }
}

/// Why a publication cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    Version,
    TooLarge,
    Malformed,
}

impl Unreadable {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
        }
    }
}

pub(super) fn encode(frame: &Frame) -> Vec<u8> {
    // Our own types always encode.
    rmp_serde::to_vec(frame).unwrap_or_default()
}

/// The beginning of a publication, to be followed by frames.
pub(super) fn begin(head: &Head) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend(rmp_serde::to_vec(head).unwrap_or_default());
    out
}

/// Who tells, and the frames that follow.
pub(super) fn read(publication: &[u8]) -> Result<(Head, Frames<'_>), Unreadable> {
    if publication.len() > MAX_BYTES {
        return Err(Unreadable::TooLarge);
    }
    let (version, mut rest) = publication.split_first().ok_or(Unreadable::Malformed)?;
    if *version != VERSION {
        return Err(Unreadable::Version);
    }
    let head = take(&mut rest).ok_or(Unreadable::Malformed)?;
    Ok((head, Frames(rest)))
}

/// The frames of a publication; the first that cannot be read ends them.
pub(super) struct Frames<'a>(&'a [u8]);

impl Iterator for Frames<'_> {
    type Item = Result<Frame, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let frame = take(&mut self.0);
        if frame.is_none() {
            self.0 = &[];
        }
        Some(frame.ok_or(Unreadable::Malformed))
    }
}

/// Reads one value off the front.
fn take<T: serde::de::DeserializeOwned>(from: &mut &[u8]) -> Option<T> {
    let mut reader = rmp_serde::Deserializer::new(&mut *from);
    T::deserialize(&mut reader).ok()
}

#[cfg(test)]
mod tests;
