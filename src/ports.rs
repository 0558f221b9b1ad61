//! What the services need from the outside, one small trait each; `wiring` picks who provides it.

mod admins;
mod announcements;
mod backend;
mod emitter;
mod feed_store;
mod hook_store;
mod leases;
mod member_store;
mod occupancy;
mod payment_store;
mod peers;
mod places;
mod position_store;
mod presence_store;
mod push_gateway;
mod push_store;
mod revocation_store;
mod room_gate;
mod seen_store;
mod servers;
mod session_store;
mod shared_limit;
mod sockets;
mod stock_store;
mod streams;

pub use admins::{Admins, NoAdmins};
pub use announcements::{Announcements, NoAnnouncements};
pub use backend::{Backend, BackendAnswer, BackendFault};
pub use emitter::{Class, Emit, Emitter, EntryRef, Keep, Payload, Says, ValueOf};
pub use feed_store::{
    After, Appended, Change, Changes, Commit, FeedFilter, FeedMark, FeedStore, Following, KeepRule,
    Overfull, ReadMark, Since, Trimmed, Unread,
};
pub use hook_store::{DueHooks, Hook, HookNote, HookStore, HookSubject};
pub use leases::Leases;
pub use member_store::{MemberStore, Membership};
pub use occupancy::{Occupancy, RoomState};
pub use payment_store::PaymentStore;
pub use peers::{NoPeers, Notice, Peers};
pub use places::{Places, Taken, Whose};
pub use position_store::PositionStore;
pub use presence_store::{
    Arrival, ChangedUser, Departure, Known, PresenceNews, PresenceStore, VERSIONS_PER_MS,
};
pub use push_gateway::{PushGateway, Sent};
pub use push_store::{
    DuePushes, Planned, PushPlan, PushStart, PushStore, Settled, SubscriptionStore, Unplanned,
};
pub use revocation_store::{Revocation, RevocationStore};
pub use room_gate::{GateSilent, RoomGate};
pub use seen_store::{SeenStore, SeenUser};
pub use servers::{Ended, FoundSocket, Gathered, Servers, SocketsMove, Whom};
pub use session_store::{SavedSession, SessionStore};
pub use shared_limit::{SharedLimit, Spent, TOLD_PER_SECOND};
pub use sockets::{DisconnectReason, Joined, Left, Sockets};
pub use stock_store::{Stock, StockStore};
pub use streams::Streams;

/// Why a store could not do what was asked; the cause is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store is unavailable")]
pub struct StoreError;

impl From<StoreError> for crate::error::Error {
    fn from(_: StoreError) -> Self {
        Self::store_unavailable()
    }
}

/// The result of a store's operation.
pub type StoreResult<T> = Result<T, StoreError>;
