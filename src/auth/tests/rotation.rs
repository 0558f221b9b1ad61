//! Keys that change while tokens come in, from an address and from a file.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{Router, extract::State, http::StatusCode, response::Redirect, routing::get};
use tokio::net::TcpListener;

use super::{super::Pace, *};

/// Far longer than any of these specifications takes.
const LONG: Duration = Duration::from_secs(3600);

/// What the issuer serves, and how often it was asked.
#[derive(Default)]
struct Issuer {
    answer: Mutex<(StatusCode, String)>,
    hits: AtomicUsize,
}

impl Issuer {
    async fn start(keys: &[&str]) -> (Arc<Self>, String) {
        let issuer = Arc::new(Self::default());
        issuer.serve(keys);
        let router = Router::new()
            .route("/jwks", get(answer))
            .route("/loop", get(async || Redirect::temporary("/loop")))
            .with_state(issuer.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        (issuer, format!("http://{address}/jwks"))
    }

    fn serve(&self, keys: &[&str]) {
        *self.answer.lock() = (StatusCode::OK, set(keys));
    }

    fn fail(&self) {
        *self.answer.lock() = (StatusCode::BAD_GATEWAY, String::new());
    }

    fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }
}

async fn answer(State(issuer): State<Arc<Issuer>>) -> (StatusCode, String) {
    issuer.hits.fetch_add(1, Ordering::SeqCst);
    issuer.answer.lock().clone()
}

fn with_url(url: &str) -> AuthOptions {
    AuthOptions {
        jwks: Some(JwksSource::Url(url.to_owned())),
        ..options()
    }
}

async fn start_at(url: &str, refresh: Duration, window: Duration) -> Auth {
    let pace = Pace { refresh, window };
    Auth::with_pace(with_url(url), Arc::<StoredRevocations>::default(), pace)
        .await
        .unwrap()
}

fn old_token() -> String {
    es256(fixtures::EC_PEM, Some("ec-1"))
}

fn next_token() -> String {
    es256(fixtures::NEXT_EC_PEM, Some("ec-2"))
}

#[tokio::test]
async fn keys_are_fetched_once_and_kept() {
    let (issuer, url) = Issuer::start(&[fixtures::EC_JWK]).await;
    let auth = start(with_url(&url)).await.unwrap();
    for _ in 0..20 {
        user(&auth, &old_token()).await;
    }
    assert_eq!(issuer.hits(), 1);
}

#[tokio::test]
async fn an_unknown_key_is_fetched_at_once_but_once_per_window() {
    let (issuer, url) = Issuer::start(&[fixtures::EC_JWK]).await;
    let auth = start_at(&url, LONG, LONG).await;
    issuer.serve(&[fixtures::EC_JWK, fixtures::NEXT_EC_JWK]);
    user(&auth, &next_token()).await;
    assert_eq!(issuer.hits(), 2);
    for _ in 0..20 {
        let unheard_of = es256(fixtures::EC_PEM, Some("ec-9"));
        assert_eq!(refusal(&auth, &unheard_of).await, Code::TokenSignature);
    }
    user(&auth, &old_token()).await;
    assert_eq!(issuer.hits(), 2);
}

#[tokio::test]
async fn a_caller_whose_key_was_taken_back_is_known_no_more() {
    let (issuer, url) = Issuer::start(&[fixtures::EC_JWK]).await;
    let auth = start_at(&url, LONG, LONG).await;
    let token = old_token();
    for _ in 0..2 {
        auth.identify_bearer(Some(&token)).await.unwrap();
    }
    issuer.serve(&[fixtures::NEXT_EC_JWK]);
    user(&auth, &next_token()).await;
    let error = auth.identify_bearer(Some(&token)).await.unwrap_err();
    assert_eq!(error.code(), Code::TokenSignature);
}

