//! The admin port: liveness, readiness, details and metrics. Keep it private.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use bellwether_warehouse::health::{Health, State as Part};
use chrono::{SecondsFormat, Utc};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::{Value, json};

use crate::metrics;
use crate::state::Site;
use crate::version::{BUILD, SOURCES};

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
    health: Health,
    metrics: PrometheusHandle,
}

/// Routes of the admin port. `site` is `None` where this process does not serve pages.
pub fn router(site: Option<Site>, health: Health, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/healthz", get(healthz))
        .route("/metrics", get(render_metrics))
        .with_state(Admin { site, health, metrics })
}

impl Admin {
    /// Every part of this process and its state.
    fn parts(&self) -> Vec<(String, Part)> {
        let site = self.site.iter().map(|site| ("site".to_owned(), site.state()));
        site.chain(self.health.parts()).collect()
    }
}

async fn livez() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], "ok\n")
}

/// One line a part. 503 as soon as one of them is down, so that nobody has to read the text to know.
async fn readyz(State(admin): State<Admin>) -> impl IntoResponse {
    let parts = admin.parts();
    let is_down = parts.iter().any(|(_, part)| matches!(part, Part::Down(_)));
    let status = if is_down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let mut text = if is_down { "not ready\n" } else { "ready\n" }.to_owned();
    for (name, part) in parts {
        let line = match part {
            Part::Works => format!("{name}: ready"),
            Part::Impaired(why) => format!("{name}: ready, but {why}"),
            Part::Down(why) => format!("{name}: down: {why}"),
        };
        text.push_str(&line.replace('\n', " "));
        text.push('\n');
    }
    (status, [(header::CACHE_CONTROL, "no-store")], text)
}

async fn healthz(State(admin): State<Admin>) -> Json<Value> {
    let instant = |at: chrono::DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let parts = admin.parts();
    let is_down = parts.iter().any(|(_, part)| matches!(part, Part::Down(_)));
    let parts: serde_json::Map<String, Value> = parts
        .into_iter()
        .map(|(name, part)| {
            let (state, why) = match part {
                Part::Works => ("works", None),
                Part::Impaired(why) => ("impaired", Some(why)),
                Part::Down(why) => ("down", Some(why)),
            };
            (name, json!({ "state": state, "why": why }))
        })
        .collect();
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
            "waiting_for_publication": progress.waiting,
            "renders": site.renders(),
        })
    });
    Json(json!({ "ready": !is_down, "parts": parts, "build": BUILD, "sources": SOURCES, "site": site }))
}

async fn render_metrics(State(admin): State<Admin>) -> impl IntoResponse {
    admin.metrics.run_upkeep();
    let text = without_gone(&admin.metrics.render());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

/// A recorder forgets no gauge. One whose subject is gone (a partition that another worker has) is set to NaN, and
/// is not shown.
fn without_gone(metrics: &str) -> String {
    metrics.split_inclusive('\n').filter(|line| !line.trim_end().ends_with(" NaN")).collect()
}

#[cfg(test)]
mod tests {
    use super::without_gone;

    #[test]
    fn a_gauge_without_a_subject_is_not_shown() {
        let shown = without_gone("# TYPE lag gauge\nlag{topic=\"NaN\"} 3\nlag{topic=\"t\"} NaN\n\n");
        assert_eq!(shown, "# TYPE lag gauge\nlag{topic=\"NaN\"} 3\n\n");
    }
}
