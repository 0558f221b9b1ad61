//! Keys made for the tests of this module; they open nothing.

/// RSA, 2048 bits.
pub const RSA_PEM: &str = "\
-----BEGIN PRIVATE KEY-----
MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQC/NNM6+tqv2TFq
KvAnUdQVDVnl3MH9RwHDpVtr2AwPyg9hbXLs/ItEUtal+Sm5U5RVjrAWecuD8g6D
fTW8SCDCgp9G7LRFA2XpRf/dV+6R2QGRdm1zO2kqqCtz/qIxdsvlYBGD6xIz5CGq
UdqpYM8LNgA9AVT/Sk9YqFVem9Y28CUqdKpHX3WRuJT4JX4yMTQhStXgN+kAN3La
lfSvWFYtL8kW7moW3O1nieT+kY71kTwyUQEe6MjuDrwksV4LVBIJaHjBjNAtXEEm
g8adULEci+IkP579q7zUWJU4jQyvTRAz617Xx3Jdd8Ja+/SR6BwGioxBlAA3Ts8K
6cXelKXxAgMBAAECggEAAtAv6G7+7zXqnnWFxYpUbL/eyf1CxGt6SOriqrZJzSSr
r8MIvRhlIyr12gjNtpqWdODN0fLWTflugbxCoWPNSZda6RP7/gT0B6feQR81VSOE
fKOprheab0R8qS7+q2wkSVptv4tin+1UGnmsVjAks7VGcR9XJQ9ule8aHHN+Bh5h
XB9kDqXICr0Ye/UxFX0K//LdccO2c3u0yXarp18gdDTUR4/M5jRxMUWoqX/YAzn7
Gbitrd2cXKrlwtKiBwBQEgrflj6CAJf/jhBw5teqypx4dvA1He/hXVQcbroagM6j
K6FC6E+Rr4enx37ynoNhVvRsfIWpUQYp7mgWWAUYgQKBgQD3631JVoKSAiCiDz/z
V9Md17KYV6cuBSUPEhhWAS7yEkoYOBXEOqF+/cuScum3QRlLxmDVbwzRRpjgVw5o
iDi0Wwu1H1c7CQQGcqjq2Aq162BRXs6doRPMS3PNLJhCk/pb8dU0f10m1zYXPk05
qT42t16GCSGZtMh7Mrzt4YMqUQKBgQDFcCX9tAqzxGPJeprLpsMcEGrNqS3YEP/d
zDgHq8OfFqP8TIoSpNpa6LAR2zwuxHdSRJJHjUS1rAmfnGqD+p7U29e3/Ld5ovvd
f57d0buw6dDyTBDy/J5/Lk0d1+kL+OeVltzgMBEXQ0Mc5ro/mTctGiLyY67Gs4Na
Q4+9Njs5oQKBgDtFPWqvGAA4Kf0UkEFpGbvkuXnaWsmRyU5VESRenA6beMNZhTqo
mbt2iZi1iFKbaaTIBJaCOho+OoZHydYL2yKjMaVXnM8sVJ4GA4RBqi3b2+cYN2VQ
AR+yWjkPFEe2gQBCTKqEWIzUnsXnyyah45HJPPvmavYIVnW9p5VneKhBAoGALWsT
Ej2siJYQ7nRJz7dZAse0CgN1DFM8yOUFrp4QrjQjHRLuYEOUB32nozPvsEJ5wG8N
x2/z8mbU/+aXiizJBOZdxXFZM54OmnGVNindJ2FiM5rT+1GplFAuZUMZ1Ss4+uxt
exUTmWpbsfZRufeg/bsZdvD/b64z9Tu9gSVMkoECgYB/QfV3M4SN/mZqIc5jyODf
NYt7iu6LpTpYbNEH6YhZ89DztYfzBtwypoGLJCA1GJAHixouEIkEpLgdpSWGPeBt
jOOynmtWnx7P6WcwkjHqHoE8/DUuRD0XxVNMu7vCyzB20r/bKnEoyoB9K42widQu
ehKf70FagB26tmAxMFHfsA==
-----END PRIVATE KEY-----";

