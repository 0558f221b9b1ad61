//! `sync`: what the user missed.

use serde::Deserialize;

use crate::{
    domain::{KnownUpTo, Object},
    error::Result,
    realtime::{Context, Event},
    services::{Sync, Synced},
};

/// `sync`.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Since {
    /// With an argument.
    Given(Object<Known>),
    /// Without one.
    Nothing(()),
}

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
        let known = match self {
            Self::Given(Object(Known { since })) => {
                Sync::known(since.as_deref().unwrap_or_default())?
            }
            Self::Nothing(()) => KnownUpTo::Nothing,
        };
        cx.services().sync.since(cx.user()?, known).await
    }
}
