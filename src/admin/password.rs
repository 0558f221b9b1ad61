//! The password as it is configured: its bcrypt hash, or itself.

use sha2::{Digest, Sha256};

/// How bcrypt hashes begin.
const HASH_PREFIX: &str = "$2";

/// How long a login takes: each more doubles it. 10 is some 50 ms.
pub const COST: u32 = 10;

/// The hash that logins are checked against. Of a password it is the same on every node, since sessions
/// are signed with it.
pub fn hash(username: &str, configured: &str) -> String {
    if configured.starts_with(HASH_PREFIX) {
        return configured.to_owned();
    }
    let digest: [u8; 32] = Sha256::new()
        .chain_update("roomcast admin salt\0")
        .chain_update(username)
        .finalize()
        .into();
    let mut salt = [0; 16];
    salt.copy_from_slice(&digest[..16]);
    match bcrypt::hash_with_salt(configured, COST, salt) {
        Ok(parts) => parts.to_string(),
        Err(error) => {
            tracing::error!(%error, "the password of the Admin UI cannot be used: nobody can log in");
            String::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_and_its_hash_let_the_same_one_in() {
        let hashed = hash("admin", "correct horse");
        assert!(bcrypt::verify("correct horse", &hashed).unwrap());
        assert_eq!(hash("admin", "correct horse"), hashed);
        assert_ne!(hash("root", "correct horse"), hashed);
        assert_eq!(hash("admin", &hashed), hashed);
    }
}
