//! `roomcast token`: a token for development, or for a backend that has no issuer of its own.

use std::time::Duration;

use clap::Args;

use super::{Failure, FileArgs};
use crate::{
    auth::{MintClaims, mint},
    config::Auth,
};

/// `roomcast token`.
#[derive(Args, Debug)]
pub(super) struct TokenArgs {
    /// The user id
    #[arg(long, value_name = "ID")]
    sub: String,
    /// The name that others see [default: the user id]
    #[arg(long)]
    name: Option<String>,
    /// Chat rooms that may be entered; * matches any text. Repeat it or separate by commas
    #[arg(long, value_delimiter = ',')]
    rooms: Vec<String>,
    /// What the user may act as. Repeat it or separate by commas
    #[arg(long = "role", value_name = "ROLE", value_delimiter = ',',
          value_parser = ["driver", "vendor", "service"])]
    roles: Vec<String>,
    /// How long the token is valid, like 90s, 1h or 30days
    #[arg(long, default_value = "1h", value_parser = humantime::parse_duration)]
    ttl: Duration,
    #[command(flatten)]
    pub(super) file: FileArgs,
}

impl TokenArgs {
    pub(super) fn claims(&self, auth: &Auth) -> MintClaims {
        MintClaims {
            sub: self.sub.clone(),
            name: self.name.clone(),
            rooms: self.rooms.clone(),
            roles: self.roles.clone(),
            issuer: auth.issuer.clone(),
            audience: auth.audience.clone(),
            ttl: self.ttl,
        }
    }
}

/// An HS256 token, signed with the configured secret.
pub(super) fn sign(auth: &Auth, claims: &MintClaims) -> Result<String, Failure> {
    if auth.jwt_secret.is_empty() {
        return Err(Failure::NoSecret);
    }
    Ok(mint(auth.jwt_secret.expose().as_bytes(), claims)?)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        token: TokenArgs,
    }

    fn claims(line: &str) -> MintClaims {
        let words = ["token"].into_iter().chain(line.split(' '));
        Line::try_parse_from(words)
            .unwrap()
            .token
            .claims(&Auth::default())
    }

    #[test]
    fn rooms_and_roles_are_repeated_or_separated_by_commas() {
        let claims = claims(
            "--sub alice --rooms team-*,hall --rooms x --role driver --role vendor --ttl 2h",
        );
        assert_eq!(claims.sub, "alice");
        assert_eq!(claims.rooms, ["team-*", "hall", "x"]);
        assert_eq!(claims.roles, ["driver", "vendor"]);
        assert_eq!(claims.ttl, Duration::from_secs(7_200));
    }

    #[test]
    fn a_token_is_valid_for_an_hour_unless_told_otherwise() {
        assert_eq!(claims("--sub alice").ttl, Duration::from_secs(3_600));
    }

    #[test]
    fn without_a_secret_there_is_no_token() {
        let failure = sign(&Auth::default(), &claims("--sub alice")).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "JWT_SECRET is not set, and tokens are signed with it"
        );
    }
}
