//! How rows of each table become blocks: the only place that knows their columns.

use arrow::array::Array;
use bellwether_warehouse::Snapshot;
use chrono::{Days, NaiveDate};
use datafusion::prelude::{Expr, col, lit};
use datafusion::scalar::ScalarValue;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::counts::{self, Counts};
use super::dictionary::{Dictionary, EndpointKey};
use super::gate::{Gate, GateMonth, Kind};
use super::health::HealthBlock;
use super::keyed;
use super::labels::{CellKey, CellSums, LabelSource, LabelWeek};
use super::load::{self, Blocks, Columns, LoadError, date_at, text_at};
use super::quality::QualityDay;
use super::speed::{Sketches, Speed};
use super::totals;
use super::usage_day::UsageDay;

/// Takes the authors of models from files that no block holds yet.
pub(super) async fn authors<B: Default + Clone>(
    blocks: &Blocks<B>,
    snapshot: &Snapshot,
    dictionary: &mut Dictionary,
    keep: impl Fn(NaiveDate) -> bool,
) -> Result<(), LoadError> {
    let files = blocks.unread(snapshot, keep);
    load::scan(snapshot, files, &["model_id", "author"], Some(col("author").is_not_null()), |columns| {
        let (models, authors) = (columns.text("model_id")?, columns.text("author")?);
        for row in 0..columns.rows() {
            if let (Some(model), Some(author)) = (text_at(&models, row), text_at(&authors, row)) {
                dictionary.learn(model, author);
            }
        }
        Ok(())
    })
    .await
}

/// Decisions by month. True when there are others than before.
pub(super) async fn gate(blocks: &mut Blocks<GateMonth>, snapshot: &Snapshot) -> Result<bool, LoadError> {
    let known = blocks.by_date().len();
    let mut changes = blocks.changes(snapshot, |_| true, |_| 0);
    let names = ["month", "date", "dimension", "key", "is_public"];
    load::fill(snapshot, &mut changes, &names, None, |columns, targets| {
        let (months, dates) = (columns.date("month")?, columns.date("date")?);
        let (kinds, keys) = (columns.text("dimension")?, columns.text("key")?);
        let publics = columns.flag("is_public")?;
        for row in 0..columns.rows() {
            let Some(month) = date_at(&months, row).and_then(|month| targets.at(month)) else { continue };
            let kind = text_at(&kinds, row).and_then(Kind::parse);
            if let (Some(kind), Some(key), Some(date)) = (kind, text_at(&keys, row), date_at(&dates, row)) {
                month.add(kind, key, date, publics.is_valid(row) && publics.value(row));
            }
        }
        Ok(())
    })
    .await?;
    let changed = blocks.put(changes);
    Ok(changed || blocks.by_date().len() != known)
}

/// Days of `usage_by_day`.
pub(super) async fn usage(
    blocks: &mut Blocks<UsageDay>,
    snapshot: &Snapshot,
    dictionary: &mut Dictionary,
    keep: impl Fn(NaiveDate) -> bool,
) -> Result<bool, LoadError> {
    let mut changes = blocks.changes(snapshot, keep, |_| 0);
    let mut names = vec!["date"];
    names.extend(keyed::COLUMNS);
    names.extend(totals::COLUMNS);
    names.push(totals::COST);
    load::fill(snapshot, &mut changes, &names, None, |columns, targets| {
        let dates = columns.date("date")?;
        let rows = keyed::Rows::of(columns)?;
        let (values, costs) = (columns.counts(totals::COLUMNS)?, columns.money(totals::COST)?);
        for row in 0..columns.rows() {
            let Some(day) = date_at(&dates, row).and_then(|date| targets.at(date)) else { continue };
            if let Some(of) = rows.place(dictionary, row) {
                day.add(of, values.iter().map(|column| column.value(row)), costs.value(row));
            }
        }
        Ok(())
    })
    .await?;
    Ok(blocks.put(changes))
}

const SKETCHES: [&str; 4] =
    [Speed::Ttft.column(), Speed::Duration.column(), Speed::TokensE2e.column(), Speed::TokensDecode.column()];

