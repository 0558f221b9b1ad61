//! Identifiers: short printable text, checked once where it enters.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, de};

use super::Timestamp;

/// The longest identifier that is accepted, in bytes.
pub const MAX_ID_BYTES: usize = 256;

/// Why a text cannot be an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty or only white space.
    #[error("must not be empty")]
    Empty,
    /// The text is longer than [`MAX_ID_BYTES`].
    #[error("must have at most {MAX_ID_BYTES} bytes")]
    TooLong,
    /// The text holds a control character, a NUL among them.
    #[error("must not contain control characters")]
    Control,
}

fn check(text: &str) -> Result<(), IdError> {
    if text.len() > MAX_ID_BYTES {
        return Err(IdError::TooLong);
    }
    if text.trim().is_empty() {
        return Err(IdError::Empty);
    }
    if text.chars().any(char::is_control) {
        return Err(IdError::Control);
    }
    Ok(())
}

/// Reads an identifier from text or from a whole number, which means its decimal text:
/// browsers pass `42` and `"42"` for the same product.
struct IdVisitor;

impl de::Visitor<'_> for IdVisitor {
    type Value = Arc<str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id (text or whole number)")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        check(text).map_err(E::custom)?;
        Ok(text.into())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(number.to_string().into())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(number.to_string().into())
    }
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the text: 1 to [`MAX_ID_BYTES`] bytes, no control characters.
            pub fn new(text: impl Into<Arc<str>>) -> Result<Self, IdError> {
                let text = text.into();
                check(&text)?;
                Ok(Self(text))
            }

            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_any(IdVisitor).map(Self)
            }
        }
    )*};
}

id! {
    /// A person, as the `sub` of their token names them.
    UserId,
    /// A chat room, as clients name it in `join:room`.
    RoomId,
    /// A driver whose position can be watched.
    DriverId,
    /// A product whose stock can be watched.
    ProductId,
    /// A vendor who receives orders.
    VendorId,
    /// What backends publish under, and streams follow.
    ChannelId,
    /// A connected socket, as `socket.id` shows it.
    SocketId,
    /// A stored entry of a feed: a UUID version 7.
    EntryId,
    /// What the sender called a message, so that sending it again stores it once.
    ClientId,
    /// An order that a direct message is about.
    OrderId,
    /// A payment: a UUID version 7.
    PaymentId,
    /// A browser that takes pushes: a UUID version 7.
    SubscriptionId,
    /// A push on its way: the entry's id, and the subscription's where it goes to one.
    DeliveryId,
    /// What a `[[watch]]` rule puts in the place of `{id}`.
    WatchedId,
}

impl EntryId {
    /// A new id; ids made later sort later.
    pub fn generate() -> Self {
        Self(uuid::Uuid::now_v7().to_string().into())
    }

    /// When it was made, as the id itself says.
    pub fn made_at(&self) -> Option<Timestamp> {
        let (seconds, nanos) = uuid::Uuid::try_parse(&self.0)
            .ok()?
            .get_timestamp()?
            .to_unix();
        let ms = i64::try_from(seconds).ok()?.checked_mul(1_000)?;
        Some(Timestamp::from_ms(ms + i64::from(nanos / 1_000_000)))
    }
}

impl UserId {
    /// The author of what backends post.
    pub fn backend() -> Self {
        Self("backend".into())
    }

    /// The author of the outcomes of payments.
    pub fn payments() -> Self {
        Self("payments".into())
    }
}

impl SubscriptionId {
    /// A new id; ids made later sort later.
    pub fn generate() -> Self {
        Self(uuid::Uuid::now_v7().to_string().into())
    }
}

impl PaymentId {
    /// A new id; ids made later sort later.
    pub fn generate() -> Self {
        Self(uuid::Uuid::now_v7().to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_the_id_with_the_same_text() {
        let from_number: ProductId = serde_json::from_str("42").unwrap();
        assert_eq!(from_number, ProductId::new("42").unwrap());
    }

    #[test]
    fn control_characters_blank_and_oversized_texts_are_refused() {
        assert_eq!(RoomId::new("a\0b"), Err(IdError::Control));
        assert_eq!(RoomId::new("  "), Err(IdError::Empty));
        assert_eq!(RoomId::new("x".repeat(257)), Err(IdError::TooLong));
        assert!(serde_json::from_str::<RoomId>("{}").is_err());
    }
}