/// The public half of [`RSA_PEM`], as an attacker can read it.
pub const RSA_PUBLIC_PEM: &str = "\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvzTTOvrar9kxairwJ1HU
FQ1Z5dzB/UcBw6Vba9gMD8oPYW1y7PyLRFLWpfkpuVOUVY6wFnnLg/IOg301vEgg
woKfRuy0RQNl6UX/3VfukdkBkXZtcztpKqgrc/6iMXbL5WARg+sSM+QhqlHaqWDP
CzYAPQFU/0pPWKhVXpvWNvAlKnSqR191kbiU+CV+MjE0IUrV4DfpADdy2pX0r1hW
LS/JFu5qFtztZ4nk/pGO9ZE8MlEBHujI7g68JLFeC1QSCWh4wYzQLVxBJoPGnVCx
HIviJD+e/au81FiVOI0Mr00QM+te18dyXXfCWvv0kegcBoqMQZQAN07PCunF3pSl
8QIDAQAB
-----END PUBLIC KEY-----";

/// The JWK of [`RSA_PEM`], with the `kid` `rsa-1`.
pub const RSA_JWK: &str = r#"{"kty": "RSA", "kid": "rsa-1", "use": "sig", "alg": "RS256", "e": "AQAB", "n": "vzTTOvrar9kxairwJ1HUFQ1Z5dzB_UcBw6Vba9gMD8oPYW1y7PyLRFLWpfkpuVOUVY6wFnnLg_IOg301vEggwoKfRuy0RQNl6UX_3VfukdkBkXZtcztpKqgrc_6iMXbL5WARg-sSM-QhqlHaqWDPCzYAPQFU_0pPWKhVXpvWNvAlKnSqR191kbiU-CV-MjE0IUrV4DfpADdy2pX0r1hWLS_JFu5qFtztZ4nk_pGO9ZE8MlEBHujI7g68JLFeC1QSCWh4wYzQLVxBJoPGnVCxHIviJD-e_au81FiVOI0Mr00QM-te18dyXXfCWvv0kegcBoqMQZQAN07PCunF3pSl8Q"}"#;

/// P-256.
pub const EC_PEM: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFzXm5qg/wr2q86t/
4xjCwZ4q8U+ZyrHHqx9rNLQzu/GhRANCAATGR9FkJssprvxxV8PVZdZEGjmycIS2
xKU/GtH+6JBzg+myedvoSWyF4SbW1FIqQ4/+vSZIX/fb/VKijxKkDkL9
-----END PRIVATE KEY-----";

/// The JWK of [`EC_PEM`], with the `kid` `ec-1`.
pub const EC_JWK: &str = r#"{"kty": "EC", "kid": "ec-1", "crv": "P-256", "x": "xkfRZCbLKa78cVfD1WXWRBo5snCEtsSlPxrR_uiQc4M", "y": "6bJ52-hJbIXhJtbUUipDj_69Jkhf99v9UqKPEqQOQv0"}"#;

/// P-256, the key that follows [`EC_PEM`].
pub const NEXT_EC_PEM: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgVOGtNOFxzaoIpdjd
4vtkjtB/V5aUiziNgtgZF3tLa2qhRANCAAS5Dig7/iv9kQpoq8UtOdtdZ3K4FU5k
hrDDN4p7quJ600+pI35UBZjR22BKA/JhZzNLN/8kWHlIwf8uxudYTudX
-----END PRIVATE KEY-----";

/// The JWK of [`NEXT_EC_PEM`], with the `kid` `ec-2`.
pub const NEXT_EC_JWK: &str = r#"{"kty": "EC", "kid": "ec-2", "crv": "P-256", "x": "uQ4oO_4r_ZEKaKvFLTnbXWdyuBVOZIawwzeKe6rietM", "y": "T6kjflQFmNHbYEoD8mFnM0s3_yRYeUjB_y7G51hO51c"}"#;

/// Ed25519.
pub const ED_PEM: &str = "\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEILUEpSK+VimIAR2NfjugraXTspiKPppx2i+WI3qt1ub7
-----END PRIVATE KEY-----";

/// The JWK of [`ED_PEM`], with the `kid` `ed-1`.
pub const ED_JWK: &str = r#"{"kty": "OKP", "kid": "ed-1", "crv": "Ed25519", "x": "iYxSIsYtGZnhk7KOUUhJNJm0_vw9xf4ec0OFQZUT8PE"}"#;
