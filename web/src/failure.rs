//! How a problem is sent: as problem+json to programs, as a page to readers.

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use problem_details::ProblemDetails;
use serde::Serialize;

use crate::error::{ErrorView, Kind, Problem};
use crate::headers::Policy;
use crate::pages;
use crate::url::Theme;

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
