//! Pure types and rules: what an id, a message, a position or a status is, with no I/O.

mod access;
mod args;
mod attachment;
mod feed;
mod feed_kind;
mod identity;
mod ids;
mod message;
mod object;
mod page_budget;
mod payment;
mod position;
mod posted;
mod presence;
mod push;
mod room;
mod sync_cursor;
mod time;

pub use access::RoomPatterns;
pub use args::Args;
pub use attachment::{Attachment, AttachmentError, MAX_BINARIES};
pub use feed::{Cursor, Entry, EntryPage, FeedId, NewEntry, Verdict};
pub use feed_kind::FeedKind;
pub use identity::{Identity, Role, Token, User};
pub use ids::{
    ChannelId, ClientId, DeliveryId, DriverId, EntryId, IdError, MAX_ID_BYTES, OrderId, PaymentId,
    ProductId, RoomId, SocketId, SubscriptionId, UserId, VendorId, WatchedId,
};
pub use message::{DirectMessage, Message, MessagePage, check_content};
pub use object::Object;
pub use page_budget::PageBudget;
pub use payment::{Amount, Outcome, Payment};
pub use position::{DriverPosition, Position, Report};
pub use posted::{Posted, check_event_name, check_posted_name};
pub use presence::{Presence, Status};
pub use push::{
    BrowserSubscription, DeadLetter, Delivery, EndpointHosts, PushTarget, Pushed, Subscription,
    SubscriptionKeys, is_pushed,
};
pub use room::Room;
pub use sync_cursor::{KnownUpTo, SyncCursor};
pub use time::Timestamp;
