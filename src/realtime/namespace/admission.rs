//! Who may connect to a namespace.

use std::{net::IpAddr, sync::Arc};

use futures::future::BoxFuture;

use super::Namespace;
use crate::error::Result;

/// Who may connect to a namespace.
#[derive(Clone, Default)]
pub(crate) enum NamespaceAdmission {
    /// Whoever the configuration lets in.
    #[default]
    SignedIn,
    /// Everybody, as a guest.
    Everybody,
    /// Whom this lets in, as a guest.
    By(Admit),
}

/// Whether a client may connect that brings this `auth`, from this address.
type Admit =
    Arc<dyn Fn(serde_json::Value, Option<IpAddr>) -> BoxFuture<'static, Result<()>> + Send + Sync>;

impl Namespace {
    /// Lets everybody in, as a guest: what clients bring as `auth` is the connect handler's own
    /// business.
    #[must_use]
    pub fn open_to_all(mut self) -> Self {
        self.admission = NamespaceAdmission::Everybody;
        self
    }

    /// Lets in whom this lets in, as guests: `auth` is what a client brought. The error is what it is
    /// told.
    #[must_use]
    pub(crate) fn admit_by<F, Fut>(mut self, admit: F) -> Self
    where
        F: Fn(serde_json::Value, Option<IpAddr>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let admit: Admit = Arc::new(move |auth, address| Box::pin(admit(auth, address)));
        self.admission = NamespaceAdmission::By(admit);
        self
    }
}
