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

/// The lists of rules, which are no sections.
const LISTS: [&str; 3] = ["watch", "relay", "forward"];

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
    let sections: Vec<_> = sections.chain(LISTS).map(str::to_owned).collect();
    for (name, value) in table
        .iter()
        .filter(|(name, _)| !LISTS.contains(&name.as_str()))
    {
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
        .filter(|(name, value)| is_meant_for_us(name, value))
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

/// Whether a variable can only be meant for us: it names a section, or a plain name with our prefix.
/// Others are left alone: scripts name theirs after the program, and Kubernetes puts
/// `ROOMCAST_SERVICE_HOST` and `ROOMCAST_PORT=tcp://…` beside a service that is named `roomcast`.
fn is_meant_for_us(name: &str, value: &str) -> bool {
    let Some(bare) = name.strip_prefix(PREFIX) else {
        return false;
    };
    let lower = bare.to_ascii_lowercase();
    let begins = |section: &&Section| {
        let rest = lower.strip_prefix(section.name);
        rest.is_some_and(|rest| rest.starts_with('_'))
    };
    let mut plain = SECTIONS
        .iter()
        .flat_map(|section| section.keys)
        .flat_map(|key| key.env);
    bare.contains("__")
        || SECTIONS.iter().any(|section| begins(&section))
        || (plain.any(|plain| *plain == bare) && !value.contains("://"))
}
