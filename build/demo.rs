//! Builds the demo of `client-demo/` by npm and Vite, and writes the table by which `http::demo`
//! embeds it.
//!
//! All happens in `OUT_DIR`, on a copy of the sources: the source tree may be read-only. It is done
//! again when a source changes, and packages are installed again when their lock changes.

use std::{
    collections::hash_map::DefaultHasher,
    fmt::Write as _,
    fs,
    hash::{Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};

use crate::tools::{compress, gzip_of, npm, run, write_source};

const SOURCES: &str = "client-demo";

/// What the build reads; in folders, all that is in them.
const INPUTS: [&str; 6] = [
    ".npmrc",
    "package.json",
    "package-lock.json",
    "index.html",
    "vite.config.ts",
    "tsconfig.json",
];
const FOLDERS: [&str; 2] = ["src", "public"];

/// The oldest Node that Vite runs on.
const NODE: (u32, u32) = (20, 19);

/// Builds the demo, unless it is there from an earlier build, and writes `demo_files.rs`.
pub fn prepare(out: &Path) -> Result<(), String> {
    for name in INPUTS.iter().chain(&FOLDERS) {
        println!("cargo::rerun-if-changed={SOURCES}/{name}");
    }
    let built = build(out);
    if let Err(reason) = &built {
        println!(
            "cargo::warning=the demo at / will not be in this build: {reason}. Mend that and \
             `touch build.rs`"
        );
    }
    write_source(&out.join("demo_files.rs"), &table(&built)?)
}

/// The folder that holds the built demo.
fn build(out: &Path) -> Result<PathBuf, String> {
    let (work, dist) = (out.join(SOURCES), out.join("client-demo-dist"));
    let stamp = out.join("client-demo-stamp");
    let sources = sources()?;
    let digest = digest(&sources)?;
    if fs::read_to_string(&stamp).is_ok_and(|known| known == digest) {
        return Ok(dist);
    }
    check_node()?;
    let _ = fs::remove_file(&stamp);
    copy(&sources, &work)?;
    install(&work)?;
    let mut vite = Command::new("node");
    vite.current_dir(&work)
        .args(["node_modules/vite/bin/vite.js", "build"])
        .args(["--emptyOutDir", "--logLevel=error", "--outDir"])
        .arg(&dist);
    run(&mut vite)?;
    let names = names(&dist)?;
    compress(&dist, names.iter().map(String::as_str));
    // Last, so that an interrupted build never looks complete.
    fs::write(&stamp, digest).map_err(|error| format!("{}: {error}", stamp.display()))?;
    Ok(dist)
}

fn check_node() -> Result<(), String> {
    let mut node = Command::new("node");
    let version = run(node.args(["-p", "process.versions.node"]))?;
    let version = version.trim();
    let mut parts = version.split('.').map_while(|part| part.parse().ok());
    if (parts.next(), parts.next()) < (Some(NODE.0), Some(NODE.1)) {
        return Err(format!(
            "it needs Node {}.{} or newer, and this is {version}",
            NODE.0, NODE.1
        ));
    }
    Ok(())
}

/// Installs what the lock says, unless that was done.
fn install(work: &Path) -> Result<(), String> {
    let (lock, installed) = (work.join("package-lock.json"), work.join("installed.json"));
    let wanted = fs::read(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    if fs::read(&installed).is_ok_and(|known| known == wanted) {
        return Ok(());
    }
    let _ = fs::remove_file(&installed);
    let mut npm = npm();
    npm.current_dir(work)
        .args(["ci", "--omit=dev", "--ignore-scripts", "--prefer-offline"])
        .args(["--no-audit", "--no-fund", "--fetch-retries=1"])
        .args(["--fetch-timeout=30000", "--loglevel=error"]);
    run(&mut npm)?;
    fs::write(&installed, wanted).map_err(|error| format!("{}: {error}", installed.display()))
}

/// Every input, by its path below `client-demo`, in order.
fn sources() -> Result<Vec<String>, String> {
    let root = Path::new(SOURCES);
    let mut found: Vec<String> = INPUTS.map(str::to_owned).into();
    for folder in FOLDERS {
        walk(root, folder, &mut found)?;
    }
    found.sort();
    Ok(found)
}

/// The files of a built folder, by their path below it, in order. Without the `.gz` beside them.
fn names(dist: &Path) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    walk(dist, "", &mut found)?;
    found.retain(|name| !name.ends_with(".gz"));
    found.sort();
    Ok(found)
}

fn walk(root: &Path, folder: &str, found: &mut Vec<String>) -> Result<(), String> {
    let path = root.join(folder);
    let fail = |error| format!("{}: {error}", path.display());
    for entry in fs::read_dir(&path).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let name = match folder {
            "" => name,
            _ => format!("{folder}/{name}"),
        };
        if entry.path().is_dir() {
            walk(root, &name, found)?;
        } else {
            found.push(name);
        }
    }
    Ok(())
}

/// Changes when a source does.
fn digest(sources: &[String]) -> Result<String, String> {
    let mut hasher = DefaultHasher::new();
    for name in sources {
        let path = Path::new(SOURCES).join(name);
        let text = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        (name, text).hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Puts the sources where they are built, and takes away those of the build before.
fn copy(sources: &[String], work: &Path) -> Result<(), String> {
    for folder in FOLDERS {
        let _ = fs::remove_dir_all(work.join(folder));
    }
    for name in sources {
        let (from, to) = (Path::new(SOURCES).join(name), work.join(name));
        let fail = |error| format!("{}: {error}", to.display());
        fs::create_dir_all(to.parent().unwrap_or(work)).map_err(fail)?;
        // Not `fs::copy`, which would make a read-only source a read-only copy.
        let text = fs::read(&from).map_err(|error| format!("{}: {error}", from.display()))?;
        fs::write(&to, text).map_err(fail)?;
    }
    Ok(())
}

/// The Rust source that `http::demo` includes.
fn table(built: &Result<PathBuf, String>) -> Result<String, String> {
    let missing = built.as_ref().err();
    let mut source = format!("const MISSING: Option<&str> = {missing:?};\n");
    source.push_str("static FILES: &[File] = &[\n");
    if let Ok(dist) = built {
        for name in names(dist)? {
            let (plain, gzip) = (dist.join(&name), gzip_of(dist, &name));
            let _ = writeln!(
                source,
                "    File {{ name: {name:?}, plain: include_bytes!({plain:?}), gzip: {gzip} }},"
            );
        }
    }
    source.push_str("];\n");
    Ok(source)
}
