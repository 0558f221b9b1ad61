//! A server of one's own for each test, and a small Socket.IO client.

use std::{net::SocketAddr, time::Duration};

use roomcast::{
    Namespace, Server,
    auth::{MintClaims, mint},
    config::{ApiKeys, Config, Secret},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

#[path = "support/client.rs"]
mod client;

pub use client::{Client, Refused};

/// How long anything may take that must happen.
pub const PATIENCE: Duration = Duration::from_secs(10);

const SECRET: &str = "a secret for the specifications";
const API_KEY: &str = "a key for the specifications";

/// A running server with a database of its own.
pub struct TestApp {
    address: SocketAddr,
    http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
    data: Option<TempDir>,
}

/// The claims of a test token.
pub fn claims(user: &str) -> MintClaims {
    MintClaims {
        sub: user.to_owned(),
        name: Some(user.to_uppercase()),
        rooms: vec!["*".to_owned()],
        roles: Vec::new(),
        issuer: String::new(),
        audience: String::new(),
        ttl: Duration::from_secs(600),
    }
}

/// A token that this test's servers accept.
pub fn token(claims: &MintClaims) -> String {
    mint(SECRET.as_bytes(), claims).unwrap()
}

impl TestApp {
    /// A server with the defaults.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A server with some settings changed.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::build(change, |server| server, tempfile::tempdir().unwrap()).await
    }

    /// A server with a namespace added.
    pub async fn with_namespace(namespace: Namespace) -> Self {
        let add = |server: Server| server.namespace(namespace);
        Self::build(|_| {}, add, tempfile::tempdir().unwrap()).await
    }

    /// A server with some settings changed, dressed as this test needs it.
    pub async fn build_with(
        change: impl FnOnce(&mut Config),
        dress: impl FnOnce(Server) -> Server,
    ) -> Self {
        Self::build(change, dress, tempfile::tempdir().unwrap()).await
    }

    /// Stops the server as SIGTERM does and starts one on the same data.
    pub async fn restarted_with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        let data = self.data.take().unwrap();
        self.stop().await;
        Self::build(change, |server| server, data).await
    }

    async fn build(
        change: impl FnOnce(&mut Config),
        dress: impl FnOnce(Server) -> Server,
        data: TempDir,
    ) -> Self {
        let mut config = Config::default();
        config.auth.jwt_secret = Secret::new(SECRET);
        config.auth.api_keys = ApiKeys::new([API_KEY]).unwrap();
        config.store.path = Secret::new(data.path().join("roomcast.db").display().to_string());
        change(&mut config);
        // Requests of these tests use no TLS, but the client wants to know whose it would be.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let server = dress(Server::new(config));
        let server = tokio::spawn(async move {
            if let Err(error) = server.run(listener, shutdown).await {
                panic!("the server did not start: {error}");
            }
        });
        Self {
            address,
            http: reqwest::Client::new(),
            stop: Some(stop),
            server: Some(server),
            data: Some(data),
        }
    }

    /// Tells the server to stop and waits until it has.
    pub async fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            tokio::time::timeout(PATIENCE, server)
                .await
                .unwrap()
                .unwrap();
        }
    }

    /// Connects a user who may enter every room.
    pub async fn connect(&self, user: &str) -> Client {
        self.connect_as(&token(&claims(user))).await.unwrap()
    }

    /// Connects with a token; an empty one is none.
    pub async fn connect_as(&self, token: &str) -> Result<Client, Refused> {
        Client::connect(self.address, "/", token).await
    }

    /// Connects a user to another namespace.
    pub async fn connect_to(&self, namespace: &str, user: &str) -> Result<Client, Refused> {
        Client::connect(self.address, namespace, &token(&claims(user))).await
    }

    /// Connects a user and joins a room.
    pub async fn joined(&self, user: &str, room: &str) -> Client {
        let mut client = self.connect(user).await;
        client.ok("join:room", room).await;
        client
    }

    /// A request of a backend.
    pub async fn backend(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.request(method, path, Some(API_KEY), Some(body)).await
    }

    /// A request with a user's token.
    pub async fn as_user(&self, user: &str, method: &str, path: &str) -> (u16, Value) {
        let token = token(&claims(user));
        self.request(method, path, Some(&token), None).await
    }

    /// A request with any bearer credential; the answer's body is null when it is not JSON.
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        bearer: Option<&str>,
        body: Option<Value>,
    ) -> (u16, Value) {
        let mut request = self.raw(method, path);
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// A request to be completed by the test.
    pub fn raw(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("http://{}{path}", self.address);
        self.http.request(method.parse().unwrap(), url)
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
