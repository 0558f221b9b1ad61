//! Which keys and environment variables there are.

use std::collections::HashMap;

use super::{
    ConfigError, SECTIONS,
    error::ensure,
    explain::nearest,
    schema::{Key, Section},
};

/// The environment variable that names the file.
pub(super) const FILE_VARIABLE: &str = "ROOMCAST_CONFIG";

/// What the environment variables of this program begin with.
const PREFIX: &str = "ROOMCAST_";

/// The list of rules, which is no section.
const WATCH: &str = "watch";

/// The key at `section.key`.
pub(super) fn find(path: &str) -> Option<(&'static Section, &'static Key)> {
    let (section, key) = path.split_once('.')?;
    let section = SECTIONS.iter().find(|known| known.name == section)?;
    let key = section.keys.iter().find(|known| known.name == key)?;
    Some((section, key))
}

/// Every `section.key`.
pub(super) fn paths() -> Vec<String> {
    let all = |section: &'static Section| section.keys.iter().map(|key| section.path(key));
    SECTIONS.iter().flat_map(all).collect()
}

/// Refuses a file with a section or key that does not exist.
pub(super) fn check_table(table: &toml::Table, file: &str) -> Result<(), ConfigError> {
    let sections = SECTIONS.iter().map(|section| section.name);
    let sections: Vec<_> = sections.chain([WATCH]).map(str::to_owned).collect();
    for (name, value) in table.iter().filter(|(name, _)| *name != WATCH) {
        let Some(keys) = value.as_table() else {
            return Err(ConfigError::new(if sections.contains(name) {
                format!("{name} in {file} is a section: write [{name}]")
            } else {
                format!("unknown key {name} in {file}; {}", nearest(name, &paths()))
            }));
        };
        ensure(sections.contains(name), || {
            format!(
                "unknown section [{name}] in {file}; {}",
                nearest(name, &sections)
            )
        })?;
        for key in keys.keys() {
            let path = format!("{name}.{key}");
            ensure(find(&path).is_some(), || {
                format!("unknown key {path} in {file}; {}", nearest(&path, &paths()))
            })?;
        }
    }
    Ok(())
}

/// Refuses an environment variable that means to be ours and is not.
pub(super) fn check_variables(env: &HashMap<&str, &str>) -> Result<(), ConfigError> {
    let mut known = vec![FILE_VARIABLE.to_owned()];
    for section in SECTIONS {
        known.extend(section.keys.iter().map(|key| section.variable(key)));
    }
    let mut unknown: Vec<_> = env
        .iter()
        .filter(|(name, value)| name.starts_with(PREFIX) && !is_service_link(name, value))
        .map(|(name, _)| (*name).to_owned())
        .filter(|name| !known.contains(name))
        .collect();
    unknown.sort();
    let Some(name) = unknown.first() else {
        return Ok(());
    };
    let bare = name.trim_start_matches(PREFIX);
    let plain = SECTIONS.iter().flat_map(|section| section.keys);
    let plain = plain.flat_map(|key| key.env).find(|plain| **plain == bare);
    Err(ConfigError::new(match plain {
        Some(plain) => format!("unknown environment variable {name}; the nearest is {plain}"),
        None => format!(
            "unknown environment variable {name}; {}",
            nearest(name, &known)
        ),
    }))
}

/// Kubernetes puts variables like `ROOMCAST_SERVICE_HOST` and `ROOMCAST_PORT=tcp://…` into every
/// container beside a service that is named `roomcast`.
fn is_service_link(name: &str, value: &str) -> bool {
    let is_part = |protocol: &str| name.contains(protocol);
    !name.contains("__")
        && (name.ends_with("_SERVICE_HOST")
            || name.contains("_SERVICE_PORT")
            || (name.contains("_PORT_") && ["_TCP", "_UDP", "_SCTP"].into_iter().any(is_part))
            || (name.ends_with("_PORT") && value.contains("://")))
}