fn health_names(first: &[&'static str], sketches: bool) -> Vec<&'static str> {
    let mut names = first.to_vec();
    names.extend(["model_id", "variant", "provider_id", "endpoint_id", "region"]);
    names.extend(counts::COLUMNS);
    if sketches {
        names.extend(SKETCHES);
    }
    names
}

/// Calls `each` with every row's endpoint, counts and (when asked for) sketches.
fn health_rows(
    columns: &Columns<'_>,
    dictionary: &mut Dictionary,
    sketches: bool,
    mut each: impl FnMut(usize, EndpointKey, &Counts, Option<Sketches>),
) -> Result<(), LoadError> {
    let models = columns.text("model_id")?;
    let (variants, providers) = (columns.text("variant")?, columns.text("provider_id")?);
    let (endpoints, regions) = (columns.text("endpoint_id")?, columns.text("region")?);
    let values = columns.counts(counts::COLUMNS)?;
    let speeds = if sketches {
        Speed::ALL
            .iter()
            .map(|speed| Ok((*speed, columns.bytes(speed.column())?)))
            .collect::<Result<Vec<_>, _>>()?
    } else {
        Vec::new()
    };
    for row in 0..columns.rows() {
        let variant = text_at(&variants, row).unwrap_or("");
        let series = dictionary.intern_series(text_at(&models, row), variant);
        let provider = dictionary.intern_provider(text_at(&providers, row));
        let key =
            dictionary.intern_endpoint(series, provider, text_at(&endpoints, row), text_at(&regions, row));
        let mut kept = Sketches::default();
        for (speed, bytes) in speeds.iter().filter(|(_, bytes)| bytes.is_valid(row)) {
            kept.push(*speed, bytes.value(row));
        }
        let counts = Counts::from_values(values.iter().map(|column| column.value(row)));
        each(row, key, &counts, (!kept.is_empty()).then_some(kept));
    }
    Ok(())
}

/// Days of `health_daily`; sketches from `sketches_from` on.
pub(super) async fn health_days(
    blocks: &mut Blocks<HealthBlock>,
    snapshot: &Snapshot,
    dictionary: &mut Dictionary,
    keep: impl Fn(NaiveDate) -> bool,
    sketches_from: NaiveDate,
) -> Result<bool, LoadError> {
    let epoch = dictionary.epoch();
    let (mut old, mut new): (Vec<_>, Vec<_>) =
        blocks.changes(snapshot, keep, |_| epoch).into_iter().partition(|change| change.date < sketches_from);
    for (changes, sketches) in [(&mut old, false), (&mut new, true)] {
        let names = health_names(&["date"], sketches);
        load::fill(snapshot, changes, &names, None, |columns, targets| {
            let dates = columns.date("date")?;
            health_rows(columns, dictionary, sketches, |row, key, counts, sketches| {
                if let Some(day) = date_at(&dates, row).and_then(|date| targets.at(date)) {
                    day.add(key, counts, sketches);
                }
            })
        })
        .await?;
    }
    old.extend(new);
    let changed = blocks.put(old);
    blocks.update(|date, day| (date < sketches_from && day.has_sketches()).then(|| day.without_sketches()));
    Ok(changed)
}

/// Buckets or hours of one date, by their start in µs.
#[derive(Clone, Debug, Default)]
pub(super) struct BucketDay {
    pub buckets: BTreeMap<i64, Arc<HealthBlock>>,
}

impl BucketDay {
    /// Without the buckets before `from`, and without the sketches before `sketches_from`.
    pub fn pruned(&self, from: i64, sketches_from: i64) -> Option<Self> {
        let stale = self.buckets.keys().next().is_some_and(|at| *at < from);
        let heavy = self.buckets.range(..sketches_from).any(|(_, block)| block.has_sketches());
        if !stale && !heavy {
            return None;
        }
        let buckets = self.buckets.range(from..).map(|(at, block)| {
            let drop = *at < sketches_from && block.has_sketches();
            (*at, if drop { Arc::new(block.without_sketches()) } else { block.clone() })
        });
        Some(Self { buckets: buckets.collect() })
    }
}

/// Buckets of `health_5m` or `health_hourly` that begin at or after `from` (µs).
pub(super) async fn health_buckets(
    blocks: &mut Blocks<BucketDay>,
    snapshot: &Snapshot,
    dictionary: &mut Dictionary,
    keep: impl Fn(NaiveDate) -> bool,
    from: i64,
) -> Result<bool, LoadError> {
    let epoch = dictionary.epoch();
    let mut changes = blocks.changes(snapshot, keep, |_| epoch);
    let names = health_names(&["date", "bucket_at"], true);
    let filter = col("bucket_at").gt_eq(instant(from));
    load::fill(snapshot, &mut changes, &names, Some(filter), |columns, targets| {
        let (dates, instants) = (columns.date("date")?, columns.instant("bucket_at")?);
        health_rows(columns, dictionary, true, |row, key, counts, sketches| {
            if let Some(day) = date_at(&dates, row).and_then(|date| targets.at(date)) {
                let bucket = day.buckets.entry(instants.value(row)).or_default();
                Arc::make_mut(bucket).add(key, counts, sketches);
            }
        })
    })
    .await?;
    Ok(blocks.put(changes))
}

pub(super) async fn labels(
    blocks: &mut Blocks<LabelWeek>,
    snapshot: &Snapshot,
    dictionary: &mut Dictionary,
    gate: &Gate,
    keep: impl Fn(NaiveDate) -> bool,
) -> Result<bool, LoadError> {
    let epoch = dictionary.epoch();
    let sunday = |monday: NaiveDate| monday.checked_add_days(Days::new(6)).unwrap_or(monday);
    let mut changes = blocks.changes(snapshot, keep, |week| gate.stamp(sunday(week)).wrapping_add(epoch));
    let names = [
        "week",
        "nl",
        "nl_src",
        "code_out",
        "code_out_src",
        "model_id",
        "user_key",
        "n",
        "sum_w",
        "sum_wt",
        "sum_wt2",
        "sum_w_ok",
    ];
    let source =
        |text: &str| if text.starts_with("router") { LabelSource::Router } else { LabelSource::Text };
    load::fill(snapshot, &mut changes, &names, None, |columns, targets| {
        let weeks = columns.date("week")?;
        let (nls, nl_sources) = (columns.text("nl")?, columns.text("nl_src")?);
        let (codes, code_sources) = (columns.text("code_out")?, columns.text("code_out_src")?);
        let (models, users) = (columns.text("model_id")?, columns.int("user_key")?);
        let counts = columns.int("n")?;
        let (w, wt) = (columns.float("sum_w")?, columns.float("sum_wt")?);
        let (wt2, w_ok) = (columns.float("sum_wt2")?, columns.float("sum_w_ok")?);
        for row in 0..columns.rows() {
            let Some(monday) = date_at(&weeks, row) else { continue };
            let Some(week) = targets.at(monday) else { continue };
            // Rows of labels name no variant.
            let model = text_at(&models, row).filter(|model| gate.names_model(model, sunday(monday)));
            let key = CellKey {
                nl: week.word(text_at(&nls, row).unwrap_or("und")),
                nl_source: source(text_at(&nl_sources, row).unwrap_or("")),
                code_out: week.word(text_at(&codes, row).unwrap_or("none")),
                code_source: source(text_at(&code_sources, row).unwrap_or("")),
                model: dictionary.intern_model(model),
                user: if users.is_valid(row) { users.value(row) } else { 0 },
            };
            let sums = CellSums {
                n: u64::try_from(counts.value(row)).unwrap_or(0),
                w: w.value(row),
                wt: wt.value(row),
                wt2: wt2.value(row),
                w_ok: w_ok.value(row),
            };
            week.add(key, &sums);
        }
        Ok(())
    })
    .await?;
    Ok(blocks.put(changes))
}

/// Days of `quality_by_day`, of everything together.
pub(super) async fn quality(
    blocks: &mut Blocks<QualityDay>,
    snapshot: &Snapshot,
    keep: impl Fn(NaiveDate) -> bool,
) -> Result<bool, LoadError> {
    let mut changes = blocks.changes(snapshot, keep, |_| 0);
    let counts: Vec<&'static str> = QualityDay::columns().collect();
    let names: Vec<&str> = std::iter::once("date").chain(counts.iter().copied()).collect();
    let total = col("dimension").eq(lit("total"));
    load::fill(snapshot, &mut changes, &names, Some(total), |columns, targets| {
        let (dates, values) = (columns.date("date")?, columns.counts(&counts)?);
        for row in 0..columns.rows() {
            let Some(day) = date_at(&dates, row).and_then(|date| targets.at(date)) else { continue };
            for (name, column) in counts.iter().zip(&values) {
                day.set(name, column.value(row));
            }
        }
        Ok(())
    })
    .await?;
    Ok(blocks.put(changes))
}

fn instant(micros: i64) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())))
}
