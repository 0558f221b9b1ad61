//! The server that is sent something, and as whom.

use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use url::Url;

use super::{
    super::{Failure, health::reachable, serve::address},
    SimulateError,
};
use crate::{
    config::{self, Auth, Config},
    http::demo::{SampleUser, everybody},
    outgoing::install_tls,
};

/// How long the server may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Somebody to report as.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    user_id: String,
    token: String,
    roles: Vec<String>,
}

impl From<SampleUser> for Account {
    fn from(user: SampleUser) -> Self {
        Self {
            user_id: user.user_id,
            token: user.token,
            roles: user.roles.iter().map(|role| (*role).to_owned()).collect(),
        }
    }
}

impl Account {
    fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|one| one == role)
    }
}

/// The server, and how to sign in there.
pub(super) struct Target {
    pub(super) client: Client,
    /// Its address, without a slash at the end.
    pub(super) base: String,
    auth: Auth,
}

impl Target {
    pub(super) fn new(url: Option<&Url>, config: Config) -> Result<Self, Failure> {
        install_tls();
        let client = Client::builder().timeout(ANSWER_LIMIT).build();
        let base = match url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => own_address(&config.server),
        };
        Ok(Self {
            client: client.map_err(unreachable)?,
            base,
            auth: config.auth,
        })
    }

    /// Signs tokens where the secret is known, and asks the server for its sample users' otherwise.
    pub(super) async fn accounts(&self) -> Result<Vec<Account>, Failure> {
        if self.auth.jwt_secret.is_empty() {
            return Ok(self.sample_users().await?);
        }
        let signed = everybody(&self.auth)?;
        Ok(signed.into_iter().map(Account::from).collect())
    }

    async fn sample_users(&self) -> Result<Vec<Account>, SimulateError> {
        let asked = self.client.get(format!("{}/demo/users", self.base)).send();
        let answer = asked.await.map_err(unreachable)?;
        if !answer.status().is_success() {
            return Err(SimulateError::NoTokens(answer.status()));
        }
        answer.json().await.map_err(unreachable)
    }
}

fn unreachable(error: reqwest::Error) -> SimulateError {
    SimulateError::Unreachable(error.into())
}

fn own_address(server: &config::Server) -> String {
    format!("http://{}", address(reachable(&server.host), server.port))
}

/// The driver's own token, or the backend's, which may report for every driver.
pub(super) fn token_for(accounts: &[Account], driver: &str) -> Option<String> {
    let own = accounts.iter().find(|account| account.user_id == driver);
    let backend = || accounts.iter().find(|account| account.has("service"));
    own.or_else(backend).map(|account| account.token.clone())
}

/// The sample drivers, then others by number.
pub(super) fn driver_ids(accounts: &[Account], wanted: usize) -> Vec<String> {
    let samples = accounts.iter().filter(|account| account.has("driver"));
    let samples: Vec<_> = samples.map(|account| account.user_id.clone()).collect();
    let others = (samples.len() + 1..).map(|n| format!("driver-{n}"));
    samples.into_iter().chain(others).take(wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_the_one_of_the_configuration_unless_named() {
        let server = config::Server {
            host: "0.0.0.0".into(),
            port: 3001,
            ..config::Server::default()
        };
        assert_eq!(own_address(&server), "http://127.0.0.1:3001");
        let url = Url::parse("https://a.example/").unwrap();
        let target = Target::new(Some(&url), Config::default()).unwrap();
        assert_eq!(target.base, "https://a.example");
    }

    #[test]
    fn drivers_beyond_the_samples_are_numbered() {
        let auth = Auth {
            jwt_secret: config::Secret::new("a secret of some length"),
            ..Auth::default()
        };
        let signed = everybody(&auth).unwrap();
        let accounts: Vec<Account> = signed.into_iter().map(Account::from).collect();
        assert_eq!(driver_ids(&accounts, 2), ["dan", "erin"]);
        assert_eq!(
            driver_ids(&accounts, 6),
            ["dan", "erin", "femi", "gus", "driver-5", "driver-6"]
        );
    }
}
