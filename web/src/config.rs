//! `[web]`: the site and its API.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use crate::data::Profile;
use crate::data::{Names, Options, Thresholds};
use crate::history::History;
use crate::units;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebConfig {
    /// Address and port of the public site.
    pub listen: String,
    /// Who reads the site: `public`, `private` or `demo`. Sets what a figure needs before it is shown. Comes from
    /// `[publication]`.
    #[serde(skip)]
    pub profile: Profile,
    /// Says on every page that the traffic is simulated. Only the demo sets it.
    #[serde(skip)]
    pub simulated: bool,
    /// A history that is still being written. Only the demo has one.
    #[serde(skip)]
    pub history: Option<History>,
    /// How often the tables are looked at. Shorter shows new minutes sooner and costs a render per page more often.
    #[serde(with = "units::duration")]
    pub refresh: Duration,
    /// Age of what is published, and of the newest event, from which every page says that the data are late.
    #[serde(with = "units::duration")]
    pub stale_after: Duration,
    /// `https://…` under which the site is known, for absolute links. Unset: `sitemap.xml` and `robots.txt` name the
    /// host that the client asked for.
    pub base_url: Option<String>,
    /// Sends `Strict-Transport-Security`. Only where TLS ends here or just before.
    pub hsts: bool,
    /// Addresses or networks (`10.0.0.0/8`) of reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// Compressed pages kept in memory.
    #[serde(with = "units::bytes")]
    pub page_cache: usize,
    /// Longest time one request may take.
    #[serde(with = "units::duration")]
    pub timeout: Duration,
    /// Requests worked on at the same time; one more is answered 503 at once.
    pub max_concurrent: usize,
    pub rate_limit: RateLimit,
    /// Comes from `[publication]`.
    #[serde(skip)]
    pub thresholds: ThresholdOverrides,
}

/// Requests per minute and client address; `enabled = false` turns all limits off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimit {
    pub enabled: bool,
    /// Pages and JSON.
    pub pages_per_min: u32,
    /// CSV files.
    pub downloads_per_min: u32,
}

