//! Errors as visitors and API callers see them: a stable type, what was wrong, what would have been right.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use problem_details::ProblemDetails;
use serde::Serialize;

use crate::data::Candidate;
use crate::headers::Policy;
use crate::pages::{self, ErrorView};
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

/// How the error is to be sent.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// HTML instead of problem+json.
    pub html: bool,
    pub theme: Theme,
    pub request_id: String,
    /// Path that was asked for.
    pub instance: String,
    pub build: &'static str,
    pub simulated: bool,
}

#[derive(Serialize)]
struct Extension<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    allowed: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nearest: Vec<&'a str>,
    request_id: &'a str,
}

impl Problem {
    pub fn respond(&self, to: &Recipient) -> Response<Body> {
        let (media_type, body) =
            if to.html { self.html(to) } else { ("application/problem+json", self.json(to)) };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.kind.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        Policy::NoStore.apply(headers);
        if let Some(secs) = self.retry_after_secs {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        if self.kind == Kind::Method {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        response
    }

    fn html(&self, to: &Recipient) -> (&'static str, String) {
        let view = ErrorView {
            status: self.kind.status().as_u16(),
            kind: self.kind.word(),
            title: self.kind.title().to_owned(),
            detail: self.detail.clone(),
            nearest: self.nearest.clone(),
            request_id: to.request_id.clone(),
            theme: to.theme,
            build: to.build,
            simulated: to.simulated,
        };
        match pages::error(&view) {
            Ok(html) => ("text/html; charset=utf-8", html),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the error page cannot be rendered"
                );
                ("text/plain; charset=utf-8", format!("{}\n{}\n", self.kind.title(), self.detail))
            }
        }
    }

    fn json(&self, to: &Recipient) -> String {
        let mut details = ProblemDetails::from_status_code(self.kind.status())
            .with_title(self.kind.title())
            .with_detail(self.detail.clone());
        if let Ok(uri) = format!("/problems/{}", self.kind.word()).parse::<axum::http::Uri>() {
            details = details.with_type(uri);
        }
        if let Ok(uri) = to.instance.parse::<axum::http::Uri>() {
            details = details.with_instance(uri);
        }
        let details = details.with_extensions(Extension {
            param: self.param.as_deref(),
            allowed: &self.allowed,
            nearest: self.nearest.iter().map(|candidate| candidate.href.as_str()).collect(),
            request_id: &to.request_id,
        });
        serde_json::to_string(&details).unwrap_or_default()
    }
}
