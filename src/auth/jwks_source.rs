//! Reading a JWKS from a file or an address.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{Client, StatusCode, Url, redirect};

use super::{JwksSource, jwk::KeySet};

/// How long an address has to answer in full.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// The largest JWKS that is read, in bytes.
const MAX_JWKS_BYTES: usize = 1024 * 1024;

/// How many redirects of an address are followed.
const MAX_REDIRECTS: usize = 3;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// Not an address that can be asked.
    #[error("is not a valid http or https URL")]
    InvalidUrl,
    /// No HTTP client, for example since the system has no CA certificates.
    #[error("cannot be fetched, as the HTTP client does not start: {0}")]
    Client(#[source] reqwest::Error),
    /// The address does not answer.
    #[error("cannot be fetched: {0}")]
    Unreachable(#[source] reqwest::Error),
    /// The address answers with something else than success.
    #[error("cannot be fetched: the answer is {0}")]
    Status(StatusCode),
    /// More than 1 MiB.
    #[error("is larger than {MAX_JWKS_BYTES} bytes")]
    TooLarge,
    /// Not a JSON object with `keys`.
    #[error("is not a JSON Web Key Set")]
    Malformed,
    /// No key that fits RS256, ES256 or EdDSA.
    #[error("has no usable key (RSA from 2048 to 4096 bits, EC P-256 or Ed25519)")]
    NoUsableKey,
}

impl JwksError {
    /// Whether trying again may help without anybody changing anything here.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Status(_))
    }
}

/// Reads the key set anew each time it is asked.
pub enum Loader {
    File(PathBuf),
    Url { client: Client, url: Url },
}

impl Loader {
    pub fn new(source: JwksSource) -> Result<Self, JwksError> {
        match source {
            JwksSource::File(path) => Ok(Self::File(path)),
            JwksSource::Url(text) => {
                let url = Url::parse(&text).map_err(|_| JwksError::InvalidUrl)?;
                if !matches!(url.scheme(), "http" | "https") {
                    return Err(JwksError::InvalidUrl);
                }
                let client = client(&url).map_err(JwksError::Client)?;
                Ok(Self::Url { client, url })
            }
        }
    }

    pub async fn load(&self) -> Result<KeySet, JwksError> {
        match self {
            Self::File(path) => {
                let path = path.clone();
                let reading = tokio::task::spawn_blocking(move || read_keys(&path));
                reading.await.map_err(io::Error::other)?
            }
            Self::Url { client, url } => keys(&fetch(client, url.clone()).await?),
        }
    }
}

/// The keys in a file. Blocks.
pub fn read_keys(path: &Path) -> Result<KeySet, JwksError> {
    keys(&read(path)?)
}

fn keys(json: &[u8]) -> Result<KeySet, JwksError> {
    KeySet::from_json(json).ok_or(JwksError::Malformed)
}

fn client(url: &Url) -> reqwest::Result<Client> {
    crate::outgoing::install_tls();
    Client::builder()
        .timeout(FETCH_TIMEOUT)
        .redirect(redirect::Policy::limited(MAX_REDIRECTS))
        // A redirect must not take keys from a safe address to an unsafe one.
        .https_only(url.scheme() == "https")
        .build()
}

fn read(path: &Path) -> Result<Vec<u8>, JwksError> {
    let mut json = Vec::new();
    let limit = MAX_JWKS_BYTES as u64 + 1;
    File::open(path)?.take(limit).read_to_end(&mut json)?;
    if json.len() > MAX_JWKS_BYTES {
        return Err(JwksError::TooLarge);
    }
    Ok(json)
}

async fn fetch(client: &Client, url: Url) -> Result<Vec<u8>, JwksError> {
    // The address may hold a secret, so it stays out of what is logged.
    let unreachable = |error: reqwest::Error| JwksError::Unreachable(error.without_url());
    let mut response = client.get(url).send().await.map_err(unreachable)?;
    if !response.status().is_success() {
        return Err(JwksError::Status(response.status()));
    }
    let mut json = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if json.len() + chunk.len() > MAX_JWKS_BYTES {
            return Err(JwksError::TooLarge);
        }
        json.extend_from_slice(&chunk);
    }
    Ok(json)
}
