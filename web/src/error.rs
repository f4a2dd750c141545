//! Errors as visitors and API callers see them: a stable type, what was wrong, what would have been right.

use axum::http::StatusCode;

use crate::url::Theme;

/// The closed list of problem types; each has a page at `/problems/{kind}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    InvalidParameter,
    UnknownParameter,
    NotFound,
    Method,
    UriTooLong,
    RateLimited,
    DataUnavailable,
    Busy,
    Timeout,
    Internal,
}

impl Kind {
    pub const ALL: [Self; 10] = [
        Self::InvalidParameter,
        Self::UnknownParameter,
        Self::NotFound,
        Self::Method,
        Self::UriTooLong,
        Self::RateLimited,
        Self::DataUnavailable,
        Self::Busy,
        Self::Timeout,
        Self::Internal,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::InvalidParameter => "invalid-parameter",
            Self::UnknownParameter => "unknown-parameter",
            Self::NotFound => "not-found",
            Self::Method => "method",
            Self::UriTooLong => "uri-too-long",
            Self::RateLimited => "rate-limited",
            Self::DataUnavailable => "data-unavailable",
            Self::Busy => "busy",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
        }
    }

    pub const fn status(self) -> StatusCode {
        match self {
            Self::InvalidParameter | Self::UnknownParameter => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::DataUnavailable | Self::Busy | Self::Timeout => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub const fn title(self) -> &'static str {
        match self {
            Self::InvalidParameter => "A parameter has a value that is not understood",
            Self::UnknownParameter => "There is no such parameter here",
            Self::NotFound => "There is no page at this address",
            Self::Method => "This method is not answered here",
            Self::UriTooLong => "The address is too long",
            Self::RateLimited => "Too many requests from this address",
            Self::DataUnavailable => "The data are not loaded yet",
            Self::Busy => "Too many pages are asked for at this moment",
            Self::Timeout => "The answer took too long",
            Self::Internal => "Something failed on this side",
        }
    }

    /// What the type's own page says.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::InvalidParameter => "The problem names the parameter and the values that are allowed.",
            Self::UnknownParameter => {
                "The problem names the parameter and lists those that this address reads."
            }
            Self::NotFound => "No model, author, provider, language or page is known by this name.",
            Self::Method => {
                "The site and its API are read only, with GET and HEAD; only the theme is set with POST."
            }
            Self::UriTooLong => "Addresses have at most 4,096 bytes.",
            Self::RateLimited => {
                "Wait for the seconds named in Retry-After. Files of whole tables need fewer requests."
            }
            Self::DataUnavailable => {
                "The service has just started and still loads its tables. Try again in a moment."
            }
            Self::Busy => {
                "Pages that are in memory are still answered; others have to wait. Try again after the seconds named in Retry-After."
            }
            Self::Timeout => "The request was given up. Try again; a shorter period needs less work.",
            Self::Internal => "The failure has been logged under the request id that the answer carries.",
        }
    }
}

/// A page whose name is close to what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub key: String,
    pub name: String,
    pub href: String,
}

#[derive(Clone, Debug)]
pub struct Problem {
    pub kind: Kind,
    pub detail: String,
    pub param: Option<String>,
    pub allowed: Vec<String>,
    pub nearest: Vec<Candidate>,
    pub retry_after_secs: Option<u64>,
}

impl Problem {
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            param: None,
            allowed: Vec::new(),
            nearest: Vec::new(),
            retry_after_secs: None,
        }
    }

    /// Refused at once, so that those who are at work or in the line get their answers in time.
    pub fn busy() -> Self {
        let problem = Self::new(Kind::Busy, "more pages are asked for than can be made in time");
        Self { retry_after_secs: Some(2), ..problem }
    }

    pub fn from_parameter(problem: &crate::url::Problem) -> Self {
        let kind = match problem.why {
            crate::url::Why::Unknown => Kind::UnknownParameter,
            crate::url::Why::Invalid | crate::url::Why::Impossible => Kind::InvalidParameter,
        };
        let allowed = problem.allowed.join(", ");
        let detail = match problem.allowed.as_slice() {
            [] => format!("`{}` is not read at this address, which takes no parameters", problem.param),
            _ => format!("`{}`; allowed: {allowed}", problem.param),
        };
        Self {
            param: Some(problem.param.clone()),
            allowed: problem.allowed.clone(),
            ..Self::new(kind, detail)
        }
    }
}

/// What an error page says.
#[derive(Clone, Debug)]
pub struct ErrorView {
    pub status: u16,
    /// Stable kind, the last part of `/problems/{kind}`.
    pub kind: &'static str,
    pub title: String,
    pub detail: String,
    /// Pages with names near the one asked for.
    pub nearest: Vec<Candidate>,
    pub request_id: String,
    pub theme: Theme,
    pub build: &'static str,
    pub simulated: bool,
}
