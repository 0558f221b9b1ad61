//! The program `roomcast`.

use std::process::ExitCode;

use clap::Parser;

/// Chosen by measurement (`cargo bench --bench idle`): after a crowd of connections has gone, the
/// system's allocator keeps nearly all that it took, and this one gives most of it back.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    roomcast::cli::run(roomcast::cli::Cli::parse())
}