/// Replaces single thresholds of the profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThresholdOverrides {
    pub counted_attempts: Option<u64>,
    pub speed_requests: Option<u64>,
    pub users: Option<u64>,
    pub growth_requests: Option<u64>,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            profile: Profile::Public,
            simulated: false,
            history: None,
            refresh: Duration::from_secs(10),
            stale_after: Duration::from_secs(15 * 60),
            base_url: None,
            hsts: false,
            trusted_proxies: Vec::new(),
            page_cache: 256 << 20,
            timeout: Duration::from_secs(10),
            max_concurrent: 512,
            rate_limit: RateLimit::default(),
            thresholds: ThresholdOverrides::default(),
        }
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { enabled: true, pages_per_min: 300, downloads_per_min: 30 }
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{key}` = `{value}`: {problem}")]
pub struct Invalid {
    pub key: &'static str,
    pub value: String,
    pub problem: &'static str,
}

impl WebConfig {
    /// # Errors
    /// Names the key, its value and what it must be.
    pub fn validate(&self) -> Result<(), Invalid> {
        let invalid = |key, value: String, problem| Err(Invalid { key, value, problem });
        if self.listen.parse::<std::net::SocketAddr>().is_err() {
            return invalid(
                "listen",
                self.listen.clone(),
                "must be an address and a port such as 127.0.0.1:8080",
            );
        }
        if self.refresh < Duration::from_millis(100) {
            return invalid("refresh", format!("{:?}", self.refresh), "must be at least 100ms");
        }
        if self.timeout.is_zero() {
            return invalid("timeout", "0s".into(), "must be longer than 0s");
        }
        if self.max_concurrent == 0 {
            return invalid("max_concurrent", "0".into(), "must be at least 1");
        }
        if let Some(url) = &self.base_url
            && (!url.starts_with("http") || url.ends_with('/'))
        {
            return invalid("base_url", url.clone(), "must begin with http and not end with a slash");
        }
        if let Some(proxy) = self.trusted_proxies.iter().find(|text| Network::parse(text).is_none()) {
            return invalid(
                "trusted_proxies",
                proxy.clone(),
                "must be an address or a network such as 10.0.0.0/8",
            );
        }
        let limit = &self.rate_limit;
        if limit.enabled && (limit.pages_per_min == 0 || limit.downloads_per_min == 0) {
            return invalid(
                "rate_limit",
                "0".into(),
                "limits must be at least 1; use enabled = false for none",
            );
        }
        Ok(())
    }

    pub fn thresholds(&self) -> Thresholds {
        let base = self.profile.thresholds();
        let over = &self.thresholds;
        Thresholds {
            counted_attempts: over.counted_attempts.unwrap_or(base.counted_attempts),
            speed_requests: over.speed_requests.unwrap_or(base.speed_requests),
            users: over.users.unwrap_or(base.users),
            growth_requests: over.growth_requests.unwrap_or(base.growth_requests),
            ..base
        }
    }
}

impl Options {
    pub(crate) fn of(config: &WebConfig, names: Names) -> Self {
        Self {
            names: Arc::new(names),
            profile: config.profile,
            thresholds: config.thresholds(),
            simulated: config.simulated,
            history: config.history.clone(),
        }
    }
}

/// An address or a range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    base: IpAddr,
    bits: u8,
}

impl Network {
    pub fn parse(text: &str) -> Option<Self> {
        let (base, bits) = match text.split_once('/') {
            Some((base, bits)) => (base.parse::<IpAddr>().ok()?, bits.parse::<u8>().ok()?),
            None => {
                let base: IpAddr = text.parse().ok()?;
                (base, if base.is_ipv4() { 32 } else { 128 })
            }
        };
        (bits <= if base.is_ipv4() { 32 } else { 128 }).then_some(Self { base, bits })
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.bits);
                u32::from(base).checked_shr(shift) == u32::from(address).checked_shr(shift)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.bits);
                u128::from(base).checked_shr(shift) == u128::from(address).checked_shr(shift)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_and_a_bare_number_are_refused() {
        let read = |text: &str| serde_json::from_str::<WebConfig>(text).map_err(|error| error.to_string());
        assert!(read(r#"{"lisen": "127.0.0.1:1"}"#).unwrap_err().contains("lisen"));
        assert!(read(r#"{"refresh": 5}"#).unwrap_err().contains("unit"));
        let config = read(r#"{"refresh": "5s", "page_cache": "64 MiB", "hsts": true}"#).unwrap();
        assert_eq!(config.refresh, Duration::from_secs(5));
        assert_eq!(config.page_cache, 64 << 20);
        assert!(config.hsts);
    }

    #[test]
    fn the_defaults_are_valid_and_survive_a_round_trip() {
        let config = WebConfig::default();
        assert_eq!(config.validate(), Ok(()));
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<WebConfig>(&text).unwrap(), config);
    }

    #[test]
    fn a_bad_value_is_named() {
        let config = WebConfig { trusted_proxies: vec!["10.0.0.0/33".into()], ..WebConfig::default() };
        assert_eq!(config.validate().unwrap_err().key, "trusted_proxies");
        let config = WebConfig { base_url: Some("https://a.example/".into()), ..WebConfig::default() };
        assert_eq!(config.validate().unwrap_err().key, "base_url");
    }

    #[test]
    fn networks_hold_their_addresses_only() {
        let holds = |network: &str, address: &str| {
            Network::parse(network).unwrap().contains(address.parse().unwrap())
        };
        assert!(holds("10.0.0.0/8", "10.200.3.4"));
        assert!(!holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("192.0.2.7", "192.0.2.7"));
        assert!(!holds("192.0.2.7", "192.0.2.8"));
        assert!(holds("0.0.0.0/0", "203.0.113.9"));
        assert!(holds("2001:db8::/32", "2001:db8:1::5"));
        assert!(!holds("2001:db8::/32", "2001:db9::1"));
    }
}
