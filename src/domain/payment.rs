//! A payment and its one outcome.

use serde::{Deserialize, Serialize};

use super::{PaymentId, SocketId, Timestamp, UserId};

/// An amount in the shop's currency: a positive finite number, or its text as a form sends it.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, utoipa::ToSchema)]
#[schema(value_type = f64)]
pub struct Amount(f64);

impl Amount {
    /// The number, if it is positive and finite.
    pub fn new(number: f64) -> Option<Self> {
        (number.is_finite() && number > 0.0).then_some(Self(number))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "amount must be a positive number")]
        enum Wire {
            Number(f64),
            Text(String),
        }
        let number = match Wire::deserialize(from)? {
            Wire::Number(number) => Some(number),
            Wire::Text(text) => text.trim().parse().ok(),
        };
        number
            .and_then(Self::new)
            .ok_or_else(|| serde::de::Error::custom("amount must be a positive number"))
    }
}

/// How a payment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The money was taken.
    Succeeded,
    /// It was not.
    Failed,
}

impl Outcome {
    /// What `payment-status` carries.
    pub fn as_bool(self) -> bool {
        self == Self::Succeeded
    }
}

/// A payment as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// What is paid.
    pub amount: Amount,
    /// The socket that asked to hear the outcome.
    pub socket: SocketId,
    /// The user behind the request or the socket, if one is known.
    pub user: Option<UserId>,
    /// When it was requested.
    pub created_at: Timestamp,
    /// How it ended, once it has.
    pub outcome: Option<Outcome>,
}
