//! The form that sets the theme.

use axum::body::Body;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;

use crate::error::{Kind, Problem};
use crate::headers::Policy;
use crate::respond::{self, Answered};
use crate::state::Site;
use crate::url::Theme;

pub(crate) const PATH: &str = "/theme";

#[derive(Deserialize)]
pub(crate) struct ThemeForm {
    theme: String,
    #[serde(default)]
    back: String,
}

/// Remembers the theme and returns to the page it was set on.
pub(crate) async fn set(
    State(site): State<Site>,
    request: Parts,
    form: Result<Form<ThemeForm>, FormRejection>,
) -> Response<Body> {
    let form = match form {
        Ok(Form(form)) => form,
        Err(rejection) => {
            tracing::debug!(error = &rejection as &dyn std::error::Error, "a theme form cannot be read");
            let detail = "a form of at most 4 KiB with the field `theme` is needed";
            return refused(&site, &request, &Problem::new(Kind::InvalidParameter, detail));
        }
    };
    let theme = Theme::from_word(&form.theme).unwrap_or_default();
    let cookie = match theme {
        Theme::Auto => "theme=; Path=/; Max-Age=0; SameSite=Lax; HttpOnly".to_owned(),
        theme => format!("theme={}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly", theme.word()),
    };
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    if let (Ok(back), Ok(cookie)) =
        (HeaderValue::from_str(own_path(&form.back)), HeaderValue::from_str(&cookie))
    {
        headers.insert(header::LOCATION, back);
        headers.insert(header::SET_COOKIE, cookie);
    }
    Policy::NoStore.apply(headers);
    answered(response)
}

/// Any other method at the theme form's address.
pub(crate) async fn not_a_form(State(site): State<Site>, request: Parts) -> Response<Body> {
    let detail = format!("{} is not answered at this address, which takes a form", request.method);
    let mut response = refused(&site, &request, &Problem::new(Kind::Method, detail));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

fn refused(site: &Site, request: &Parts, problem: &Problem) -> Response<Body> {
    answered(problem.respond(&respond::recipient(request, None, site)))
}

fn answered(mut response: Response<Body>) -> Response<Body> {
    response.extensions_mut().insert(Answered { label: PATH, is_data: false });
    response
}

/// A path of this site, or its front page: the form must not send anyone elsewhere.
fn own_path(back: &str) -> &str {
    let own = back.starts_with('/')
        && !back.starts_with("//")
        && back.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && back.len() <= 2_048;
    if own { back } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn the_theme_form_returns_to_this_site_only() {
        assert_eq!(own_path("/models/acme/one?period=28d"), "/models/acme/one?period=28d");
        for elsewhere in
            ["https://evil.example/", "//evil.example", "/\\evil.example", "models", "", "/a\r\nb"]
        {
            assert_eq!(own_path(elsewhere), "/", "{elsewhere:?}");
        }
    }
}
