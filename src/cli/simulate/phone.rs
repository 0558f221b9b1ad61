//! A driver's phone: it measures where it is, and reports it whenever it has a network.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use reqwest::StatusCode;
use serde::Serialize;
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval_at},
};

use super::{
    city::{City, Journey},
    target::{Target, token_for},
};
use crate::domain::Timestamp;

/// Metres per second: of the first driver, how much faster each further one is, and after how many
/// it begins anew.
const SPEED: f64 = 11.0;
const FASTER: f64 = 1.3;
const SPEEDS: usize = 6;

/// For how long a phone is silent that has lost its network.
const SILENT_FOR: Duration = Duration::from_secs(60);

/// The most reports that a phone keeps while it cannot send them; the oldest go first.
const UNSENT: usize = 300;

/// How much of what a server says is repeated.
const SAID_CHARS: usize = 200;

/// What a phone has to tell, with its driver.
pub(super) enum News {
    Silent(String),
    Back(String),
    /// The server cannot be reached, or has no time.
    CutOff(String),
    /// It could not, and can again.
    Reached(String),
    /// The server will not take such a report, for this reason.
    Refused(String),
}

/// When a phone has a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Network {
    Always,
    /// For this time, and again after each silence.
    For(Duration),
}

impl Network {
    /// The last driver's, or another one's; zero is for ever.
    pub(super) fn of(is_last: bool, offline_after: Duration) -> Self {
        match is_last && !offline_after.is_zero() {
            true => Self::For(offline_after),
            false => Self::Always,
        }
    }

    fn is_there(self, since_start: Duration) -> bool {
        match self {
            Self::Always => true,
            Self::For(time) => {
                let cycle = (time + SILENT_FOR).as_secs_f64();
                since_start.as_secs_f64() % cycle < time.as_secs_f64()
            }
        }
    }
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    lat: f64,
    lng: f64,
    heading: f64,
    speed: f64,
    recorded_at: i64,
}

/// As exact as a phone is: a tenth of a metre.
fn rounded(degrees: f64) -> f64 {
    (degrees * 1e6).round() / 1e6
}

/// How a report fared.
enum Outcome {
    Taken,
    /// It is worth another try.
    Later,
    /// With another token perhaps; says why.
    SignInAgain(String),
    Refused(String),
}

pub(super) struct Phone {
    driver: String,
    journey: Journey,
    speed: f64,
    network: Network,
    news: mpsc::Sender<News>,
    unsent: VecDeque<Report>,
    token: Option<String>,
}

impl Phone {
    /// The n-th driver's phone.
    pub(super) fn new(
        driver: String,
        n: usize,
        city: Arc<City>,
        network: Network,
        news: mpsc::Sender<News>,
    ) -> Self {
        Self {
            driver,
            journey: Journey::new(city, n),
            speed: SPEED + FASTER * (n % SPEEDS) as f64,
            network,
            news,
            unsent: VecDeque::new(),
            token: None,
        }
    }

    /// With the token that it begins with.
    pub(super) fn signed_in(self, token: Option<String>) -> Self {
        Self { token, ..self }
    }

    /// Drives and reports, for ever.
    pub(super) async fn run(mut self, target: Arc<Target>, every: Duration) {
        let began = Instant::now();
        let mut tick = interval_at(began, every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut before = began;
        let (mut was_there, mut was_reached) = (true, true);
        loop {
            let now = tick.tick().await;
            self.measure(now - before);
            before = now;
            let is_there = self.network.is_there(now - began);
            if is_there != was_there {
                let news = if is_there { News::Back } else { News::Silent };
                self.tell(news(self.driver.clone())).await;
                was_there = is_there;
            }
            if !is_there {
                continue;
            }
            let is_reached = self.report(&target).await;
            if is_reached != was_reached {
                let news = if is_reached {
                    News::Reached
                } else {
                    News::CutOff
                };
                self.tell(news(self.driver.clone())).await;
                was_reached = is_reached;
            }
        }
    }

    fn measure(&mut self, passed: Duration) {
        self.journey.advance(self.speed * passed.as_secs_f64());
        let [lat, lng] = self.journey.coordinates().map(rounded);
        self.unsent.push_back(Report {
            lat,
            lng,
            heading: self.journey.heading().round(),
            speed: self.speed,
            recorded_at: Timestamp::now().as_ms(),
        });
        if self.unsent.len() > UNSENT {
            self.unsent.pop_front();
        }
    }

    /// Sends all that was not sent yet; whether the server was there for it.
    async fn report(&mut self, target: &Target) -> bool {
        let is_new = self.token.is_none();
        if is_new {
            let accounts = target.accounts().await;
            self.token = accounts.ok().and_then(|all| token_for(&all, &self.driver));
        }
        let Some(token) = &self.token else {
            return false;
        };
        match self.send(target, token).await {
            Outcome::Taken => self.unsent.clear(),
            Outcome::Later => return false,
            // A server that was started anew may have another secret.
            Outcome::SignInAgain(_) if !is_new => self.token = None,
            Outcome::SignInAgain(why) | Outcome::Refused(why) => {
                self.tell(News::Refused(why)).await;
            }
        }
        true
    }

    async fn send(&self, target: &Target, token: &str) -> Outcome {
        let url = format!("{}/api/driver/{}/location", target.base, self.driver);
        let request = target.client.post(url).bearer_auth(token);
        let request = match self.unsent.len() {
            1 => request.json(&self.unsent[0]),
            _ => request.json(&self.unsent),
        };
        let Ok(answer) = request.send().await else {
            return Outcome::Later;
        };
        match answer.status() {
            status if status.is_success() => Outcome::Taken,
            // Somebody has reported a newer one, so these are of no more use.
            StatusCode::CONFLICT => Outcome::Taken,
            StatusCode::TOO_MANY_REQUESTS => Outcome::Later,
            status if status.is_server_error() => Outcome::Later,
            status => {
                let said = answer.text().await.unwrap_or_default();
                let said: String = said.chars().take(SAID_CHARS).collect();
                let why = format!("{status} {said}");
                match status {
                    StatusCode::UNAUTHORIZED => Outcome::SignInAgain(why),
                    _ => Outcome::Refused(why),
                }
            }
        }
    }

    /// When nobody listens any more, the simulation ends.
    async fn tell(&self, news: News) {
        if self.news.send(news).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_phone_falls_silent_and_comes_back_after_a_minute() {
        let after = Duration::from_secs(20);
        assert_eq!(Network::of(false, after), Network::Always);
        assert_eq!(Network::of(true, Duration::ZERO), Network::Always);
        let network = Network::of(true, after);
        for (second, is_there) in [
            (0, true),
            (19, true),
            (20, false),
            (79, false),
            (80, true),
            (100, false),
        ] {
            assert_eq!(
                network.is_there(Duration::from_secs(second)),
                is_there,
                "{second} s"
            );
        }
    }

    #[test]
    fn a_phone_without_a_network_keeps_the_newest_reports() {
        let city = Arc::new(City::load().unwrap());
        let (news, _) = mpsc::channel(1);
        let mut phone = Phone::new("dan".into(), 0, city, Network::Always, news);
        for _ in 0..UNSENT + 5 {
            phone.measure(Duration::from_secs(1));
        }
        assert_eq!(phone.unsent.len(), UNSENT);
        let newest = phone.unsent.back().unwrap();
        let [lat, lng] = phone.journey.coordinates().map(rounded);
        assert_eq!([newest.lat, newest.lng], [lat, lng]);
    }
}
