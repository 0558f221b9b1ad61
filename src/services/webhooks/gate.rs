//! Asks the operator's backend whether a client may connect.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::{sync::Semaphore, time::timeout};

use super::{ConnectRules, kind};
use crate::{
    domain::{EntryId, Identity, Role, Timestamp},
    error::{Code, Error, Result},
    ports::Backend,
    services::seldom::Seldom,
    telemetry,
};

/// A gate that is kept by a backend: status 2xx admits, 401, 403 and 404 refuse, and anything else,
/// no answer too, is a failure, which refuses.
pub(super) struct Gate {
    backend: Arc<dyn Backend>,
    places: Semaphore,
    patience: Duration,
    failures: Seldom,
}

impl Gate {
    pub(super) fn new(rules: &ConnectRules) -> Self {
        Self {
            backend: rules.backend.clone(),
            places: Semaphore::new(rules.in_flight),
            patience: rules.patience,
            failures: Seldom::default(),
        }
    }

    pub(super) async fn admit(&self, who: &Identity, namespace: &str) -> Result<()> {
        let Ok(_place) = timeout(self.patience, self.places.acquire()).await else {
            telemetry::limited(Code::BackendBusy);
            let message = "The backend has as much to do as it may; try again";
            return Err(Error::new(Code::BackendBusy, message));
        };
        let id = EntryId::generate();
        let user = who.user().ok();
        let roles = user.map_or_else(Vec::new, |user| {
            user.roles.iter().map(|role: &Role| role.as_str()).collect()
        });
        let question = json!({
            "type": kind::CONNECT,
            "id": id.as_str(),
            "timestamp": Timestamp::now(),
            "data": {
                "namespace": namespace,
                "userId": user.map(|user| &user.id),
                "username": user.map(|user| &user.name),
                "roles": roles,
            },
        });
        match self
            .backend
            .ask(id.as_str(), question.to_string().into())
            .await
        {
            Ok(answer) if answer.is_success() => Ok(()),
            Ok(answer) if matches!(answer.status, 401 | 403 | 404) => {
                let told = answer.told();
                let told = told.unwrap_or_else(|| "Connection refused".into());
                Err(Error::new(Code::ConnectRefused, told))
            }
            Ok(answer) => Err(self.unavailable(&format!("status {}", answer.status))),
            Err(fault) => Err(self.unavailable(&fault.to_string())),
        }
    }

    fn unavailable(&self, what: &str) -> Error {
        if let Some(times) = self.failures.happened() {
            tracing::warn!(what, times, "the backend could not be asked about a client");
        }
        let message = "The backend is unavailable; try again later";
        Error::new(Code::BackendUnavailable, message)
    }
}
