//! How rows of usage, its gate, quality and labels become blocks: the only place that knows their columns.

use arrow::array::Array;
use bellwether_warehouse::Snapshot;
use chrono::{Days, NaiveDate};
use datafusion::prelude::{col, lit};

use super::dictionary::Dictionary;
use super::gate::{Gate, GateMonth, Kind};
use super::keyed;
use super::labels::{CellKey, CellSums, LabelSource, LabelWeek};
use super::load::{self, Blocks, LoadError, date_at, text_at};
use super::quality::QualityDay;
use super::totals;
use super::usage_day::UsageDay;

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
