//! Latency and throughput: quantiles of merged DDSketches.

use chrono::NaiveDate;

use bellwether_warehouse::sketches::ddsketch::DdSketch;

use super::Dataset;
use super::figure::{Figure, NotEnough};
use super::health::{Scope, Span};
use super::window::Window;

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

    /// Column of the health tables and field of the API.
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
    pub n: u64,
    /// For throughput: 90 % of requests reach at least this.
    pub p10: f64,
    pub p50: f64,
    pub p75: f64,
    pub p90: f64,
    pub p99: f64,
}

/// Stored bytes of the four sketches, as many parts as rows were merged; decoded when asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sketches {
    parts: [Vec<Box<[u8]>>; 4],
}

/// Parts that may pile up before they are merged into one.
const MAX_PARTS: usize = 8;

impl Sketches {
    pub fn push(&mut self, speed: Speed, bytes: &[u8]) {
        if let Some(parts) = self.parts.get_mut(speed as usize) {
            parts.push(bytes.into());
        }
    }

    pub fn absorb(&mut self, other: Self) {
        for (mine, more) in self.parts.iter_mut().zip(other.parts) {
            mine.extend(more);
            if mine.len() > MAX_PARTS {
                let mut sum = DdSketch::default();
                merge_parts(&mut sum, mine);
                *mine = vec![sum.to_bytes().into()];
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(Vec::is_empty)
    }

    fn merge_into(&self, speed: Speed, sum: &mut DdSketch) {
        if let Some(parts) = self.parts.get(speed as usize) {
            merge_parts(sum, parts);
        }
    }
}

fn merge_parts(sum: &mut DdSketch, parts: &[Box<[u8]>]) {
    for bytes in parts {
        match DdSketch::from_bytes(bytes) {
            Ok(sketch) => sum.merge(&sketch),
            Err(error) => tracing::warn!(%error, "a stored sketch cannot be read and is left out"),
        }
    }
}

impl Dataset {
    /// Quantiles of one measure for a scope over a span.
    pub fn speed(&self, scope: Scope, span: Span, speed: Speed) -> Figure<Quantiles> {
        let blocks = self.speed_blocks(span);
        let mut sum = DdSketch::default();
        for row in self.scope_rows(&blocks, scope) {
            if let Some(sketches) = &row.sketches {
                sketches.merge_into(speed, &mut sum);
            }
        }
        self.quantiles(&sum)
    }

    /// One value per complete day, oldest first; sketches are kept for the last 35 days.
    pub fn speed_daily(&self, scope: Scope, days: u64, speed: Speed) -> Vec<(NaiveDate, Figure<Quantiles>)> {
        self.trailing(days)
            .dates()
            .map(|date| (date, self.speed(scope, Span::Dates(Window { start: date, end: date }), speed)))
            .collect()
    }

    fn quantiles(&self, sketch: &DdSketch) -> Figure<Quantiles> {
        let n = sketch.count();
        let needs = self.thresholds.speed_requests.max(1);
        let value = |q| sketch.quantile(q).ok_or(NotEnough::counts(n, needs));
        if n < needs {
            return Err(NotEnough::counts(n, needs));
        }
        Ok(Quantiles {
            n,
            p10: value(0.10)?,
            p50: value(0.50)?,
            p75: value(0.75)?,
            p90: value(0.90)?,
            p99: value(0.99)?,
        })
    }
}
