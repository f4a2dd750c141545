//! The admin port: liveness, readiness, details and metrics. Keep it private.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use chrono::{SecondsFormat, Utc};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::{Value, json};

use crate::metrics;
use crate::state::{BUILD, Site};

/// One more condition of readiness, by name: `Err` says what is wrong.
pub type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Buckets from 1 ms to 10 s.
const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Installs the process's metrics recorder. Once per process, before anything is counted.
///
/// # Errors
/// When another recorder is installed already.
pub fn install_metrics() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)?
        .install_recorder()?;
    metrics::describe();
    Ok(handle)
}

#[derive(Clone)]
struct Admin {
    site: Option<Site>,
    checks: Arc<[(&'static str, Check)]>,
    metrics: PrometheusHandle,
}

/// Routes of the admin port. `site` is `None` where this process does not serve pages.
pub fn router(site: Option<Site>, checks: Vec<(&'static str, Check)>, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/healthz", get(healthz))
        .route("/metrics", get(render_metrics))
        .with_state(Admin { site, checks: checks.into(), metrics })
}

impl Admin {
    /// Everything that keeps this process from being ready.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(site) = &self.site {
            match site.dataset() {
                None => problems.push("site: no data loaded yet".to_owned()),
                // Without any event there is nothing to be late.
                Some(dataset) if site.stale(&dataset).is_some() => problems.push(format!(
                    "site: newest event is from {}",
                    dataset.as_of.to_rfc3339_opts(SecondsFormat::Secs, true)
                )),
                Some(_) => {}
            }
            if let Some(failing) = site.progress().failing {
                problems.push(format!("site: {failing}"));
            }
        }
        for (name, check) in self.checks.iter() {
            if let Err(problem) = check() {
                problems.push(format!("{name}: {problem}"));
            }
        }
        problems
    }
}

async fn readyz(State(admin): State<Admin>) -> impl IntoResponse {
    let problems = admin.problems();
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let text = if problems.is_empty() { "ready\n".to_owned() } else { problems.join("\n") + "\n" };
    (status, [(header::CACHE_CONTROL, "no-store")], text)
}

async fn healthz(State(admin): State<Admin>) -> Json<Value> {
    let instant = |at: chrono::DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let problems = admin.problems();
    let site = admin.site.as_ref().map(|site| {
        let progress = site.progress();
        let dataset = site.dataset().map(|dataset| {
            json!({
                "as_of": instant(dataset.as_of),
                "built_at": instant(dataset.built_at),
                "age_seconds": dataset.age(site.now()).as_secs(),
                "folded_attempts_version": dataset.folded,
                "versions": dataset.versions,
                "first_date": dataset.first_date(),
                "empty": dataset.is_empty(),
            })
        });
        json!({
            "dataset": dataset,
            "refreshed_at": progress.refreshed_at.map(instant),
            "failing": progress.failing,
            "waiting_for_folds": progress.waiting,
            "renders": site.renders(),
        })
    });
    Json(json!({ "ready": problems.is_empty(), "problems": problems, "build": BUILD, "site": site }))
}

async fn render_metrics(State(admin): State<Admin>) -> impl IntoResponse {
    admin.metrics.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], admin.metrics.render())
}
