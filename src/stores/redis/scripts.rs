//! The Lua scripts: each one changes several keys in one step. Redis is asked for a script by its
//! digest, and sent the text when it does not know it (any more).

use std::sync::LazyLock;

use fred::interfaces::LuaInterface;
use sha1::{Digest, Sha1};

use super::{Redis, failed};
use crate::ports::{StoreResult, VERSIONS_PER_MS};

/// How many users who have left are remembered; beyond it, who left first is forgotten.
const MAX_OFFLINE_USERS: usize = 100_000;

/// What the scripts share.
const SHARED: &str = include_str!("lua/shared.lua");

/// A script.
pub(super) struct Script {
    name: &'static str,
    text: String,
    digest: String,
}

impl Script {
    fn new(name: &'static str, body: &str) -> Self {
        let text = format!(
            "local MAX_OFFLINE_USERS = {MAX_OFFLINE_USERS}\n\
             local VERSIONS_PER_MS = {VERSIONS_PER_MS}\n{SHARED}{body}"
        );
        let digest = hex::encode(Sha1::digest(text.as_bytes()));
        Self { name, text, digest }
    }

    /// Runs it.
    pub(super) async fn run(&self, redis: &Redis, args: Vec<String>) -> StoreResult<Vec<String>> {
        let (client, base) = (redis.client(), redis.key(""));
        let known = client.evalsha(self.digest.as_str(), base.as_str(), args.clone());
        match known.await {
            Err(error) if error.details().starts_with("NOSCRIPT") => client
                .eval(self.text.as_str(), base, args)
                .await
                .map_err(failed(self.name)),
            result => result.map_err(failed(self.name)),
        }
    }
}

macro_rules! scripts {
    ($($name:ident)+) => {
        /// All of them.
        pub(super) struct Scripts {
            $(pub(super) $name: Script,)+
        }

        /// All of them, by the name of their files.
        pub(super) static SCRIPTS: LazyLock<Scripts> = LazyLock::new(|| Scripts {
            $($name: Script::new(
                stringify!($name),
                include_str!(concat!("lua/", stringify!($name), ".lua")),
            ),)+
        });
    };
}

scripts! {
    take renew finish retire
    arrive depart set get changed unsaved saved
    enter leave occupied
    register
    expire reap overdue told
    vacant restore restored
    put_position lapsed
    take_place note_places alive
}
