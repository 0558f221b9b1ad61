//! The issuer's public keys, kept in memory and read again as they age or a token names another.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jsonwebtoken::{Algorithm, DecodingKey};
use parking_lot::RwLock;
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    task::JoinHandle,
};

use super::{
    jwk::{Choice, KeySet},
    jwks_source::{JwksError, Loader},
};

/// The shortest time between two reloads that unknown keys cause, and before a failed reload is
/// tried again.
const RELOAD_WINDOW: Duration = Duration::from_secs(10);

/// When the keys are read again.
#[derive(Clone, Copy)]
pub struct Pace {
    /// The age at which they are read again in the background.
    pub refresh: Duration,
    /// See [`RELOAD_WINDOW`].
    pub window: Duration,
}

impl Pace {
    pub fn new(refresh: Duration) -> Self {
        Self {
            refresh: refresh.max(RELOAD_WINDOW),
            window: RELOAD_WINDOW,
        }
    }
}

/// The keys of one source. Cheap to clone.
#[derive(Clone)]
pub struct Jwks(Arc<Shared>);

struct Shared {
    loader: Loader,
    pace: Pace,
    loaded: RwLock<Loaded>,
    /// Held by the one reload under way; when an unknown key last caused one.
    reload: Arc<Mutex<Option<Instant>>>,
}

#[derive(Clone)]
struct Loaded {
    keys: Arc<KeySet>,
    /// Counts the loads, so that whoever waited for one knows that it took place.
    round: u64,
    tried_at: Instant,
    next_after: Duration,
}

impl Jwks {
    /// Loads the keys for the first time. An address that does not answer is logged only.
    pub async fn open(loader: Loader, pace: Pace) -> Result<Self, JwksError> {
        let (keys, next_after) = match loader.load().await {
            Ok(keys) if keys.is_empty() => return Err(JwksError::NoUsableKey),
            Ok(keys) => (keys, pace.refresh),
            Err(error) if error.is_passing() => {
                tracing::warn!(%error, "no JWKS yet; it is fetched again when a token needs it");
                (KeySet::default(), pace.window)
            }
            Err(error) => return Err(error),
        };
        Ok(Self(Arc::new(Shared {
            loader,
            pace,
            loaded: RwLock::new(Loaded {
                keys: Arc::new(keys),
                round: 0,
                tried_at: Instant::now(),
                next_after,
            }),
            reload: Arc::default(),
        })))
    }

    /// The key for a token with this algorithm and `kid`. Waits for a reload only when the keys
    /// at hand cannot tell.
    pub async fn find(&self, algorithm: Algorithm, kid: Option<&str>) -> Option<Arc<DecodingKey>> {
        let loaded = self.0.loaded.read().clone();
        self.reload_if_old(&loaded);
        match loaded.keys.choose(algorithm, kid) {
            Choice::Key(key) => return Some(key),
            Choice::Refused => return None,
            Choice::Unknown => self.reload_after(loaded.round).await,
        }
        let keys = Arc::clone(&self.0.loaded.read().keys);
        match keys.choose(algorithm, kid) {
            Choice::Key(key) => Some(key),
            Choice::Refused | Choice::Unknown => None,
        }
    }

    /// How often they have been loaded; old keys are loaded again.
    pub fn round(&self) -> u64 {
        let loaded = self.0.loaded.read().clone();
        self.reload_if_old(&loaded);
        loaded.round
    }

    /// Starts a reload that nobody waits for: the keys at hand stay good meanwhile.
    fn reload_if_old(&self, loaded: &Loaded) {
        if loaded.tried_at.elapsed() < loaded.next_after {
            return;
        }
        if let Ok(turn) = Arc::clone(&self.0.reload).try_lock_owned() {
            self.spawn_reload(turn);
        }
    }

    /// Waits for a load later than `round`, unless the window has had its reload.
    async fn reload_after(&self, round: u64) {
        let mut turn = Arc::clone(&self.0.reload).lock_owned().await;
        if self.0.loaded.read().round != round {
            return;
        }
        if turn.is_some_and(|asked_at| asked_at.elapsed() < self.0.pace.window) {
            return;
        }
        *turn = Some(Instant::now());
        if let Err(error) = self.spawn_reload(turn).await {
            tracing::error!(%error, "the reload of the JWKS broke off");
        }
    }

    /// In a task of its own, so that a client that goes away while it waits does not cut short
    /// what others wait for.
    fn spawn_reload(&self, turn: OwnedMutexGuard<Option<Instant>>) -> JoinHandle<()> {
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            shared.reload().await;
            drop(turn);
        })
    }
}

impl Shared {
    async fn reload(&self) {
        let result = self.loader.load().await;
        let mut loaded = self.loaded.write();
        loaded.round += 1;
        loaded.tried_at = Instant::now();
        match result {
            Ok(keys) => {
                if keys.is_empty() {
                    tracing::warn!("the JWKS has no usable key any more");
                }
                loaded.keys = Arc::new(keys);
                loaded.next_after = self.pace.refresh;
            }
            Err(error) => {
                tracing::warn!(%error, "the JWKS cannot be read again; the known keys stay in use");
                loaded.next_after = self.pace.window;
            }
        }
    }
}
