//! Latency and throughput: percentiles as published.

use arrow::array::Float64Array;
use bellwether_warehouse::tables::declared::Declaration;
use chrono::NaiveDate;

use super::{Scope, Span};
use crate::data::Dataset;
use crate::data::detail::Detail;
use crate::data::figure::{Figure, NotEnough, NotYet};
use crate::data::load::{Columns, CountColumn, LoadError, real_at};
use crate::tally::Tally;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Speed {
    /// Time to first token, ms, streamed requests.
    Ttft,
    /// End-to-end time, ms.
    Duration,
    /// Output tokens per second of the whole call.
    TokensE2e,
    /// Tokens per second after the first token.
    TokensDecode,
}

impl Speed {
    pub const ALL: [Self; 4] = [Self::Ttft, Self::Duration, Self::TokensE2e, Self::TokensDecode];

    /// What its columns begin with, and field of the API.
    pub const fn column(self) -> &'static str {
        match self {
            Self::Ttft => "ttft_ms",
            Self::Duration => "duration_ms",
            Self::TokensE2e => "tokens_per_s_e2e",
            Self::TokensDecode => "tokens_per_s_decode",
        }
    }
}

/// Quantiles of one measure, within 1 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantiles {
    /// Requests behind them.
    pub n: Tally,
    /// Of throughput alone: 90 % of requests reach at least this.
    pub p10: Option<f64>,
    pub p50: f64,
    pub p75: f64,
    pub p90: f64,
    pub p99: f64,
}

/// One measure of one thing over one period.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Measured {
    samples: u64,
    quantiles: Option<Quantiles>,
}

/// All of them, in the order of [`Speed::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Speeds {
    measured: [Measured; 4],
    detail: Detail,
    /// Nobody has measured.
    not_yet: Option<NotYet>,
}

impl Speeds {
    pub(super) fn missing(detail: Detail, not_yet: Option<NotYet>) -> Self {
        Self { detail, not_yet, ..Self::default() }
    }

    fn figure(&self, speed: Speed, needs: u64) -> Figure<Quantiles> {
        if let Some(not_yet) = self.not_yet {
            return Err(not_yet.into());
        }
        let measured = self.measured.get(speed as usize).copied().unwrap_or_default();
        let why = NotEnough::counts(measured.samples, needs);
        measured.quantiles.ok_or_else(|| self.detail.reason(why).into())
    }
}

/// The columns of [`Speeds`].
pub(super) struct Rows([OfOne; 4]);

struct OfOne {
    samples: Vec<CountColumn>,
    p10: Option<Float64Array>,
    rest: [Float64Array; 4],
}

const REST: [&str; 4] = ["p50", "p75", "p90", "p99"];

fn name(speed: Speed, figure: &str) -> String {
    format!("{}_{figure}", speed.column())
}

impl Rows {
    pub fn names(table: &'static Declaration) -> impl Iterator<Item = String> {
        let figures = || ["samples", "p10"].into_iter().chain(REST);
        let names = Speed::ALL.into_iter().flat_map(move |speed| figures().map(move |one| name(speed, one)));
        // Few would ask for the fastest tenth of answers.
        names.filter(|name| table.column(name).is_some())
    }

    pub fn of(columns: &Columns<'_>, table: &'static Declaration) -> Result<Self, LoadError> {
        let of = |speed: Speed| {
            let column = |figure: &str| columns.float(&name(speed, figure));
            let p10 = table.column(&name(speed, "p10")).map(|_| column("p10")).transpose()?;
            let [p50, p75, p90, p99] = REST.map(column);
            let samples = columns.counts(&[&name(speed, "samples")])?;
            Ok(OfOne { samples, p10, rest: [p50?, p75?, p90?, p99?] })
        };
        let [ttft, duration, e2e, decode] = Speed::ALL.map(of);
        Ok(Self([ttft?, duration?, e2e?, decode?]))
    }

    pub fn at(&self, row: usize, detail: Detail) -> Speeds {
        let measured = self.0.each_ref().map(|one| {
            let samples = one.samples.first().map_or(0, |column| column.value(row));
            let [p50, p75, p90, p99] = one.rest.each_ref().map(|column| real_at(column, row));
            let p10 = one.p10.as_ref().and_then(|column| real_at(column, row));
            let of = || {
                let n = detail.count(samples);
                Some(Quantiles { n, p10, p50: p50?, p75: p75?, p90: p90?, p99: p99? })
            };
            Measured { samples, quantiles: of() }
        });
        Speeds { measured, detail, not_yet: None }
    }
}

impl Dataset {
    /// Quantiles of one measure for a scope over a span.
    pub fn speed(&self, scope: Scope, span: Span, speed: Speed) -> Figure<Quantiles> {
        self.speed_of(&self.period(scope, span).speeds, speed)
    }

    /// One value per complete day, oldest first; they are held for the days that charts of speed have.
    pub fn speed_daily(&self, scope: Scope, days: u64, speed: Speed) -> Vec<(NaiveDate, Figure<Quantiles>)> {
        let detail = self.detail(scope);
        let of = |date| {
            let day = self.health.days.get(&date);
            let found = day.and_then(|day| day.speeds.get(&scope)).copied();
            let speeds = found.unwrap_or_else(|| Speeds::missing(detail, self.is_day_due(date)));
            (date, self.speed_of(&speeds, speed))
        };
        self.trailing(days).dates().map(of).collect()
    }

    fn speed_of(&self, speeds: &Speeds, speed: Speed) -> Figure<Quantiles> {
        speeds.figure(speed, self.thresholds.speed_requests.max(1))
    }
}
