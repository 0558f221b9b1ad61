//! What is said of mistakes: one line that names the key and where it stands, never a secret.

use std::path::PathBuf;

use super::{super::*, given};

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
        (
            "push.webhook_secret",
            "[push]\nwebhook_url = 'https://b.example'",
        ),
        ("push.webhook_url", "[push]\nwebhook_url = 'b.example'"),
        ("push.vapid_private_key", "[push]\nvapid_private_key = 'x'"),
        (
            "push.vapid_subject",
            "[push]\nvapid_private_key = 'yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw'",
        ),
        ("push.endpoint_hosts", "[push]\nendpoint_hosts = ['*']"),
        ("push.ttl_seconds", "[push]\nttl_seconds = 2419201"),
        ("log.level", "[log]\nlevel = 'loud=very'"),
        ("ops.listen", "[ops]\nlisten = '9090'"),
        ("cluster.redis_url", "[cluster]\nredis_url = 'redis://r'"),
        ("cluster.redis_url", "[cluster]\nredis_url = 'http://r'"),
        ("cluster.prefix", "[cluster]\nprefix = '{}'"),
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
