//! Ending sessions and refusing tokens.

use std::sync::Arc;

use serde::Deserialize;

use super::Speaker;
use crate::{
    auth::Auth,
    domain::{Identity, SocketId, Timestamp, User, UserId},
    error::{Code, Error, Result},
    ports::{DisconnectReason, Notice, Peers, PresenceStore, Revocation, Sockets, Streams},
};

/// What is to be revoked; exactly one of the fields is given.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct RevokeRequest {
    /// A token's text.
    pub token: Option<String>,
    /// A token's `jti`.
    pub jti: Option<String>,
    /// A device, by its socket's id: the token that it came with is meant.
    #[schema(value_type = Option<String>)]
    pub socket_id: Option<SocketId>,
    /// A user, all of whose tokens issued up to now are meant.
    #[schema(value_type = Option<String>)]
    pub user_id: Option<UserId>,
}

/// Sessions.
pub struct Sessions {
    /// Who may connect.
    pub auth: Auth,
    /// Who is connected.
    pub sockets: Arc<dyn Sockets>,
    /// Who reads an event stream.
    pub streams: Arc<dyn Streams>,
    /// Whose devices are connected to other nodes.
    pub presence: Arc<dyn PresenceStore>,
    /// The other nodes.
    pub peers: Arc<dyn Peers>,
}

impl Sessions {
    /// Disconnects every device of a user, on all nodes. Their tokens stay valid: see
    /// [`Sessions::revoke`].
    pub fn end(&self, user: &UserId) {
        self.end_own(user);
        let user = user.clone();
        self.peers.tell(Notice::SessionsEnded { user });
    }

    /// Disconnects every device that a user has on this node.
    pub fn end_own(&self, user: &UserId) {
        let of_user = |identity: &Identity| identity.user_id() == Some(user);
        let reason = DisconnectReason::SessionsEnded;
        self.sockets.disconnect(&of_user, reason);
        self.streams.end(&|reader| reader.id == *user, reason);
    }

    /// Takes a new token of the same user for a connection that stands, and returns when it ends.
    /// Fails with `Invalid token`, and with `forbidden` when it is another user's.
    pub async fn refresh(&self, speaker: Speaker<'_>, token: &str) -> Result<Option<Timestamp>> {
        let identity = self.auth.identify(Some(token)).await?;
        let user = identity.user()?;
        if user.id != speaker.user.id {
            return Err(Error::new(Code::Forbidden, "The token is another user's"));
        }
        self.sockets.renew(speaker.socket, user);
        if self.is_revoked(&identity) {
            // Revoked while it was taken, when nobody had come with it yet.
            self.disconnect_revoked();
        }
        Ok(user.token.expires_at)
    }

    /// Refuses a token, or all tokens a user has so far, and disconnects who came with them.
    pub async fn revoke(&self, request: RevokeRequest) -> Result<()> {
        let mut until = None;
        let revocation = match request {
            RevokeRequest {
                token: Some(token),
                jti: None,
                socket_id: None,
                user_id: None,
            } => {
                until = Auth::expiry(&token);
                Revocation::TokenDigest(Auth::digest(&token))
            }
            RevokeRequest {
                token: None,
                jti: Some(jti),
                socket_id: None,
                user_id: None,
            } => Revocation::TokenId(jti),
            RevokeRequest {
                token: None,
                jti: None,
                socket_id: Some(socket),
                user_id: None,
            } => {
                let Some(identity) = self.sockets.identity(&socket) else {
                    return self.revoke_elsewhere(socket).await;
                };
                let token = &identity.user()?.token;
                until = token.expires_at;
                Revocation::TokenDigest(token.digest.clone())
            }
            RevokeRequest {
                token: None,
                jti: None,
                socket_id: None,
                user_id: Some(user),
            } => Revocation::User(user, Timestamp::now()),
            _ => {
                return Err(Error::invalid_payload(
                    "exactly one of token, jti, socketId and userId is expected",
                ));
            }
        };
        self.auth.revoke(revocation.clone(), until).await?;
        self.disconnect_revoked();
        self.peers.tell(Notice::Revoked { revocation, until });
        Ok(())
    }

    /// The node that has the device revokes its token, if there is one.
    async fn revoke_elsewhere(&self, socket: SocketId) -> Result<()> {
        if !self.peers.are_there() || self.presence.owner(&socket).await?.is_none() {
            return Err(Error::not_found("No such device"));
        }
        self.peers.tell(Notice::RevokeDevice { socket });
        Ok(())
    }

    /// Another node has revoked something, and stored it.
    pub fn revoked(&self, revocation: Revocation, until: Option<Timestamp>) {
        self.auth.note_revoked(revocation, until);
        self.disconnect_revoked();
    }

    /// Another node wants the token of a device revoked that may be this node's.
    pub async fn revoke_device(&self, socket: SocketId) -> Result<()> {
        if self.sockets.identity(&socket).is_none() {
            return Ok(());
        }
        let socket_id = Some(socket);
        self.revoke(RevokeRequest {
            socket_id,
            ..RevokeRequest::default()
        })
        .await
    }

    /// Learns what was revoked while other nodes were not heard.
    pub async fn reload(&self) -> Result<()> {
        self.auth.reload().await?;
        self.disconnect_revoked();
        Ok(())
    }

    fn disconnect_revoked(&self) {
        let reason = DisconnectReason::Revoked;
        let is_revoked = |identity: &Identity| self.is_revoked(identity);
        self.sockets.disconnect(&is_revoked, reason);
        self.streams.end(&|user| self.auth.is_revoked(user), reason);
    }

    /// Whether whoever this is has been revoked since.
    pub fn is_revoked(&self, identity: &Identity) -> bool {
        let revoked = |user: &User| self.auth.is_revoked(user);
        matches!(identity, Identity::User(user) if revoked(user))
    }
}
