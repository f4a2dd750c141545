//! Who may send.

use axum::http::{HeaderMap, header};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::problem::Problem;

/// Headers of a request that came through a proxy or from a web page.
const INDIRECT: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via", "origin"];

/// Hashes of the tokens. Comparing hashes of one length hides the tokens' lengths too.
#[derive(Debug)]
pub(super) struct Access {
    tokens: Vec<blake3::Hash>,
}

impl Access {
    pub(super) fn new(tokens: &[SecretString]) -> Self {
        Self { tokens: tokens.iter().map(|token| blake3::hash(token.expose_secret().as_bytes())).collect() }
    }

    /// Without tokens only direct requests of this host are taken: a forwarded one may come from anywhere.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        if self.tokens.is_empty() {
            return match INDIRECT.iter().find(|name| headers.contains_key(**name)) {
                Some(name) => Err(Problem::indirect(name)),
                None => Ok(()),
            };
        }
        let sent = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
        let token = sent.and_then(|value| {
            let (scheme, token) = value.split_at_checked(7)?;
            scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
        });
        let Some(token) = token else { return Err(Problem::unauthorised("a bearer token is missing")) };
        let token = blake3::hash(token);
        // No early end: the time must not tell which token nearly fits.
        let fits = self
            .tokens
            .iter()
            .fold(subtle::Choice::from(0), |fits, known| fits | known.as_bytes().ct_eq(token.as_bytes()));
        if bool::from(fits) {
            Ok(())
        } else {
            Err(Problem::unauthorised("the bearer token is not known here"))
        }
    }
}
