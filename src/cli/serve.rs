//! `roomcast serve`: from the configuration to a listening server.

use std::{io, path::PathBuf};

use clap::Args;
use tokio::net::TcpListener;

use super::{Failure, FileArgs, complain, say, signals};
use crate::{
    config::{Config, Override, Preset, Secret},
    http::demo::sample_users,
    server::Server,
};

/// `roomcast serve`.
#[derive(Args, Debug)]
pub(super) struct ServeArgs {
    /// For development: guests, the demo page, any origin, sample users, and a secret made up
    /// where none is set
    #[arg(long)]
    dev: bool,
    /// The address or host name to listen on [default: 127.0.0.1]
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// The port to listen on; 0 is any free one [default: 3000]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// The database file [default: ./data/roomcast.db]
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    #[command(flatten)]
    file: FileArgs,
}

impl ServeArgs {
    fn preset(&self) -> Preset {
        if self.dev {
            Preset::Dev
        } else {
            Preset::Standard
        }
    }

    fn overrides(&self) -> Vec<Override> {
        let data = self.data.as_ref().map(|path| path.display().to_string());
        let port = self.port.map(|port| port.to_string());
        [
            ("--host", "server.host", self.host.clone()),
            ("--port", "server.port", port),
            ("--data", "store.path", data),
        ]
        .into_iter()
        .filter_map(|(flag, key, value)| {
            Some(Override {
                flag,
                key,
                value: value?,
            })
        })
        .collect()
    }
}

/// Serves until a signal ends it. The port is taken before anything is said to be ready.
pub(super) fn run(args: &ServeArgs) -> Result<(), Failure> {
    let preset = args.preset();
    let mut config = Config::load(&args.file.sources(preset, args.overrides()))?;
    let welcome = match preset {
        Preset::Standard => Vec::new(),
        Preset::Dev => welcome(&mut config)?,
    };
    config.check()?;
    for warning in config.warnings() {
        complain(&format!("warning: {warning}"));
    }
    crate::telemetry::init(&config.log);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    runtime.block_on(Box::pin(serve(config, welcome)))
}

async fn serve(config: Config, welcome: Vec<String>) -> Result<(), Failure> {
    let shutdown = signals::shutdown().map_err(Failure::Runtime)?;
    let listener = listen(&config.server.host, config.server.port).await?;
    for line in &welcome {
        say(line)?;
    }
    Server::new(config).run(listener, shutdown).await?;
    Ok(())
}

/// What `--dev` prints: the secret, where it had to make one up, and a token for each sample user.
fn welcome(config: &mut Config) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    if config.auth.jwt_secret.is_empty() {
        let secret = hex::encode(rand::random::<[u8; 32]>());
        lines.push(format!("secret: {secret}"));
        config.auth.jwt_secret = Secret::new(secret);
    }
    for user in sample_users(&config.auth)? {
        lines.push(format!("token for {}: {}", user.user_id, user.token));
    }
    Ok(lines)
}

async fn listen(host: &str, port: u16) -> Result<TcpListener, Failure> {
    crate::server::reserve(host, port)
        .await
        .map_err(|error| Failure::Listen {
            address: address(host, port),
            reason: reason(&error),
        })
}

/// As it stands in a URL.
pub(super) fn address(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "address in use".into(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_is_taken_is_named() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let failure = listen("127.0.0.1", address.port()).await.unwrap_err();
        assert_eq!(
            failure.to_string(),
            format!("cannot listen on {address}: address in use")
        );
    }

    #[test]
    fn an_ipv6_address_is_written_in_brackets() {
        assert_eq!(address("::1", 3000), "[::1]:3000");
    }

    #[test]
    fn dev_makes_up_a_secret_only_where_none_is_set() {
        let mut bare = Config::default();
        let lines = welcome(&mut bare).unwrap();
        assert_eq!(
            lines[0],
            format!("secret: {}", bare.auth.jwt_secret.expose())
        );
        assert!(lines[1].starts_with("token for alice: ey"));
        assert_eq!(lines.len(), 4);

        let mut set = Config::default();
        set.auth.jwt_secret = Secret::new("a secret of some length");
        assert_eq!(welcome(&mut set).unwrap().len(), 3);
    }
}
