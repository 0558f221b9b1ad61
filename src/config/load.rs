//! Merging the sources of the configuration: defaults, file, environment, flags.

use std::{collections::HashMap, fmt, fs, io, path::PathBuf};

use figment::{
    Figment, Metadata, Profile, Provider,
    value::{Dict, Map, Value},
};

use super::{
    Config, ConfigError, SECTIONS,
    explain::{explain, nearest},
    names,
    schema::{Key, Section},
};

/// The file that is read, where it exists, unless another is named.
const USUAL_FILE: &str = "roomcast.toml";

/// What the defaults are made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// For production.
    #[default]
    Standard,
    /// For a developer's machine: guests, the demo page and every origin are let in.
    Dev,
}

/// A value from the command line.
#[derive(Clone, Debug)]
pub struct Override {
    /// The flag as it is typed, like `--port`.
    pub flag: &'static str,
    /// The key that it sets, like `server.port`.
    pub key: &'static str,
    /// The value's text, read as in the environment.
    pub value: String,
}

/// Where the configuration comes from; the later source wins.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The defaults.
    pub preset: Preset,
    /// The file, which must exist. Without it the one that `ROOMCAST_CONFIG` names, which must
    /// exist too, or else `roomcast.toml` in the working directory, if there is one.
    pub file: Option<PathBuf>,
    /// The environment. An empty variable counts as not set.
    pub env: Vec<(String, String)>,
    /// Values from the command line.
    pub flags: Vec<Override>,
}

impl Sources {
    /// The environment of this process. Variables that are not UTF-8 are left out.
    pub fn environment() -> Vec<(String, String)> {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }
}

/// Where a value came from, as errors say it.
enum Origin {
    Preset,
    File(String),
    Variable(String),
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preset => f.write_str("from the flag --dev"),
            Self::File(path) => write!(f, "in {path}"),
            Self::Variable(name) => write!(f, "from the environment variable {name}"),
            Self::Flag(flag) => write!(f, "from the flag {flag}"),
        }
    }
}

/// Values of one origin.
struct Layer {
    origin: Origin,
    values: Dict,
}

impl Layer {
    fn one(origin: Origin, section: &Section, key: &Key, value: Value) -> Self {
        let keys = Dict::from([(key.name.to_owned(), value)]);
        Self {
            origin,
            values: Dict::from([(section.name.to_owned(), keys.into())]),
        }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.to_string())
    }

    fn data(&self) -> figment::error::Result<Map<Profile, Dict>> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

pub(super) fn load(sources: &Sources) -> Result<Config, ConfigError> {
    let env: HashMap<&str, &str> = sources
        .env
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    names::check_variables(&env)?;

    let mut layers = match sources.preset {
        Preset::Standard => Vec::new(),
        Preset::Dev => dev_layers(),
    };
    layers.extend(file_layer(sources.file.clone(), &env)?);
    layers.extend(variable_layers(&env));
    for flag in &sources.flags {
        layers.push(flag_layer(flag)?);
    }
    layers
        .into_iter()
        .fold(Figment::new(), Figment::merge)
        .extract()
        .map_err(|error| explain(&error))
}

fn dev_layers() -> Vec<Layer> {
    let values = [
        ("auth.guests", "true"),
        ("server.demo", "true"),
        ("server.allowed_origins", "*"),
    ];
    values
        .into_iter()
        .filter_map(|(path, text)| {
            let (section, key) = names::find(path)?;
            Some(Layer::one(
                Origin::Preset,
                section,
                key,
                key.shape.read(text),
            ))
        })
        .collect()
}

fn file_layer(
    named: Option<PathBuf>,
    env: &HashMap<&str, &str>,
) -> Result<Option<Layer>, ConfigError> {
    let named = named.or_else(|| env.get(names::FILE_VARIABLE).map(PathBuf::from));
    let may_be_absent = named.is_none();
    let path = named.unwrap_or_else(|| USUAL_FILE.into());
    let shown = path.display().to_string();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if may_be_absent && error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(ConfigError::new(format!("cannot read {shown}: {error}")));
        }
    };
    let table: toml::Table = text
        .parse()
        .map_err(|error| not_toml(&shown, &text, &error))?;
    names::check_table(&table, &shown)?;
    let values = Value::serialize(table)
        .ok()
        .and_then(Value::into_dict)
        .unwrap_or_default();
    Ok(Some(Layer {
        origin: Origin::File(shown),
        values,
    }))
}

/// One line, without the text of the file, which may hold secrets.
fn not_toml(path: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start);
    let line = text
        .bytes()
        .take(start)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1;
    let message = error.message().lines().collect::<Vec<_>>().join(", ");
    ConfigError::new(format!("{path}, line {line}: not valid TOML: {message}"))
}

/// Each key's variables, the strongest last.
fn variable_layers(env: &HashMap<&str, &str>) -> Vec<Layer> {
    let mut layers = Vec::new();
    for section in SECTIONS {
        for key in section.keys {
            let plain = key.env.iter().rev().map(|name| (*name).to_owned());
            for name in plain.chain([section.variable(key)]) {
                if let Some(text) = env.get(name.as_str()) {
                    let value = key.shape.read(text);
                    layers.push(Layer::one(Origin::Variable(name), section, key, value));
                }
            }
        }
    }
    layers
}

fn flag_layer(flag: &Override) -> Result<Layer, ConfigError> {
    let Some((section, key)) = names::find(flag.key) else {
        return Err(ConfigError::new(format!(
            "unknown key {} from the flag {}; {}",
            flag.key,
            flag.flag,
            nearest(flag.key, &names::paths())
        )));
    };
    let value = key.shape.read(&flag.value);
    Ok(Layer::one(Origin::Flag(flag.flag), section, key, value))
}
