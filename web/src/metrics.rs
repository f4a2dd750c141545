//! Metric names of the site. Labels come from closed sets only: routes, never raw paths.

use std::time::Duration;

use ::metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use chrono::{DateTime, Utc};

use crate::compress::Encoding;
use crate::data::{Dataset, Refreshed};
use crate::version::BUILD;

const REQUESTS: &str = "bellwether_http_requests_total";
pub(crate) const REQUEST_SECONDS: &str = "bellwether_http_request_duration_seconds";
const RESPONSE_BYTES: &str = "bellwether_http_response_bytes_total";
const PAGE_CACHE: &str = "bellwether_page_cache_total";
pub(crate) const RENDER_SECONDS: &str = "bellwether_page_render_seconds";
const DATA_AGE: &str = "bellwether_data_age_seconds";
const TABLE_VERSION: &str = "bellwether_table_version";
const REFRESH: &str = "bellwether_snapshot_refresh_total";
const RATE_LIMITED: &str = "bellwether_rate_limited_total";
const SHED: &str = "bellwether_http_shed_total";
const BUILD_INFO: &str = "bellwether_build_info";

pub(crate) fn describe() {
    describe_counter!(REQUESTS, "requests by route, method and status");
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "time to the answer by route");
    describe_counter!(RESPONSE_BYTES, Unit::Bytes, "body bytes by route and encoding");
    describe_counter!(PAGE_CACHE, "pages by where they came from");
    describe_histogram!(RENDER_SECONDS, Unit::Seconds, "time to render and compress a page");
    describe_gauge!(
        DATA_AGE,
        Unit::Seconds,
        "age of what the pages hold, by table; of attempts, of the newest one"
    );
    describe_gauge!(TABLE_VERSION, "Delta version of each table on the pages");
    describe_counter!(REFRESH, "looks at the tables by result");
    describe_counter!(RATE_LIMITED, "requests refused for their number");
    describe_counter!(
        SHED,
        "requests refused at once because too many were at work or in the line, by which"
    );
    describe_gauge!(BUILD_INFO, "always 1; the version is a label");
    gauge!(BUILD_INFO, "version" => BUILD).set(1.0);
}

pub(crate) struct Answer {
    pub route: &'static str,
    pub method: &'static str,
    pub status: u16,
    pub encoding: &'static str,
    pub bytes: u64,
    pub took: Duration,
}

pub(crate) fn answered(answer: &Answer) {
    let status = answer.status.to_string();
    counter!(REQUESTS, "route" => answer.route, "method" => answer.method, "status" => status).increment(1);
    histogram!(REQUEST_SECONDS, "route" => answer.route).record(answer.took.as_secs_f64());
    counter!(RESPONSE_BYTES, "route" => answer.route, "encoding" => answer.encoding).increment(answer.bytes);
}

pub(crate) fn page_cache(result: &'static str) {
    counter!(PAGE_CACHE, "result" => result).increment(1);
}

pub(crate) fn rendered(route: &'static str, took: Duration) {
    histogram!(RENDER_SECONDS, "route" => route).record(took.as_secs_f64());
}

pub(crate) fn refreshed(refreshed: &Refreshed) {
    let result = match refreshed {
        Refreshed::New(_) => "new",
        Refreshed::Unchanged => "unchanged",
        Refreshed::Waiting => "waiting",
    };
    counter!(REFRESH, "table" => "all", "result" => result).increment(1);
    if let Refreshed::New(dataset) = refreshed {
        for (table, version) in &dataset.versions {
            gauge!(TABLE_VERSION, "table" => *table).set(*version as f64);
        }
    }
}

/// `result` is `failed` or `panicked`.
pub(crate) fn refresh_failed(table: &'static str, result: &'static str) {
    counter!(REFRESH, "table" => table, "result" => result).increment(1);
}

pub(crate) fn data_age(dataset: &Dataset, now: DateTime<Utc>) {
    gauge!(DATA_AGE, "table" => "attempts").set(dataset.quiet_for(now).as_secs_f64());
    gauge!(DATA_AGE, "table" => "publications").set(dataset.age(now).as_secs_f64());
    let folded = (now - dataset.buckets_end).to_std().unwrap_or_default();
    gauge!(DATA_AGE, "table" => "health_now").set(folded.as_secs_f64());
}

pub(crate) fn rate_limited(class: &'static str) {
    counter!(RATE_LIMITED, "class" => class).increment(1);
}

/// `what` is `requests` or `renders`.
pub(crate) fn shed(what: &'static str) {
    counter!(SHED, "what" => what).increment(1);
}

pub(crate) const fn encoding_label(encoding: Encoding) -> &'static str {
    encoding.word()
}
