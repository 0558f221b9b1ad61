//! The one public error: a stable code, a message for people, nothing of the inside.

use std::{borrow::Cow, time::Duration};

/// The result of whatever a client or backend can ask for.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Declares each code once: its variant, its wire name and its HTTP status.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal;)*) => {
        /// What went wrong, by a name that never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }
        }
    };
}

codes! {
    /// No identity, and guests may not do this.
    Unauthenticated = "unauthenticated", 401;
    /// The token is not a JWT that can be read.
    TokenMalformed = "token_malformed", 401;
    /// The token's signature does not fit, or its algorithm or key is not configured.
    TokenSignature = "token_signature", 401;
    /// The token's `exp` has passed.
    TokenExpired = "token_expired", 401;
    /// The token's `nbf` lies ahead.
    TokenNotYetValid = "token_not_yet_valid", 401;
    /// The token lacks `sub`, or its `iss` or `aud` is not the configured one.
    TokenClaims = "token_claims", 401;
    /// The token, or its user, was revoked.
    TokenRevoked = "token_revoked", 401;
    /// The API key is unknown.
    ApiKeyInvalid = "api_key_invalid", 401;
    /// A provider's webhook is not signed as configured, or is too old.
    SignatureInvalid = "signature_invalid", 401;
    /// Known, but not allowed to do this.
    Forbidden = "forbidden", 403;
    /// Only the author may do this.
    NotAuthor = "not_author", 403;
    /// The socket has not joined the room.
    NotInRoom = "not_in_room", 403;
    /// The `Origin` is not on the list.
    OriginNotAllowed = "origin_not_allowed", 403;
    /// There is no such thing.
    NotFound = "not_found", 404;
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", 405;
    /// The arguments or the body do not fit.
    InvalidPayload = "invalid_payload", 400;
    /// The message has no text.
    ContentEmpty = "content_empty", 400;
    /// The message's text is too long.
    ContentTooLong = "content_too_long", 400;
    /// The position is older than one already known, or too old to be of use.
    PositionStale = "position_stale", 409;
    /// Nobody declared this event.
    UnknownEvent = "unknown_event", 404;
    /// There is no such namespace.
    InvalidNamespace = "invalid_namespace", 404;
    /// The event or body is larger than the payload limit.
    PayloadTooLarge = "payload_too_large", 413;
    /// The body's `Content-Type` is not the one the route takes.
    UnsupportedMediaType = "unsupported_media_type", 415;
    /// Too many events or requests a second.
    RateLimited = "rate_limited", 429;
    /// Too many events of this socket wait to be handled.
    QueueFull = "queue_full", 429;
    /// The socket has joined as many rooms as it may.
    TooManyRooms = "too_many_rooms", 429;
    /// The connection has as many namespaces as it may.
    TooManyNamespaces = "too_many_namespaces", 429;
    /// Too many connections in all.
    TooManyConnections = "too_many_connections", 503;
    /// Too many connections from this address.
    TooManyConnectionsPerIp = "too_many_connections_per_ip", 429;
    /// Too many sessions by polling from this address.
    TooManyPollingSessions = "too_many_polling_sessions", 429;
    /// The backend that decides about rooms does not answer.
    RoomsUnavailable = "rooms_unavailable", 503;
    /// As many events wait for the backend as may.
    BackendBusy = "backend_busy", 503;
    /// The backend cannot be reached, or has failed too often just now.
    BackendUnavailable = "backend_unavailable", 503;
    /// The backend failed, or its answer cannot be understood.
    BackendFailed = "backend_failed", 502;
    /// The backend refused the event.
    BackendRefused = "backend_refused", 403;
    /// The backend that is asked about clients does not let this one in.
    ConnectRefused = "connect_refused", 403;
    /// Other nodes of the cluster cannot be reached.
    ClusterUnavailable = "cluster_unavailable", 503;
    /// Too many event streams in all.
    TooManyStreams = "too_many_streams", 503;
    /// Too many event streams of this user.
    TooManyStreamsPerUser = "too_many_streams_per_user", 429;
    /// The idempotency key was used for something else.
    IdempotencyKeyReused = "idempotency_key_reused", 422;
    /// Too many connections of this user.
    TooManyConnectionsPerUser = "too_many_connections_per_user", 429;
    /// The store cannot be written or read now; nothing was changed.
    StoreUnavailable = "store_unavailable", 503;
    /// The server is going down.
    Draining = "draining", 503;
    /// The handling took too long; it is not known whether it took effect.
    TimedOut = "timed_out", 504;
    /// Our fault; the log says more.
    Internal = "internal", 500;
}

/// A failure that may be shown to a client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    code: Code,
    message: Cow<'static, str>,
    retry_after: Option<Duration>,
}

impl Error {
    /// An error with a code and a message for people.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// `Authentication required`.
    pub fn unauthenticated() -> Self {
        Self::new(Code::Unauthenticated, "Authentication required")
    }

    /// `Invalid token`: one message for all causes, so that it tells a forger nothing; the code is
    /// for frontends.
    pub fn invalid_token(code: Code) -> Self {
        Self::new(code, "Invalid token")
    }

    /// `Access denied`.
    pub fn forbidden() -> Self {
        Self::new(Code::Forbidden, "Access denied")
    }

    /// A payload that does not fit; the message says where.
    pub fn invalid_payload(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::InvalidPayload, message)
    }

    /// Something that is not there.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::NotFound, message)
    }

    /// A fault of ours. The cause belongs in the log, never in here.
    pub fn internal() -> Self {
        Self::new(Code::Internal, "Internal error")
    }

    /// The store is away.
    pub fn store_unavailable() -> Self {
        Self::new(
            Code::StoreUnavailable,
            "The store is unavailable; nothing was changed",
        )
    }

    /// Too fast; may be tried again after this time.
    pub fn rate_limited(retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(Code::RateLimited, "Too many requests")
        }
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The message for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// When to try again, if that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}
