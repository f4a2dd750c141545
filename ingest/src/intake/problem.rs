//! Refusals as `application/problem+json`: what was wrong, where, and what to do. Never a byte of the body.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use problem_details::ProblemDetails;

use super::AppendError;
use crate::config::Bytes;

#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    title: &'static str,
    detail: String,
    header: Option<(header::HeaderName, &'static str)>,
}

impl Problem {
    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, title, detail: detail.into(), header: None }
    }

    fn with_header(mut self, name: header::HeaderName, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }

    pub(super) fn unauthorised(detail: &'static str) -> Self {
        let detail = format!("{detail}; send `Authorization: Bearer TOKEN` with one of `intake.tokens`");
        Self::new(StatusCode::UNAUTHORIZED, "Not authorised", detail)
            .with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"bellwether intake\"")
    }

    pub(super) fn indirect(name: &str) -> Self {
        let detail = format!(
            "the request has the header `{name}`, and an intake without a token takes only direct requests of its \
             own host; set `intake.tokens` to send from elsewhere"
        );
        Self::new(StatusCode::FORBIDDEN, "Only direct local requests", detail)
    }

    pub(super) fn unknown_path() -> Self {
        let detail = "post to /intake/native, /intake/litellm or /intake/auto";
        Self::new(StatusCode::NOT_FOUND, "No such path", detail)
    }

    pub(super) fn method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", "records are sent with POST")
    }

    pub(super) fn encoding(encoding: &str) -> Self {
        let name: String = encoding.chars().filter(|c| c.is_ascii_graphic()).take(40).collect();
        let detail = format!("content encoding `{name}` is not understood; use gzip, zstd or none");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unknown content encoding", detail)
            .with_header(header::ACCEPT_ENCODING, "gzip, zstd, identity")
    }

    pub(super) fn body_too_large(limit: Bytes) -> Self {
        let detail = format!("a body may have {limit} after decompression; send fewer records at a time");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "Body too large", detail)
    }

    pub(super) fn ratio(limit: u64) -> Self {
        let detail =
            format!("the body grows by more than {limit} times when decompressed; send it less compressed");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "Body grows too much", detail)
    }

    pub(super) fn unreadable(detail: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Nothing could be read", detail)
    }

    pub(super) fn records_too_large(detail: String) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "Record too large", detail)
    }

    pub(super) fn broken(after_bytes: u64, accepted: u64) -> Self {
        let detail = format!(
            "the compressed body is damaged or cut off behind byte {after_bytes} of its content; {accepted} records \
             before that were accepted; send it again"
        );
        Self::new(StatusCode::BAD_REQUEST, "Compressed body is broken", detail)
    }

    pub(super) fn trailing(after_bytes: u64, accepted: u64) -> Self {
        let detail = format!(
            "the compressed body is complete at byte {after_bytes} of its content, and something that is not gzip \
             follows; the {accepted} records before it were accepted; send what is missing again"
        );
        Self::new(StatusCode::BAD_REQUEST, "Compressed body is broken", detail)
    }

    pub(super) fn window(limit: Bytes) -> Self {
        let detail = format!(
            "the zstd frame wants a window above {limit}; compress without `--long` and with level 19 at most"
        );
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "Compression window too large", detail)
    }

    pub(super) fn interrupted(accepted: u64) -> Self {
        let detail =
            format!("the body ended early; {accepted} records before that were accepted; send it again");
        Self::new(StatusCode::BAD_REQUEST, "Body is incomplete", detail)
    }

    pub(super) fn slow(seconds: u64) -> Self {
        let detail = format!("nothing more of the body came for {seconds} s; send it again");
        Self::new(StatusCode::REQUEST_TIMEOUT, "Body came too slowly", detail)
    }

    pub(super) fn busy() -> Self {
        Self::unavailable("Intake is busy", "too many bytes are being received at once; send it again later")
    }

    /// For an append that was refused. `accepted`: records of the same body that were appended before it.
    pub(super) fn refused(error: &AppendError, accepted: u64) -> Self {
        let before = match accepted {
            0 => String::new(),
            _ => format!("; {accepted} records of this body were accepted before"),
        };
        if error.is_over_bound() {
            let detail = format!("the spool holds `spool.max_bytes`, send again later{before}");
            return Self::new(StatusCode::TOO_MANY_REQUESTS, "Spool is full", detail)
                .with_header(header::RETRY_AFTER, "10");
        }
        let detail = format!("records cannot be made durable right now; send them again later{before}");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Log cannot be written", detail)
            .with_header(header::RETRY_AFTER, "5")
    }

    fn unavailable(title: &'static str, detail: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, title, detail).with_header(header::RETRY_AFTER, "5")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body =
            ProblemDetails::from_status_code(self.status).with_title(self.title).with_detail(self.detail);
        let mut response = body.into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
