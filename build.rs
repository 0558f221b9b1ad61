//! Fetches the stock Socket.IO client and writes the table by which `http::client_files` embeds it;
//! has the demo built likewise (`build/demo.rs`).
//!
//! The files come from the `socket.io-client` package by `npm`, checked against a known digest and
//! kept in `OUT_DIR`, or from the `dist` folder named by `SOCKETIO_CLIENT_DIR`. Where neither can
//! be had the build goes on with an empty table, and a warning says why.

#[path = "build/demo.rs"]
mod demo;
#[path = "build/tools.rs"]
mod tools;

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use tools::{compress, gzip_of, npm, run, write_source};

/// The package and the digest that npm must report for it.
const VERSION: &str = "4.8.4";
const INTEGRITY: &str = "sha512-7wjKAvVXYOJsbmUgkWbnhPD4bFpkqrUR0++XOjpGFmqDqsqV1CI93VTraeExLxpjxEqrWgFoSRZu1ihjLWfkAA==";

/// What Node's server serves, and nothing else of the package.
const NAMES: [&str; 8] = [
    "socket.io.esm.min.js",
    "socket.io.esm.min.js.map",
    "socket.io.js",
    "socket.io.js.map",
    "socket.io.min.js",
    "socket.io.min.js.map",
    "socket.io.msgpack.min.js",
    "socket.io.msgpack.min.js.map",
];

const CLIENT_DIR: &str = "SOCKETIO_CLIENT_DIR";

/// The client's files in `OUT_DIR`, each perhaps with its `.gz` beside it.
struct Client {
    version: String,
    dir: PathBuf,
}

fn main() -> Result<(), String> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-env-changed={CLIENT_DIR}");
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    let out = Path::new(&out);
    demo::prepare(out)?;
    let client = match env::var_os(CLIENT_DIR) {
        Some(dir) if !dir.is_empty() => {
            let dir = Path::new(&dir);
            println!("cargo::rerun-if-changed={}", dir.display());
            from_folder(dir, out)
        }
        _ => from_npm(out),
    };
    if let Err(reason) = &client {
        println!(
            "cargo::warning=/socket.io/socket.io.js and its variants will answer 404: {reason}. \
             Mend that and `touch build.rs`, or set {CLIENT_DIR} to the `dist` folder of a \
             socket.io-client package"
        );
    }
    write_source(&out.join("client_files.rs"), &table(&client))
}

/// The pinned package, from the registry that npm is configured for.
fn from_npm(out: &Path) -> Result<Client, String> {
    let client = Client {
        version: VERSION.to_owned(),
        dir: out.join(format!("socket.io-client-{VERSION}")),
    };
    if NAMES.iter().all(|name| client.dir.join(name).is_file()) {
        return Ok(client);
    }
    let mut npm = npm();
    npm.current_dir(out)
        .args(["pack", &format!("socket.io-client@{VERSION}"), "--json"])
        .args(["--ignore-scripts", "--fetch-retries=1"])
        .args(["--fetch-timeout=30000", "--loglevel=error"]);
    let packed = run(&mut npm)?;
    if !packed.contains(INTEGRITY) {
        return Err(format!(
            "npm delivered a socket.io-client {VERSION} other than the published one"
        ));
    }
    let mut tar = Command::new("tar");
    tar.current_dir(out)
        .arg("-xzf")
        .arg(format!("socket.io-client-{VERSION}.tgz"))
        .arg("package/dist");
    run(&mut tar)?;
    let dist = out.join("package").join("dist");
    compress(&dist, NAMES);
    // Last, so that an interrupted build never leaves a folder that looks complete.
    fs::rename(&dist, &client.dir)
        .map_err(|error| format!("{} cannot be moved: {error}", dist.display()))?;
    Ok(client)
}

/// Files that are already on this machine; their own banner says which version they are.
fn from_folder(dist: &Path, out: &Path) -> Result<Client, String> {
    let dir = out.join("socket.io-client-local");
    if let Err(error) = fs::remove_dir_all(&dir)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(format!("{} cannot be removed: {error}", dir.display()));
    }
    copy(dist, &dir)?;
    let banner = fs::read_to_string(dir.join("socket.io.js"))
        .map_err(|error| format!("socket.io.js cannot be read: {error}"))?;
    let version = banner
        .split_once("Socket.IO v")
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .ok_or_else(|| format!("{}/socket.io.js does not name its version", dist.display()))?
        .to_owned();
    compress(&dir, NAMES);
    Ok(Client { version, dir })
}

/// Copies the files that are served.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::create_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    for name in NAMES {
        fs::copy(from.join(name), to.join(name))
            .map_err(|error| format!("{}: {error}", from.join(name).display()))?;
    }
    Ok(())
}

/// The Rust source that `http::client_files` includes.
fn table(client: &Result<Client, String>) -> String {
    let mut source = format!("const NAMES: [&str; {}] = {NAMES:?};\n", NAMES.len());
    let (version, missing) = match client {
        Ok(client) => (client.version.as_str(), None),
        Err(reason) => ("", Some(reason.as_str())),
    };
    let _ = writeln!(source, "const VERSION: &str = {version:?};");
    let _ = writeln!(source, "const MISSING: Option<&str> = {missing:?};");
    source.push_str("static FILES: &[File] = &[\n");
    for (dir, name) in client.iter().flat_map(|c| NAMES.map(|name| (&c.dir, name))) {
        let gzip = gzip_of(dir, name);
        let plain_path = dir.join(name);
        let _ = writeln!(
            source,
            "    File {{ name: {name:?}, plain: include_bytes!({plain_path:?}), gzip: {gzip} }},"
        );
    }
    source.push_str("];\n");
    source
}
