//! What is logged, and how.

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use super::{
    error::{ConfigError, ensure},
    schema::{choice, section},
};

choice! {
    /// How a line of the log looks.
    pub enum LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

section! {
    /// What is logged, and how. The log goes to stderr.
    pub struct Log = "log" {
        /// off, error, warn, info, debug or trace; or by part, like "info,roomcast=debug".
        #[env("LOG_LEVEL")]
        pub level: String = "info".into(),
        /// text, for people, or json, one object a line.
        pub format: LogFormat = LogFormat::Text,
    }
}

impl Log {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        // A word alone would be taken for a module's name, and switch off all else.
        let is_level = |part: &str| part.contains('=') || part.parse::<LevelFilter>().is_ok();
        let is_filter = EnvFilter::try_new(&self.level).is_ok();
        ensure(is_filter && self.level.split(',').all(is_level), || {
            format!(
                "log.level: {:?} is not off, error, warn, info, debug or trace, \
                 nor a list like info,roomcast=debug",
                self.level
            )
        })
    }
}
