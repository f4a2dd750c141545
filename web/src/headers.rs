//! Response headers: cache policy by class, security headers on everything.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// How long a response may be reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Pages and data: health must be seen within seconds, and the last good copy outlives an outage.
    Page,
    /// Addresses that hold the hash of their content.
    Immutable,
    /// Permanent redirects.
    Redirect,
    /// Small files that change with the release or the data: robots, sitemap.
    Hour,
    /// Errors, the theme form, liveness.
    NoStore,
}

impl Policy {
    const fn value(self) -> &'static str {
        match self {
            Self::Page => "public, max-age=10, stale-while-revalidate=20, stale-if-error=86400",
            Self::Immutable => "public, max-age=31536000, immutable",
            Self::Redirect | Self::Hour => "public, max-age=3600",
            Self::NoStore => "no-store",
        }
    }

    pub fn apply(self, headers: &mut HeaderMap) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.value()));
        if self != Self::Immutable {
            headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding, Cookie"));
        } else {
            headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        }
    }
}

pub(crate) const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
     magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

/// Sets what every response carries. `data` = JSON and CSV, which other sites may read.
pub(crate) fn secure(headers: &mut HeaderMap, data: bool, hsts: bool) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CSP);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "strict-origin-when-cross-origin");
    set(HeaderName::from_static("permissions-policy"), PERMISSIONS);
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    let resource = if data { "cross-origin" } else { "same-origin" };
    set(HeaderName::from_static("cross-origin-resource-policy"), resource);
    if data {
        set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    }
    if hsts {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
    }
}
