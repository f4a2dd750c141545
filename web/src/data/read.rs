//! How rows of each table become blocks: the only place that knows their columns.

use arrow::array::Array;
use bellwether_warehouse::Snapshot;
use bellwether_warehouse::tables::attempts::Outcome;
use chrono::{DateTime, Days, NaiveDate};
use datafusion::prelude::{Expr, col, lit};
use datafusion::scalar::ScalarValue;

use super::dictionary::Dictionary;
use super::gate::{Gate, GateMonth, Kind};
use super::keyed;
use super::labels::{CellKey, CellSums, LabelSource, LabelWeek};
use super::live::{Minute, MinuteBlock};
use super::load::{self, Blocks, LoadError, date_at, text_at};
use super::quality::QualityDay;
use super::routing::{RoutingCounts, RoutingDay};
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

pub(super) async fn routing(
    blocks: &mut Blocks<RoutingDay>,
    snapshot: &Snapshot,
    dictionary: &mut Dictionary,
    keep: impl Fn(NaiveDate) -> bool,
) -> Result<bool, LoadError> {
    let epoch = dictionary.epoch();
    let mut changes = blocks.changes(snapshot, keep, |_| epoch);
    let mut names = vec!["date", "hour", "model_id"];
    names.extend(RoutingCounts::COLUMNS);
    load::fill(snapshot, &mut changes, &names, None, |columns, targets| {
        let (dates, hours) = (columns.date("date")?, columns.instant("hour")?);
        let models = columns.text("model_id")?;
        let values = columns.counts(&RoutingCounts::COLUMNS)?;
        for row in 0..columns.rows() {
            let Some(day) = date_at(&dates, row).and_then(|date| targets.at(date)) else { continue };
            let model = dictionary.intern_model(text_at(&models, row));
            let counts = RoutingCounts::from_values(values.iter().map(|column| column.value(row)));
            day.rows.entry((hours.value(row), model)).or_default().add(&counts);
        }
        Ok(())
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

/// Minutes of `attempts` that begin at or after `from` (µs).
pub(super) async fn minutes(
    blocks: &mut Blocks<MinuteBlock>,
    snapshot: &Snapshot,
    keep: impl Fn(NaiveDate) -> bool,
    from: i64,
) -> Result<bool, LoadError> {
    const MINUTE: i64 = 60_000_000;
    let mut changes = blocks.changes(snapshot, keep, |_| 0);
    let names = [
        "event_date",
        "started_at",
        "outcome",
        "ttft_ms",
        "input_tokens",
        "output_tokens",
        "gateway_cache_hit",
    ];
    let filter = col("started_at").gt_eq(instant(from));
    load::fill(snapshot, &mut changes, &names, Some(filter), |columns, targets| {
        let (dates, instants) = (columns.date("event_date")?, columns.instant("started_at")?);
        let outcomes = columns.text("outcome")?;
        let tokens = columns.counts(&["input_tokens", "output_tokens"])?;
        let (gateway, ttft) = (columns.int("gateway_cache_hit")?, columns.int("ttft_ms")?);
        for row in 0..columns.rows() {
            let Some(block) = date_at(&dates, row).and_then(|date| targets.at(date)) else { continue };
            let started = instants.value(row);
            let at = started.div_euclid(MINUTE) * MINUTE;
            let Some(instant) = DateTime::from_timestamp_micros(at) else { continue };
            let entry = block.minutes.entry(at).or_insert_with(|| (Minute::empty(instant), started));
            entry.1 = entry.1.max(started);
            let output = tokens.get(1).map_or(0, |column| column.value(row));
            let outcome = text_at(&outcomes, row).and_then(Outcome::parse);
            let delivered = i64::try_from(output).unwrap_or(i64::MAX);
            let served =
                outcome.is_some_and(|outcome| outcome.is_success(Some(delivered), ttft.is_valid(row)));
            let minute = &mut entry.0;
            if served {
                minute.requests += 1;
                minute.tokens =
                    tokens.iter().fold(minute.tokens, |sum, column| sum.saturating_add(column.value(row)));
            }
            // A hit in the router's own cache is no attempt at a provider.
            if gateway.value(row) == 0 {
                minute.attempts += 1;
                minute.success += u64::from(served);
                minute.fault += u64::from(outcome == Some(Outcome::Fault));
                minute.rate_limited += u64::from(outcome == Some(Outcome::RateLimited));
            }
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
