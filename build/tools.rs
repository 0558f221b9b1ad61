//! The programs that the build runs.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

const GZIP: &str = "const fs = require('fs'), zlib = require('zlib'); \
    for (const file of process.argv.slice(1)) \
    fs.writeFileSync(file + '.gz', zlib.gzipSync(fs.readFileSync(file), { level: 9 }));";

/// npm, by the name under which it can be started.
pub fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}

/// What the command printed; otherwise, in one line, why there is nothing.
pub fn run(command: &mut Command) -> Result<String, String> {
    let tool = command.get_program().to_string_lossy().into_owned();
    let done = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{tool}` cannot be started ({error})"))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&done.stderr);
    let complaint: Vec<&str> = complaint
        .lines()
        .map(|line| line.trim_start_matches("npm error").trim())
        .filter(|line| !line.is_empty() && !line.starts_with("at "))
        .take(5)
        .collect();
    Err(format!("`{tool}` failed: {}", complaint.join(", ")))
}

/// Writes a source that the compiler reads, unless it is there: a new one is compiled again.
pub fn write_source(path: &Path, source: &str) -> Result<(), String> {
    if fs::read_to_string(path).is_ok_and(|known| known == source) {
        return Ok(());
    }
    fs::write(path, source).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// Writes a `.gz` beside each of these files of a folder. Without Node they go out as they are.
pub fn compress<'a>(dir: &Path, names: impl IntoIterator<Item = &'a str>) {
    let mut node = Command::new("node");
    node.current_dir(dir).args(["-e", GZIP, "--"]).args(names);
    if let Err(reason) = run(&mut node) {
        println!("cargo::warning=what browsers load will be served uncompressed: {reason}");
    }
}

/// `Some(include_bytes!(…))` of the file's `.gz`, or `None` where there is none.
pub fn gzip_of(dir: &Path, name: &str) -> String {
    let path = dir.join(format!("{name}.gz"));
    if path.is_file() {
        format!("Some(include_bytes!({path:?}))")
    } else {
        "None".to_owned()
    }
}
