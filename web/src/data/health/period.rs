//! What is told of one thing over a live window or a window of days.

use arrow::array::Float64Array;
use bellwether_warehouse::tables::declared::Declaration;

use super::counts::{self, Counts};
use super::speed::{self, Speeds};
use crate::data::detail::Detail;
use crate::data::figure::NotYet;
use crate::data::load::{Columns, CountColumn, LoadError, percent, real_at};

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Period {
    pub counts: Counts,
    /// Share of all attempts that were rate limited (429), 0 to 1.
    pub rate_limit_rate: Option<f64>,
    /// Requests with an invalid tool call / requests that finished with tool calls, 0 to 1.
    pub tool_error_rate: Option<f64>,
    pub prose_instead_of_call: u64,
    /// Of the equal period just before, percent.
    pub uptime_before: Option<f64>,
    /// Against it, percentage points.
    pub uptime_delta: Option<f64>,
    /// In the order of [`CLASSES`].
    failed: [u64; CLASSES.len()],
    pub(super) speeds: Speeds,
}

/// Every class that can fail, in the order of METRICS: (class, label, column, counts as fault).
const CLASSES: [(&str, &str, &str, bool); 16] = [
    ("auth", "Authentication, 401", "fault_auth", true),
    ("payment", "Payment, 402", "fault_payment", true),
    ("not_found", "Not found, 404", "fault_not_found", true),
    ("timeout", "Time-out", "fault_timeout", true),
    ("connection", "Connection", "fault_connection", true),
    ("overloaded", "Overloaded, 503 and 529", "fault_overloaded", true),
    ("server_error", "Server error, other 5xx", "fault_server_error", true),
    ("stream_error", "Broken mid-stream", "fault_stream_error", true),
    ("error_finish", "Error finish", "fault_error_finish", true),
    ("rate_limit", "Rate limited, 429", "rate_limited", false),
    ("bad_request", "Bad request, 400 and 422", "client_bad_request", false),
    ("context_length", "Context length", "client_context_length", false),
    ("content_policy", "Content policy", "client_content_policy", false),
    ("too_large", "Too large, 413", "client_too_large", false),
    ("geo", "Region refused, 403", "client_geo", false),
    ("unsupported", "Unsupported", "client_unsupported", false),
];

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorClass {
    /// As stored in `error_class`.
    pub class: &'static str,
    pub label: &'static str,
    /// As exact as the counts of its period.
    pub n: u64,
    /// Of all attempts, 0 to 1; bands have no shares.
    pub share: Option<f64>,
    /// False: outside uptime.
    pub fault: bool,
}

impl Period {
    /// Of a row that there is not.
    pub(super) fn missing(detail: Detail, not_yet: Option<NotYet>) -> Self {
        let (counts, speeds) = (Counts::missing(detail, not_yet), Speeds::missing(detail, not_yet));
        Self { counts, speeds, ..Self::default() }
    }

    /// Every class that can fail with its count.
    pub fn mix(&self) -> [ErrorClass; CLASSES.len()] {
        let mut counts = self.failed.into_iter();
        CLASSES.map(|(class, label, column, fault)| {
            let n = counts.next().unwrap_or(0);
            let share = if column == "rate_limited" { self.rate_limit_rate } else { self.share(n) };
            ErrorClass { class, label, n, share, fault }
        })
    }

    /// Of all attempts, 0 to 1: the ratio of two exact counts that stand beside it.
    pub fn share(&self, n: u64) -> Option<f64> {
        let all = self.counts.attempts;
        (self.counts.detail.is_exact() && all > 0).then(|| n as f64 / all as f64)
    }
}

/// The columns of [`Period`].
pub(super) struct Rows {
    counts: counts::Rows,
    speeds: speed::Rows,
    figures: [Float64Array; FIGURES.len()],
    prose: Vec<CountColumn>,
    failed: Vec<CountColumn>,
}

const FIGURES: [&str; 4] = ["rate_limit_rate", "tool_error_rate", "uptime_before", "uptime_delta_points"];
const PROSE: &str = "prose_instead_of_call";

fn classes() -> impl Iterator<Item = &'static str> {
    CLASSES.into_iter().map(|(_, _, column, _)| column)
}

impl Rows {
    pub fn names(table: &'static Declaration) -> impl Iterator<Item = String> {
        let own = FIGURES.into_iter().chain([PROSE]).chain(classes().filter(|name| *name != "rate_limited"));
        counts::Rows::names().chain(speed::Rows::names(table)).chain(own.map(str::to_owned))
    }

    pub fn of(columns: &Columns<'_>, table: &'static Declaration) -> Result<Self, LoadError> {
        let [limited, tools, before, delta] = FIGURES.map(|name| columns.float(name));
        Ok(Self {
            counts: counts::Rows::of(columns)?,
            speeds: speed::Rows::of(columns, table)?,
            figures: [limited?, tools?, before?, delta?],
            prose: columns.counts(&[PROSE])?,
            failed: columns.counts(&classes().collect::<Vec<_>>())?,
        })
    }

    pub fn at(&self, row: usize) -> Period {
        let counts = self.counts.at(row);
        let [rate_limit_rate, tool_error_rate, before, uptime_delta] =
            self.figures.each_ref().map(|column| real_at(column, row));
        let mut failed = self.failed.iter().map(|column| column.value(row));
        Period {
            counts,
            rate_limit_rate,
            tool_error_rate,
            prose_instead_of_call: self.prose.first().map_or(0, |column| column.value(row)),
            uptime_before: before.map(percent),
            uptime_delta,
            failed: std::array::from_fn(|_| failed.next().unwrap_or(0)),
            speeds: self.speeds.at(row, counts.detail),
        }
    }
}
