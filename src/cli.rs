//! The command line: what each command does, and how its failures are told.

mod health;
mod password;
mod serve;
mod signals;
mod simulate;
mod token;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

use crate::{
    auth::{AuthSetupError, MintError, check_jwks_file},
    config::{Config, ConfigError, Override, Preset, Sources},
};
use health::HealthArgs;
use password::PasswordError;
use serve::ServeArgs;
use simulate::{SimulateArgs, SimulateError};
use token::TokenArgs;

/// A Socket.IO-compatible realtime server: chat, presence, live tracking and push.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server (what happens without a command, too)
    Serve(ServeArgs),
    /// Print a token signed with the configured secret
    Token(TokenArgs),
    /// Say whether a server can start with this configuration
    CheckConfig(FileArgs),
    /// Ask the running server of this configuration whether it lives
    Health(HealthArgs),
    /// Send a running server the traffic of simulated drivers
    Simulate(SimulateArgs),
    /// Print the bcrypt hash of the password on stdin, for admin.password
    HashPassword,
    /// Print a roomcast.toml with every key, its default and meaning
    DefaultConfig,
}

#[derive(Args, Debug)]
struct FileArgs {
    /// The configuration file [default: ROOMCAST_CONFIG, else ./roomcast.toml where it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl FileArgs {
    fn sources(&self, preset: Preset, flags: Vec<Override>) -> Sources {
        Sources {
            preset,
            file: self.config.clone(),
            env: Sources::environment(),
            flags,
        }
    }
}

/// Why a command failed, in one line.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("JWT_SECRET is not set, and tokens are signed with it")]
    NoSecret,
    #[error(transparent)]
    Token(#[from] MintError),
    #[error(transparent)]
    Keys(#[from] AuthSetupError),
    #[error("cannot listen on {address}: {reason}")]
    Listen { address: String, reason: String },
    #[error("cannot start: {0}")]
    Runtime(io::Error),
    #[error("cannot write to stdout: {0}")]
    Stdout(io::Error),
    #[error("the server cannot be asked: {0}")]
    Unreachable(io::Error),
    #[error("the server answers: {0}")]
    Unhealthy(String),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    #[error(transparent)]
    Server(#[from] crate::server::StartError),
}

/// Runs a command: exit code 0 when it succeeded, else 1 and one line on stderr that begins with
/// `roomcast: `.
pub fn run(cli: Cli) -> ExitCode {
    let outcome = match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) => serve::run(&args),
        Command::Token(args) => print_token(&args),
        Command::CheckConfig(args) => check_config(&args),
        Command::Health(args) => ask_health(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::HashPassword => say_hash(),
        Command::DefaultConfig => print_defaults(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

fn print_token(args: &TokenArgs) -> Result<(), Failure> {
    let config = Config::load(&args.file.sources(Preset::Standard, Vec::new()))?;
    say(&token::sign(&config.auth, &args.claims(&config.auth))?)
}

fn check_config(args: &FileArgs) -> Result<(), Failure> {
    let config = Config::load(&args.sources(Preset::Standard, Vec::new()))?;
    config.check()?;
    if !config.auth.jwks_file.is_empty() {
        check_jwks_file(Path::new(&config.auth.jwks_file))?;
    }
    for warning in config.warnings() {
        complain(&format!("warning: {warning}"));
    }
    say("configuration is valid")
}

fn ask_health(args: &HealthArgs) -> Result<(), Failure> {
    let config = Config::load(&args.file.sources(Preset::Standard, Vec::new()))?;
    let answer = args.ask(&config.server).map_err(Failure::Unreachable)?;
    answer.map_err(Failure::Unhealthy)?;
    say("healthy")
}

fn say_hash() -> Result<(), Failure> {
    say(&password::hash(io::stdin().lock())?)
}

fn print_defaults() -> Result<(), Failure> {
    say(Config::document()?.trim_end())
}

/// Writes a line to stdout at once.
fn say(line: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .map_err(Failure::Stdout)
}

/// Writes a line to stderr, as one line whatever it holds. When stderr is gone nobody is left to
/// be told.
fn complain(line: &str) {
    let line = line.lines().collect::<Vec<_>>().join(" ");
    let _ = writeln!(io::stderr(), "roomcast: {line}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_bare_command_line_serves() {
        for line in [&["roomcast", "--dev"][..], &["roomcast", "serve", "--dev"]] {
            let cli = Cli::try_parse_from(line).unwrap();
            let command = cli.command.unwrap_or(Command::Serve(cli.serve));
            assert!(matches!(command, Command::Serve(_)), "{line:?}");
        }
    }

    #[test]
    fn a_wrong_usage_exits_with_2() {
        for line in [&["roomcast", "server"][..], &["roomcast", "token"]] {
            let error = Cli::try_parse_from(line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line:?}");
        }
    }
}
