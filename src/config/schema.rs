//! How a section of the configuration is declared: each key's meaning, default and names in one place.

use figment::value::Value;
use serde::Serialize;

use super::{ApiKeys, Secret};

/// What the values of a key look like, which is also how text from the environment is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Text, taken as it stands.
    Text,
    /// Text that is never shown.
    Secret,
    /// Texts; from the environment separated by commas.
    List,
    /// Texts that are never shown.
    SecretList,
    /// `true` or `false`; `1` and `0` from the environment too.
    Flag,
    /// A whole number from 0 up to this one.
    Count(u64),
    /// A number.
    Number,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl Shape {
    /// A value from text of the environment or a flag. Text that does not fit stays text, so that
    /// the reader of the section refuses it.
    pub(super) fn read(self, text: &str) -> Value {
        let word = text.trim();
        match self {
            Self::Text | Self::Secret => text.into(),
            Self::Choice(_) => word.into(),
            Self::List | Self::SecretList => word
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(Value::from)
                .collect::<Vec<_>>()
                .into(),
            Self::Flag => match word {
                "true" | "1" => true.into(),
                "false" | "0" => false.into(),
                _ => text.into(),
            },
            Self::Count(_) => word
                .parse::<i64>()
                .map_or_else(|_| text.into(), Value::from),
            Self::Number => word
                .parse::<f64>()
                .map_or_else(|_| text.into(), Value::from),
        }
    }

    /// What is expected, for an error.
    pub(super) fn expected(self) -> String {
        match self {
            Self::Text | Self::Secret => "text".into(),
            Self::List | Self::SecretList => "a list of texts".into(),
            Self::Flag => "true or false".into(),
            Self::Count(max) if max < u64::from(u32::MAX) => {
                format!("a whole number from 0 to {max}")
            }
            Self::Count(_) => "a whole number, not negative".into(),
            Self::Number => "a number".into(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
        }
    }

    /// Whether values must not be shown.
    pub(super) fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::SecretList)
    }
}

/// A type that a key can have.
pub(super) trait Setting: Serialize {
    /// What its values look like.
    const SHAPE: Shape;
}

macro_rules! settings {
    ($($type:ty => $shape:expr;)*) => {
        $(impl Setting for $type { const SHAPE: Shape = $shape; })*
    };
}

settings! {
    String => Shape::Text;
    Secret => Shape::Secret;
    Vec<String> => Shape::List;
    ApiKeys => Shape::SecretList;
    bool => Shape::Flag;
    u16 => Shape::Count(u16::MAX as u64);
    u32 => Shape::Count(u32::MAX as u64);
    u64 => Shape::Count(u64::MAX);
    usize => Shape::Count(u64::MAX);
    f64 => Shape::Number;
}

/// One key.
#[derive(Debug)]
pub(super) struct Key {
    /// Its name within the section.
    pub(super) name: &'static str,
    /// Its meaning, line by line.
    pub(super) doc: &'static [&'static str],
    /// Plain names in the environment, the strongest first.
    pub(super) env: &'static [&'static str],
    /// The least value of a whole number.
    pub(super) min: u64,
    /// What its values look like.
    pub(super) shape: Shape,
}

/// One section.
pub(super) struct Section {
    /// Its name.
    pub(super) name: &'static str,
    /// Its meaning, line by line.
    pub(super) doc: &'static [&'static str],
    /// Its keys.
    pub(super) keys: &'static [Key],
    /// The default of every key.
    pub(super) defaults: fn() -> Result<toml::Table, toml::ser::Error>,
}

impl Section {
    /// `section.key`.
    pub(super) fn path(&self, key: &Key) -> String {
        format!("{}.{}", self.name, key.name)
    }

    /// `ROOMCAST_SECTION__KEY`.
    pub(super) fn variable(&self, key: &Key) -> String {
        format!("ROOMCAST_{}__{}", self.name, key.name).to_uppercase()
    }
}

/// Declares a section: its struct, its defaults, and the table of its keys.
///
/// `#[env("NAME")]` gives a key plain names in the environment, `#[min(1)]` its least value.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident = $section:literal {
            $(
                $(#[doc = $doc:literal])+
                $(#[env($($env:literal),+)])?
                $(#[min($min:literal)])?
                pub $key:ident: $type:ty = $default:expr,
            )*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $key: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($key: $default,)* }
            }
        }

        impl $name {
            pub(super) const SECTION: $crate::config::schema::Section =
                $crate::config::schema::Section {
                    name: $section,
                    doc: &[$($about),+],
                    keys: &[$($crate::config::schema::Key {
                        name: stringify!($key),
                        doc: &[$($doc),+],
                        env: &[$($($env),+)?],
                        min: 0 $(+ $min)?,
                        shape: <$type as $crate::config::schema::Setting>::SHAPE,
                    }),*],
                    defaults: || toml::Table::try_from(Self::default()),
                };
        }
    };
}

/// Declares a key's type that is one of a few words.
macro_rules! choice {
    (
        $(#[doc = $about:literal])+
        pub enum $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+ }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[doc = $doc])+ #[serde(rename = $word)] $variant,)+
        }

        impl $crate::config::schema::Setting for $name {
            const SHAPE: $crate::config::schema::Shape =
                $crate::config::schema::Shape::Choice(&[$($word),+]);
        }
    };
}

pub(super) use {choice, section};
