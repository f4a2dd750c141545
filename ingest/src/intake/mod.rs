//! The HTTP intake: bodies of records in, stripped events out to a durable log.
//!
//! A body is decompressed, split, decoded, labelled and stripped while it streams; what is appended holds no
//! text and no raw id. The answer comes after the append is durable. A bad record is appended as a reject and
//! does not hold up its neighbours; of a body that is sent again it is not appended again.

mod access;
mod appender;
mod budget;
mod inflate;
mod kafka;
mod problem;
mod reach;
mod receive;
mod repeats;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

pub use appender::{AppendError, Appender, Outgoing, SpoolAppender};

pub use kafka::KafkaAppender;

use crate::config;
use crate::formats::Format;
use crate::identity::Identities;
use crate::labels::Labeller;
use crate::metric;
use access::Access;
use budget::Budget;
use inflate::Compression;
use problem::Problem;
use repeats::Repeats;

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct IntakeState {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: config::Intake,
    access: Access,
    identities: Arc<Identities>,
    labeller: Arc<Labeller>,
    appender: Arc<dyn Appender>,
    budget: Budget,
    repeats: Repeats,
}

impl IntakeState {
    pub fn new(
        config: config::Intake,
        identities: Arc<Identities>,
        labeller: Arc<Labeller>,
        appender: Arc<dyn Appender>,
    ) -> Self {
        let access = Access::new(&config.tokens);
        let budget = Budget::new(config.in_flight.len());
        let repeats = Repeats::default();
        Self { inner: Arc::new(Inner { config, access, identities, labeller, appender, budget, repeats }) }
    }
}

/// All routes of the intake.
pub fn router(state: IntakeState) -> Router {
    Router::new()
        .route("/intake/auto", post(|state, request| intake(state, Format::Auto, request)))
        .route("/intake/native", post(|state, request| intake(state, Format::Native, request)))
        .route("/intake/litellm", post(|state, request| intake(state, Format::LiteLlm, request)))
        .route("/livez", get(|| async { "ok\n" }))
        .method_not_allowed_fallback(|| async { Problem::method() })
        .fallback(|| async { Problem::unknown_path() })
        .with_state(state)
}

async fn intake(State(state): State<IntakeState>, format: Format, request: Request) -> Response {
    let admitted = admit(&state.inner, request.headers());
    let mut body = request.into_body().into_data_stream();
    let response = match admitted {
        Ok(compression) => {
            receive::receive(&state.inner, format, compression, &mut body).await.into_response()
        }
        Err(problem) => problem.into_response(),
    };
    if !response.status().is_success() {
        receive::drain(&mut body).await;
    }
    let status = response.status().as_u16().to_string();
    metrics::counter!(metric::INTAKE_REQUESTS, "format" => format.to_string(), "status" => status)
        .increment(1);
    response
}

/// What can be said from the headers alone.
fn admit(inner: &Inner, headers: &HeaderMap) -> Result<Compression, Problem> {
    inner.access.check(headers)?;
    let declared =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|bytes| bytes > inner.config.max_body.0) {
        return Err(Problem::body_too_large(inner.config.max_body));
    }
    if let Some(refusal) = inner.appender.refusal() {
        return Err(Problem::refused(&refusal, 0));
    }
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
    Compression::named(encoding).ok_or_else(|| Problem::encoding(encoding.unwrap_or_default()))
}

/// The answer to a body that could be read.
#[derive(Debug, Default, serde::Serialize)]
struct Receipt {
    accepted: u64,
    rejected: u64,
    /// The first few.
    rejects: Vec<Refused>,
}

#[derive(Debug, serde::Serialize)]
struct Refused {
    /// Position of the record in the body, from 0.
    index: u64,
    reason: &'static str,
    detail: String,
}

impl IntoResponse for Receipt {
    fn into_response(self) -> Response {
        (StatusCode::OK, axum::Json(self)).into_response()
    }
}

#[cfg(test)]
mod tests;
