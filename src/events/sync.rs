//! `sync`: what the user missed.

use serde::Deserialize;

use crate::{
    domain::Object,
    error::Result,
    realtime::{Context, Event},
    services::{Sync, Synced},
};

/// `sync`; its argument may be left out.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Since(Option<Object<Known>>);

/// How much the client knows.
#[derive(Deserialize)]
pub struct Known {
    /// The cursor of an earlier answer, or an ISO 8601 time; from the beginning unless given.
    since: Option<String>,
}

impl Event for Since {
    const NAME: &'static str = "sync";
    type Reply = Synced;

    async fn handle(self, cx: Context) -> Result<Synced> {
        let since = self.0.and_then(|Object(known)| known.since);
        let known = Sync::known(since.as_deref().unwrap_or_default())?;
        cx.services().sync.since(cx.user()?, known).await
    }
}
