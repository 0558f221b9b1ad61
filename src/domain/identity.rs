//! Who is talking: a guest, a signed-in user, or a service.

use std::sync::Arc;

use super::{RoomPatterns, Timestamp, UserId};
use crate::error::{Error, Result};

/// What a token's `roles` may grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// May report the position of the driver whose id is the token's `sub`.
    Driver,
    /// May read the orders of the vendor whose id is the token's `sub`.
    Vendor,
    /// May call what backends call.
    Service,
}

impl Role {
    /// Its name in a token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Vendor => "vendor",
            Self::Service => "service",
        }
    }
}

/// What identifies a token, for its expiry and revocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Token {
    /// `jti`, where the issuer gave one.
    pub id: Option<String>,
    /// SHA-256, in hex, of what is signed: names tokens that carry no `jti`.
    pub digest: String,
    /// `iat`.
    pub issued_at: Option<Timestamp>,
    /// `exp`.
    pub expires_at: Option<Timestamp>,
}

/// A signed-in user.
#[derive(Clone, Debug)]
pub struct User {
    /// The token's `sub`.
    pub id: UserId,
    /// The token's `name`, else the id.
    pub name: Arc<str>,
    /// The token's `rooms`.
    pub rooms: RoomPatterns,
    /// The token's `roles`; unknown ones are left out.
    pub roles: Vec<Role>,
    /// The token itself.
    pub token: Token,
}

impl User {
    /// Whether the token grants this role.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// Who sent an event or a request.
#[derive(Clone, Debug)]
pub enum Identity {
    /// Nobody in particular; allowed only where the configuration says so.
    Guest,
    /// A user with a valid token.
    User(Arc<User>),
    /// A backend with an API key; the text names the key in logs, never its secret.
    Service(Arc<str>),
}

impl Identity {
    /// The user, or `Authentication required`.
    pub fn user(&self) -> Result<&Arc<User>> {
        match self {
            Self::User(user) => Ok(user),
            Self::Guest | Self::Service(_) => Err(Error::unauthenticated()),
        }
    }

    /// Whether this is a backend: an API key, or a token with the role `service`.
    pub fn is_service(&self) -> bool {
        match self {
            Self::Service(_) => true,
            Self::User(user) => user.has(Role::Service),
            Self::Guest => false,
        }
    }

    /// The user's id, if signed in.
    pub fn user_id(&self) -> Option<&UserId> {
        match self {
            Self::User(user) => Some(&user.id),
            Self::Guest | Self::Service(_) => None,
        }
    }
}
