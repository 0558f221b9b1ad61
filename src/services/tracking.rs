//! Where drivers are: the newest position of each, for as long as it is fresh.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use tokio::sync::MutexGuard;

use super::locks::KeyedLocks;
use crate::{
    domain::{DriverId, DriverPosition, Identity, Position, Report, Role, Room, Timestamp},
    error::{Code, Error, Result},
    ports::{Class, Emit, Emitter, PositionStore, ValueOf},
};

/// The event that carries a position.
const LOCATION_UPDATE: &str = "location-update";
const DRIVER_OFFLINE: &str = "driver-offline";

/// How long to wait for a store that failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DriverOffline<'a> {
    driver_id: &'a DriverId,
    last_seen: Timestamp,
}

/// Delivery tracking.
pub struct Tracking {
    positions: Arc<dyn PositionStore>,
    emitter: Arc<dyn Emitter>,
    ttl: Duration,
    max_reports: usize,
    changes: KeyedLocks,
}

impl Tracking {
    /// `ttl`: how long a position is fresh; `max_reports`: the most positions in one request.
    pub fn new(
        positions: Arc<dyn PositionStore>,
        emitter: Arc<dyn Emitter>,
        ttl: Duration,
        max_reports: usize,
    ) -> Self {
        Self {
            positions,
            emitter,
            ttl,
            max_reports,
            changes: KeyedLocks::default(),
        }
    }

    /// Takes what a driver's phone reports: one position or a backlog of them. The watchers hear
    /// the newest of the request. Fails with `forbidden` for anybody but that driver or a service,
    /// with `invalid_payload` when any position is out of range, and with `position_stale` when
    /// none is newer than what is known and fresh; nothing is kept then.
    pub async fn report(
        &self,
        by: &Identity,
        driver: &DriverId,
        reports: Vec<Report>,
    ) -> Result<()> {
        check_may_report(by, driver)?;
        if reports.is_empty() || reports.len() > self.max_reports {
            let max = self.max_reports;
            return Err(Error::invalid_payload(format!(
                "1 to {max} positions are expected"
            )));
        }
        let now = Timestamp::now();
        let mut newest: Option<Position> = None;
        for report in reports {
            let position = report.check(now)?;
            if newest
                .as_ref()
                .is_none_or(|n| n.timestamp <= position.timestamp)
            {
                newest = Some(position);
            }
        }
        match newest {
            Some(position) => self.keep(driver, position, now).await,
            None => Ok(()),
        }
    }

    /// The driver's position, while it is fresh.
    pub async fn position(&self, driver: &DriverId) -> Result<Option<DriverPosition>> {
        let position = self.positions.get(driver).await?;
        let is_fresh = |position: &Position| position.timestamp.age(Timestamp::now()) < self.ttl;
        Ok(position.filter(is_fresh).map(|position| DriverPosition {
            driver_id: driver.clone(),
            position,
        }))
    }

    /// Tells the watchers of drivers who fell silent, for ever.
    pub async fn run(&self) {
        loop {
            let lapsed = match self.positions.lapsed().await {
                Ok(lapsed) => lapsed,
                Err(error) => {
                    tracing::warn!(%error, "lapsed positions could not be found");
                    tokio::time::sleep(STORE_PAUSE).await;
                    continue;
                }
            };
            for (driver, position) in lapsed {
                self.lapse(&driver, position.timestamp).await;
            }
        }
    }

    /// Holds the driver's position as it is, so that what is read meanwhile is not overtaken by
    /// what is emitted.
    pub async fn hold(&self, driver: &DriverId) -> MutexGuard<'_, ()> {
        self.changes.lock(driver).await
    }

    async fn lapse(&self, driver_id: &DriverId, last_seen: Timestamp) {
        let _order = self.hold(driver_id).await;
        if let Ok(Some(_)) = self.positions.get(driver_id).await {
            // A report came in between; its own deadline stands.
            return;
        }
        let payload = DriverOffline {
            driver_id,
            last_seen,
        };
        let to = [Room::tracking(driver_id)];
        self.emitter
            .emit(Emit::new(Class::Passing, &to, DRIVER_OFFLINE, &payload));
    }

    async fn keep(&self, driver: &DriverId, position: Position, now: Timestamp) -> Result<()> {
        let stale = || Error::new(Code::PositionStale, "A newer position is known");
        let left = self.ttl.saturating_sub(position.timestamp.age(now));
        if left.is_zero() {
            return Err(Error::new(
                Code::PositionStale,
                "recordedAt is too long ago",
            ));
        }
        let _order = self.hold(driver).await;
        if !self.positions.put(driver, position.clone(), left).await? {
            return Err(stale());
        }
        let update = DriverPosition {
            driver_id: driver.clone(),
            position,
        };
        show(&*self.emitter, &Room::tracking(driver), &update);
        Ok(())
    }
}

/// Tells the position to a room, unless a newer one was told.
pub(super) fn show(by: &dyn Emitter, to: &Room, position: &DriverPosition) {
    let number = u64::try_from(position.position.timestamp.as_ms()).ok();
    let to = std::slice::from_ref(to);
    by.emit(Emit::latest(of(&position.driver_id), to, position).numbered(number));
}

/// What its watchers are told the latest value of.
pub(super) fn of(driver: &DriverId) -> ValueOf<'_> {
    ValueOf {
        event: LOCATION_UPDATE,
        key: driver.as_str(),
    }
}

fn check_may_report(by: &Identity, driver: &DriverId) -> Result<()> {
    if by.is_service() {
        return Ok(());
    }
    let user = by.user()?;
    if user.has(Role::Driver) && user.id.as_str() == driver.as_str() {
        Ok(())
    } else {
        Err(Error::forbidden())
    }
}