#[tokio::test]
async fn tokens_that_wait_for_the_same_key_share_one_fetch() {
    let (issuer, url) = Issuer::start(&[fixtures::EC_JWK]).await;
    let auth = start_at(&url, LONG, LONG).await;
    issuer.serve(&[fixtures::NEXT_EC_JWK]);
    let token = next_token();
    let waiting = (0..50).map(|_| auth.identify(Some(&token)));
    for identity in futures::future::join_all(waiting).await {
        assert!(identity.is_ok());
    }
    assert_eq!(issuer.hits(), 2);
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_stop_the_fetch() {
    let (issuer, url) = Issuer::start(&[fixtures::EC_JWK]).await;
    let auth = start_at(&url, LONG, LONG).await;
    issuer.serve(&[fixtures::NEXT_EC_JWK]);
    let token = next_token();
    {
        let gone = auth.identify(Some(&token));
        futures::pin_mut!(gone);
        assert!(futures::poll!(gone).is_pending());
    }
    user(&auth, &token).await;
    assert_eq!(issuer.hits(), 2);
}

#[tokio::test]
async fn a_key_that_left_the_set_stops_working_after_the_refresh() {
    let (issuer, url) = Issuer::start(&[fixtures::EC_JWK]).await;
    let auth = start_at(&url, Duration::ZERO, Duration::ZERO).await;
    issuer.serve(&[fixtures::NEXT_EC_JWK]);
    let rotated = async {
        // Each use may start a refresh, and none waits for it.
        while auth.identify(Some(&old_token())).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), rotated)
        .await
        .unwrap();
    assert_eq!(refusal(&auth, &old_token()).await, Code::TokenSignature);
    user(&auth, &next_token()).await;
}

#[tokio::test]
async fn known_keys_stay_in_use_while_the_issuer_is_away() {
    let (issuer, url) = Issuer::start(&[fixtures::EC_JWK]).await;
    let auth = start_at(&url, Duration::ZERO, Duration::ZERO).await;
    issuer.fail();
    assert_eq!(refusal(&auth, &next_token()).await, Code::TokenSignature);
    assert!(issuer.hits() > 1);
    user(&auth, &old_token()).await;
}

#[tokio::test]
async fn an_issuer_that_is_away_at_the_start_is_asked_again_when_needed() {
    let (issuer, url) = Issuer::start(&[]).await;
    issuer.fail();
    let auth = start(with_url(&url)).await.unwrap();
    user(&auth, &hs256(&alice())).await;
    assert_eq!(issuer.hits(), 1);
    issuer.serve(&[fixtures::EC_JWK]);
    user(&auth, &old_token()).await;
    assert_eq!(issuer.hits(), 2);
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_stops_the_start() {
    let (issuer, url) = Issuer::start(&[]).await;
    let error = async || start(with_url(&url)).await.err().unwrap().to_string();
    let no_usable_key = "the JWKS address has no usable key \
                         (RSA from 2048 to 4096 bits, EC P-256 or Ed25519)";
    assert_eq!(error().await, no_usable_key);

    let secret = r#"{"kty":"oct","k":"c2VjcmV0","alg":"HS256"}"#;
    let encryption = fixtures::RSA_JWK.replace("\"sig\"", "\"enc\"");
    let small = r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#;
    issuer.serve(&[secret, &encryption, small, "7"]);
    assert_eq!(error().await, no_usable_key);

    *issuer.answer.lock() = (StatusCode::OK, "<html>".to_owned());
    assert_eq!(error().await, "the JWKS address is not a JSON Web Key Set");
    *issuer.answer.lock() = (StatusCode::OK, " ".repeat(1024 * 1024 + 1));
    assert_eq!(
        error().await,
        "the JWKS address is larger than 1048576 bytes"
    );
}

#[tokio::test]
async fn an_endless_redirect_is_given_up() {
    let (_issuer, url) = Issuer::start(&[]).await;
    let auth = start(with_url(&url.replace("/jwks", "/loop")))
        .await
        .unwrap();
    assert_eq!(refusal(&auth, &old_token()).await, Code::TokenSignature);
}

#[tokio::test]
async fn an_address_must_be_one() {
    for text in [
        "",
        "jwks.json",
        "file:///etc/jwks.json",
        "ftp://id.example/",
    ] {
        let error = start(with_url(text)).await.err().unwrap();
        assert_eq!(
            error.to_string(),
            "the JWKS address is not a valid http or https URL"
        );
    }
}

#[tokio::test]
async fn a_changed_file_is_read_again_for_an_unknown_key() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), set(&[fixtures::EC_JWK])).unwrap();
    let auth = start(with_file(file.path())).await.unwrap();
    user(&auth, &old_token()).await;

    std::fs::write(file.path(), set(&[fixtures::NEXT_EC_JWK])).unwrap();
    user(&auth, &next_token()).await;
    assert_eq!(refusal(&auth, &old_token()).await, Code::TokenSignature);
}

#[tokio::test]
async fn a_file_that_is_not_there_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    let error = start(with_file(&path)).await.err().unwrap().to_string();
    let expected = format!("the JWKS file {} cannot be read: ", path.display());
    assert!(error.starts_with(&expected), "{error}");
    assert!(!error.contains('\n'));
}
