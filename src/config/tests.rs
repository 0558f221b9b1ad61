//! How the sources merge, and what the defaults are.

mod mistakes;
mod reference;

use std::io::Write as _;

use tempfile::NamedTempFile;

use super::*;

/// Sources that see only what a test gives them.
struct Given {
    file: NamedTempFile,
    sources: Sources,
}

fn given(toml: &str) -> Given {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(toml.as_bytes()).unwrap();
    let sources = Sources {
        file: Some(file.path().to_owned()),
        ..Sources::default()
    };
    Given { file, sources }
}

impl Given {
    fn env(mut self, name: &str, value: &str) -> Self {
        self.sources.env.push((name.into(), value.into()));
        self
    }

    fn flag(mut self, flag: &'static str, key: &'static str, value: &str) -> Self {
        let value = value.into();
        self.sources.flags.push(Override { flag, key, value });
        self
    }

    fn dev(mut self) -> Self {
        self.sources.preset = Preset::Dev;
        self
    }

    fn config(&self) -> Config {
        Config::load(&self.sources).unwrap()
    }

    /// The error, with the file's path as `FILE`.
    fn error(&self) -> String {
        let error = Config::load(&self.sources).unwrap_err().to_string();
        assert_eq!(error.lines().count(), 1, "{error}");
        error.replace(&self.file.path().display().to_string(), "FILE")
    }
}

#[test]
fn flags_win_over_the_environment_over_the_file_over_the_defaults() {
    let config = given("[server]\nport = 1\nhost = '::1'\ndrain_deadline_ms = 7")
        .env("PORT", "2")
        .env("ROOMCAST_SERVER__HOST", "0.0.0.0")
        .flag("--port", "server.port", "3")
        .config();
    assert_eq!(config.server.port, 3);
    assert_eq!(config.server.host, "0.0.0.0");
    assert_eq!(config.server.drain_deadline_ms, 7);
    assert_eq!(config.typing.timeout_ms, 6_000);
}

#[test]
fn a_full_name_in_the_environment_wins_over_the_plain_ones_and_they_in_order() {
    let both = given("")
        .env("CLIENT_URL", "https://client.example")
        .env("ALLOWED_ORIGINS", "https://a.example, https://b.example/ ,");
    assert_eq!(
        both.config().server.allowed_origins,
        ["https://a.example", "https://b.example"]
    );
    let all = both.env("ROOMCAST_SERVER__ALLOWED_ORIGINS", "*");
    assert_eq!(all.config().server.allowed_origins, ["*"]);
}

#[test]
fn text_from_the_environment_is_read_as_the_type_of_its_key() {
    let config = given("")
        .env("JWT_SECRET", "12345")
        .env("API_KEYS", "one, two")
        .env("DATABASE_URL", "sqlite://x.db?mode=rwc")
        .env("ROOMCAST_SOCKET__EIO3", "1")
        .env("ROOMCAST_AUTH__GUESTS", "true")
        .env("ROOMCAST_SOCKET__PARSER", "msgpack")
        .env("ROOMCAST_PAYMENTS__DECLINE_ABOVE", "99.5")
        .env("ROOMCAST_AUTH__ISSUER", "true")
        .config();
    assert_eq!(config.auth.jwt_secret.expose(), "12345");
    assert_eq!(config.auth.api_keys.digests().len(), 2);
    assert_eq!(config.auth.issuer, "true");
    assert_eq!(config.store.file(), "x.db");
    assert!(config.socket.eio3 && config.auth.guests);
    assert_eq!(config.socket.parser, Parser::Msgpack);
    assert_eq!(config.payments.decline_above, 99.5);
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let config = given("[server]\nport = 1").env("PORT", "").config();
    assert_eq!(config.server.port, 1);
}

#[test]
fn dev_lets_guests_and_every_origin_in_unless_told_otherwise() {
    let config = given("[server]\nallowed_origins = ['https://a.example']")
        .dev()
        .config();
    assert!(config.auth.guests && config.server.demo);
    assert_eq!(config.server.allowed_origins, ["https://a.example"]);
    assert_eq!(given("").dev().config().server.allowed_origins, ["*"]);
    let strict = given("").dev().env("ROOMCAST_AUTH__GUESTS", "0").config();
    assert!(!strict.auth.guests);
}

#[test]
fn the_printed_defaults_are_read_back_and_lack_only_a_secret() {
    let document = Config::document().unwrap();
    let config = given(&document).config();
    assert_eq!(
        serde_json::to_value(&config).unwrap(),
        serde_json::to_value(Config::default()).unwrap()
    );
    assert_eq!(
        config.check().unwrap_err().to_string(),
        "JWT_SECRET is not set: set it (or auth.jwks_file / auth.jwks_url), or start with --dev"
    );
    given(&document)
        .env("JWT_SECRET", "a secret of some length")
        .config()
        .check()
        .unwrap();
}

#[test]
fn every_section_of_the_configuration_is_in_the_table_of_sections() {
    let config = serde_json::to_value(Config::default()).unwrap();
    let fields: Vec<_> = config.as_object().unwrap().keys().cloned().collect();
    let sections = SECTIONS.iter().map(|section| section.name);
    assert_eq!(
        fields,
        sections
            .chain(["watch", "relay", "forward"])
            .collect::<Vec<_>>()
    );
}
