//! How the sources merge, and what is said of mistakes in them.

use std::{io::Write as _, path::PathBuf};

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
    assert_eq!(config.store.path, "x.db");
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
fn an_unknown_key_is_answered_by_the_nearest_one() {
    let said = |toml: &str| given(toml).error();
    assert_eq!(
        said("[server]\nprot = 1"),
        "unknown key server.prot in FILE; the nearest is server.port"
    );
    assert_eq!(
        said("[server]\njwt_secret = 'x'"),
        "unknown key server.jwt_secret in FILE; the nearest is auth.jwt_secret"
    );
    assert_eq!(
        said("port = 1"),
        "unknown key port in FILE; the nearest is server.port"
    );
    assert_eq!(
        said("[sockets]\neio3 = true"),
        "unknown section [sockets] in FILE; the nearest is socket"
    );
    assert_eq!(
        said("server = 1"),
        "server in FILE is a section: write [server]"
    );
}

#[test]
fn an_unknown_variable_is_answered_by_the_nearest_one() {
    let said = |name: &str| given("").env(name, "1").error();
    assert_eq!(
        said("ROOMCAST_SOCKET__EI03"),
        "unknown environment variable ROOMCAST_SOCKET__EI03; the nearest is ROOMCAST_SOCKET__EIO3"
    );
    assert_eq!(
        said("ROOMCAST_JWT_SECRET"),
        "unknown environment variable ROOMCAST_JWT_SECRET; the nearest is JWT_SECRET"
    );
    assert_eq!(
        said("ROOMCAST_PORT"),
        "unknown environment variable ROOMCAST_PORT; the nearest is PORT"
    );
}

#[test]
fn what_kubernetes_says_of_a_service_of_our_name_is_no_mistake() {
    given("")
        .env("ROOMCAST_SERVICE_HOST", "10.0.0.1")
        .env("ROOMCAST_SERVICE_PORT_HTTP", "80")
        .env("ROOMCAST_PORT", "tcp://10.0.0.1:80")
        .env("ROOMCAST_PORT_80_TCP_PROTO", "tcp")
        .config();
}

#[test]
fn a_misfit_names_its_key_and_where_it_came_from() {
    assert_eq!(
        given("[server]\nport = 70000").error(),
        "server.port in FILE: found 70000, expected a whole number from 0 to 65535"
    );
    assert_eq!(
        given("").env("PORT", "many").error(),
        "server.port from the environment variable PORT: found \"many\", \
         expected a whole number from 0 to 65535"
    );
    assert_eq!(
        given("[rooms]\naccess = 'all'").error(),
        "rooms.access in FILE: found \"all\", expected one of claims, members, open, webhook"
    );
    assert_eq!(
        given("").flag("--port", "server.port", "-1").error(),
        "server.port from the flag --port: found -1, \
         expected a whole number from 0 to 65535"
    );
    assert_eq!(
        given("[auth]\nguests = 'yes'").error(),
        "auth.guests in FILE: found \"yes\", expected true or false"
    );
    assert_eq!(
        given("[server]\nallowed_origins = [7]").error(),
        "server.allowed_origins.0 in FILE: found 7, expected a list of texts"
    );
}

#[test]
fn a_secret_is_never_part_of_an_error_or_of_what_is_printed() {
    for toml in [
        "[auth]\njwt_secret = 987654",
        "[auth]\njwt_secret = [987654]",
        "[auth]\napi_keys = 987654",
        "[auth]\napi_keys = ['sha256:987654']",
        "[auth]\njwt_secret = '987654",
        "[cluster]\nredis_url = 987654",
    ] {
        let error = given(toml).error();
        assert!(!error.contains("987654"), "{error}");
        assert!(error.contains("FILE"), "{error}");
    }
    let config = given("[auth]\njwt_secret = '987654'\napi_keys = ['987654']").config();
    assert!(!format!("{config:?}").contains("987654"));
    assert!(!serde_json::to_string(&config).unwrap().contains("987654"));
}

#[test]
fn a_file_that_is_not_toml_is_refused_with_its_line() {
    let error = given("[server]\nport = = 1").error();
    assert!(
        error.starts_with("FILE, line 2: not valid TOML: "),
        "{error}"
    );
}

#[test]
fn a_named_file_must_exist_whoever_names_it() {
    let path = PathBuf::from("/nowhere/roomcast.toml");
    let by_flag = Sources {
        file: Some(path.clone()),
        ..Sources::default()
    };
    let by_variable = Sources {
        env: vec![("ROOMCAST_CONFIG".into(), path.display().to_string())],
        ..Sources::default()
    };
    for sources in [by_flag, by_variable] {
        let error = Config::load(&sources).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot read /nowhere/roomcast.toml: "),
            "{error}"
        );
    }
}

#[test]
fn watch_rules_come_from_the_file_and_mistakes_in_them_are_named() {
    let rule = "[[watch]]\nevent = 'watch-table'\nroom = 'table-{id}'\n";
    let config = given(rule).config();
    assert_eq!(config.watch_rules()[2].who, Who::User);
    assert_eq!(
        given(&format!("{rule}who = 'admin'")).error(),
        "watch.0.who in FILE: found \"admin\", expected one of guest, user, driver, vendor, service"
    );
    assert_eq!(
        given(&format!("{rule}leaves = 'x'")).error(),
        "watch.0.leaves in FILE: unknown key leaves; the nearest is leave"
    );
    assert_eq!(
        given("[[watch]]\nevent = 'x'").error(),
        "watch.0 in FILE: room is missing"
    );
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
    assert_eq!(fields, sections.chain(["watch"]).collect::<Vec<_>>());
}

#[test]
fn what_cannot_work_is_refused_by_one_line_that_names_the_key() {
    for (key, toml) in [
        ("store.readers", "[store]\nreaders = 0"),
        ("limits.payload_bytes", "[limits]\npayload_bytes = 0"),
        ("tracking.ttl_ms", "[tracking]\nttl_ms = 31536000001"),
        (
            "auth.jwks_file",
            "[auth]\njwks_file = 'a'\njwks_url = 'https://b'",
        ),
        ("rooms.webhook_url", "[rooms]\naccess = 'webhook'"),
        ("rooms.webhook_url", "[rooms]\nwebhook_url = 'ftp://b'"),
        ("payments.webhook_secret", "[payments]\ngateway = 'webhook'"),
        ("payments.decline_above", "[payments]\ndecline_above = nan"),
        ("log.level", "[log]\nlevel = 'loud=very'"),
        ("ops.listen", "[ops]\nlisten = '9090'"),
        ("cluster.redis_url", "[cluster]\nredis_url = 'redis://r'"),
        (
            "server.allowed_origins",
            "[server]\nallowed_origins = ['a.example']",
        ),
    ] {
        let config = given(toml)
            .env("JWT_SECRET", "a secret of some length")
            .config();
        let error = config.check().unwrap_err().to_string();
        assert!(error.starts_with(key), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn a_short_secret_is_warned_of_and_not_shown() {
    let config = given("").env("JWT_SECRET", "hunter2").config();
    config.check().unwrap();
    let warnings = config.warnings().join("\n");
    assert!(warnings.contains("7 bytes") && !warnings.contains("hunter2"));
}
