//! `roomcast health`: whether the server of this configuration answers, for containers.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use clap::Args;

use super::FileArgs;
use crate::config;

/// How long the server may take.
const TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Args, Debug)]
pub struct HealthArgs {
    /// Ask whether it takes work, not only whether it lives
    #[arg(long)]
    ready: bool,
    #[command(flatten)]
    pub file: FileArgs,
}

impl HealthArgs {
    /// Asks the server; the first line of its answer when that is no success.
    pub fn ask(&self, server: &config::Server) -> io::Result<Result<(), String>> {
        let host = reachable(&server.host);
        let address = (host, server.port).to_socket_addrs()?.next();
        let address = address.ok_or_else(|| io::Error::other("the host has no address"))?;
        let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let path = if self.ready { "/readyz" } else { "/healthz" };
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.lines().next().unwrap_or_default();
        Ok(if status.contains(" 200 ") {
            Ok(())
        } else {
            Err(status.to_owned())
        })
    }
}

/// Where a server on this machine can be reached that listens on this address.
pub(super) fn reachable(host: &str) -> &str {
    match host {
        "0.0.0.0" => "127.0.0.1",
        "::" => "::1",
        host => host,
    }
}
