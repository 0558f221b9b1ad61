//! The program `roomcast`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    roomcast::cli::run(roomcast::cli::Cli::parse())
}
