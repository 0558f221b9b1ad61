//! Which algorithms and keys vouch for a token, and which tricks do not work.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;

/// Knows the secret and one key of each kind.
async fn auth_with_all_keys() -> Auth {
    let file = tempfile::NamedTempFile::new().unwrap();
    let keys = set(&[fixtures::RSA_JWK, fixtures::EC_JWK, fixtures::ED_JWK]);
    std::fs::write(file.path(), keys).unwrap();
    start(with_file(file.path())).await.unwrap()
}

/// A token of these parts, its signature made with the bytes of an HMAC key.
fn forged(header: &Value, signed_with: &[u8]) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", part(header), part(&alice()));
    let key = EncodingKey::from_secret(signed_with);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

#[tokio::test]
async fn each_configured_algorithm_is_accepted() {
    let auth = auth_with_all_keys().await;
    let tokens = [
        hs256(&alice()),
        rs256(Some("rsa-1")),
        es256(fixtures::EC_PEM, Some("ec-1")),
        eddsa(Some("ed-1")),
    ];
    for token in tokens {
        assert_eq!(user(&auth, &token).await.id.as_str(), "alice");
    }
}

#[tokio::test]
async fn without_a_kid_the_only_key_of_its_kind_is_meant() {
    let auth = auth_with_all_keys().await;
    user(&auth, &rs256(None)).await;
    user(&auth, &es256(fixtures::EC_PEM, None)).await;
    user(&auth, &eddsa(None)).await;
}

#[tokio::test]
async fn without_a_kid_nothing_is_guessed_among_several_keys() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), set(&[fixtures::EC_JWK, fixtures::NEXT_EC_JWK])).unwrap();
    let auth = start(with_file(file.path())).await.unwrap();
    let token = es256(fixtures::EC_PEM, None);
    assert_eq!(refusal(&auth, &token).await, Code::TokenSignature);
    user(&auth, &es256(fixtures::EC_PEM, Some("ec-1"))).await;
}

#[tokio::test]
async fn the_algorithm_must_fit_the_named_key() {
    let auth = auth_with_all_keys().await;
    for token in [rs256(Some("ec-1")), eddsa(Some("rsa-1"))] {
        assert_eq!(refusal(&auth, &token).await, Code::TokenSignature);
    }
}

#[tokio::test]
async fn another_key_of_the_same_kind_does_not_verify() {
    let auth = auth_with_all_keys().await;
    let token = es256(fixtures::NEXT_EC_PEM, Some("ec-1"));
    assert_eq!(refusal(&auth, &token).await, Code::TokenSignature);
}

#[tokio::test]
async fn no_signature_is_no_signature() {
    let auth = auth_with_all_keys().await;
    for alg in ["none", "None", "NONE", ""] {
        let signed = forged(&json!({ "alg": alg }), SECRET);
        let (message, _) = signed.rsplit_once('.').unwrap();
        let unsigned = format!("{message}.");
        assert_eq!(refusal(&auth, &unsigned).await, Code::TokenSignature);
        assert_eq!(refusal(&auth, &signed).await, Code::TokenSignature);
    }
    let token = hs256(&alice());
    let (message, _) = token.rsplit_once('.').unwrap();
    let stripped = format!("{message}.");
    assert_eq!(refusal(&auth, &stripped).await, Code::TokenSignature);
}

#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let auth = auth_with_all_keys().await;
    let jwk: Value = serde_json::from_str(fixtures::RSA_JWK).unwrap();
    let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    let public = [
        fixtures::RSA_PUBLIC_PEM.as_bytes(),
        fixtures::RSA_JWK.as_bytes(),
        &modulus,
    ];
    for bytes in public {
        for header in [
            json!({ "alg": "HS256" }),
            json!({ "alg": "HS256", "kid": "rsa-1" }),
            json!({ "alg": "RS256", "kid": "rsa-1" }),
        ] {
            let token = forged(&header, bytes);
            assert_eq!(refusal(&auth, &token).await, Code::TokenSignature);
        }
    }
}

#[tokio::test]
async fn a_key_that_the_token_brings_along_counts_for_nothing() {
    let auth = auth_with_all_keys().await;
    let jwk: Value = serde_json::from_str(fixtures::NEXT_EC_JWK).unwrap();
    let header = Header {
        jwk: Some(serde_json::from_value(jwk).unwrap()),
        ..Header::new(Algorithm::ES256)
    };
    let key = EncodingKey::from_ec_pem(fixtures::NEXT_EC_PEM.as_bytes()).unwrap();
    let token = encode(&header, &alice(), &key).unwrap();
    assert_eq!(refusal(&auth, &token).await, Code::TokenSignature);
}

#[tokio::test]
async fn what_is_not_configured_is_refused() {
    let only_secret = auth().await;
    for token in [
        rs256(None),
        es256(fixtures::EC_PEM, None),
        eddsa(Some("ed-1")),
    ] {
        assert_eq!(refusal(&only_secret, &token).await, Code::TokenSignature);
    }
    let nothing = AuthOptions {
        jwt_secret: None,
        ..options()
    };
    let nothing = start(nothing).await.unwrap();
    assert_eq!(
        refusal(&nothing, &hs256(&alice())).await,
        Code::TokenSignature
    );
}

#[tokio::test]
async fn the_other_sizes_of_hmac_are_refused() {
    let auth = auth().await;
    let key = EncodingKey::from_secret(SECRET);
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let token = sign(algorithm, None, &key, &alice());
        assert_eq!(refusal(&auth, &token).await, Code::TokenSignature);
    }
}

#[tokio::test]
async fn a_critical_extension_is_refused() {
    let auth = auth().await;
    let token = forged(
        &json!({ "alg": "HS256", "crit": ["b64"], "b64": false }),
        SECRET,
    );
    assert_eq!(refusal(&auth, &token).await, Code::TokenSignature);
}

#[tokio::test]
async fn what_is_no_token_is_malformed() {
    let auth = auth().await;
    let token = hs256(&alice());
    let too_long = format!("{token}{}", "A".repeat(16 * 1024));
    let four_parts = format!("{token}.AAAA");
    let not_base64 = format!("{token}!");
    for text in [
        "x",
        "a.b",
        "a.b.c",
        "..",
        "\0.\0.\0",
        too_long.as_str(),
        four_parts.as_str(),
        not_base64.as_str(),
    ] {
        assert_eq!(refusal(&auth, text).await, Code::TokenMalformed);
    }
}

#[tokio::test]
async fn an_empty_secret_stops_the_start() {
    let empty = AuthOptions {
        jwt_secret: Some(Vec::new()),
        ..options()
    };
    let error = start(empty).await.err().unwrap();
    assert_eq!(error.to_string(), "the JWT secret is empty");
}
