//! `roomcast hash-password`: what `admin.password` is set to.

use std::io::{self, BufRead};

use super::Failure;
use crate::{admin::PASSWORD_COST, config::PASSWORD_BYTES};

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
pub(super) enum PasswordError {
    #[error("the password cannot be read from stdin: {0}")]
    Read(#[from] io::Error),
    #[error("a password has {} to {} bytes: write it to stdin", PASSWORD_BYTES.start(), PASSWORD_BYTES.end())]
    Length,
    #[error("the password cannot be hashed: {0}")]
    Hash(#[from] bcrypt::BcryptError),
}

/// The bcrypt hash of the first line.
pub(super) fn hash(input: impl BufRead) -> Result<String, Failure> {
    Ok(hash_line(input)?)
}

fn hash_line(input: impl BufRead) -> Result<String, PasswordError> {
    let mut line = String::new();
    // The end of the line, and one byte by which more is noticed.
    let most = u64::try_from(PASSWORD_BYTES.end() + 3).unwrap_or(u64::MAX);
    input.take(most).read_line(&mut line)?;
    let password = line.trim_end_matches(['\n', '\r']);
    if !PASSWORD_BYTES.contains(&password.len()) {
        return Err(PasswordError::Length);
    }
    Ok(bcrypt::hash(password, PASSWORD_COST)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_hashed_without_its_end() {
        for text in ["correct horse", "correct horse\n", "correct horse\r\nmore"] {
            let hash = hash_line(text.as_bytes()).unwrap();
            assert!(bcrypt::verify("correct horse", &hash).unwrap(), "{text:?}");
        }
    }

    #[test]
    fn what_is_too_short_or_longer_than_bcrypt_looks_at_is_refused() {
        for text in ["", "\n", "short", &"x".repeat(PASSWORD_BYTES.end() + 1)] {
            let refused = hash_line(text.as_bytes());
            assert!(matches!(refused, Err(PasswordError::Length)), "{text:?}");
        }
        assert!(hash_line("x".repeat(*PASSWORD_BYTES.end()).as_bytes()).is_ok());
    }
}
