//! What the layout promises: who may name whom, and how large a file grows.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The most lines of a source file.
const MAX_LINES: usize = 300;

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn of_layer<'a>(files: &'a [PathBuf], layer: &str) -> Vec<&'a PathBuf> {
    let (folder, file) = (src().join(layer), src().join(format!("{layer}.rs")));
    let inside = |path: &&PathBuf| path.starts_with(&folder) || **path == file;
    files.iter().filter(inside).collect()
}

#[test]
fn the_inner_layers_name_no_transport_and_no_database() {
    let files = sources(&src());
    for layer in ["domain", "ports", "services"] {
        for path in of_layer(&files, layer) {
            let text = fs::read_to_string(path).unwrap();
            for name in [
                "axum::",
                "socketioxide",
                "rusqlite",
                "sqlx",
                "fred::",
                "reqwest",
            ] {
                assert!(!text.contains(name), "{} names {name}", path.display());
            }
        }
    }
}

#[test]
fn one_module_knows_socketioxide() {
    for path in sources(&src()) {
        let text = fs::read_to_string(&path).unwrap();
        // A word of the configuration is not the library.
        let text = text.replace("\"socketioxide-redis\"", "");
        let knows = text
            .lines()
            .any(|line| !line.trim_start().starts_with("//") && line.contains("socketioxide"));
        let may = path.to_string_lossy().contains("realtime/namespace");
        assert!(!knows || may, "{} knows socketioxide", path.display());
    }
}

#[test]
fn every_file_says_what_it_is_and_stays_small() {
    for path in sources(&src()) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("//! "),
            "{} does not say what it is",
            path.display()
        );
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines", path.display());
    }
}
