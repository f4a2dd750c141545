use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};
use bellwether_warehouse::tables::attempts::AttemptRow;

use super::*;
use crate::event::{Identity, Labels};

const MONDAY_US: i64 = 20_780 * 86_400_000_000;

fn labelled(nl: &'static str) -> Event<'static> {
    let labels = Labels { nl: Some((nl.into(), "rule:1".into())), ..Labels::default() };
    Event { labels: Some(labels), user: Some(Identity::Key(5)), ..Event::default() }
}

fn row<'a>(model: &'a str, tokens: i64, outcome: &'a str) -> AttemptRow<'a> {
    AttemptRow {
        started_at: MONDAY_US + 3 * 86_400_000_000,
        model_id: Some(model),
        provider_id: Some("p"),
        user_key: Some(5),
        input_tokens: Some(tokens),
        outcome,
        ..AttemptRow::default()
    }
}

fn column(batch: &RecordBatch, name: &str) -> Vec<String> {
    let column = batch.column_by_name(name).unwrap();
    column.as_string::<i32>().iter().map(|text| text.unwrap_or("null").to_owned()).collect()
}

fn sums(batch: &RecordBatch, name: &str) -> Vec<f64> {
    batch.column_by_name(name).unwrap().as_primitive::<Float64Type>().values().to_vec()
}

fn with_ids<T>(run: impl FnOnce(&Identities) -> T) -> T {
    let dir = tempfile::tempdir().unwrap();
    run(&Identities::open(dir.path()).unwrap())
}

#[test]
fn requests_of_one_cell_are_summed() {
    with_ids(|ids| {
        let mut cells = Cells::default();
        assert!(cells.is_empty() && cells.finish().is_none());
        cells.add(&labelled("ja"), &row("a/m", 1_234, "ok"), ids).unwrap();
        cells.add(&labelled("ja"), &row("a/m", 96, "fault"), ids).unwrap();
        assert!(cells.size_bytes() > 0);
        let batch = cells.finish().unwrap();
        assert!(cells.is_empty());
        assert_eq!(batch.num_rows(), 1);
        assert_eq!(column(&batch, "nl"), ["ja"]);
        assert_eq!(column(&batch, "code_out"), ["none"]);
        assert_eq!(column(&batch, "cat"), ["unclassified"]);
        let n = batch.column_by_name("n").unwrap().as_primitive::<Int64Type>();
        assert_eq!(n.values(), &[2]);
        // 1,234 is kept as 1,200.
        assert_eq!(sums(&batch, "sum_w"), [2.0]);
        assert_eq!(sums(&batch, "sum_wt"), [1_296.0]);
        assert_eq!(sums(&batch, "sum_wt2"), [1_440_000.0 + 9_216.0]);
        assert_eq!(sums(&batch, "sum_w_ok"), [1.0]);
        let week = batch.column_by_name("week").unwrap().as_primitive::<arrow::datatypes::Date32Type>();
        assert_eq!(week.value(0), 20_780);
        let user = batch.column_by_name("user_key").unwrap().as_primitive::<Int64Type>().value(0);
        assert_eq!(user, ids.label_user(identity::epoch_of(MONDAY_US), 5).unwrap());
        assert_ne!(user, 5);
    });
}

#[test]
fn rows_leave_in_an_order_of_their_own_that_replays() {
    with_ids(|ids| {
        let models: Vec<String> = (0..40).map(|n| format!("a/m{n:02}")).collect();
        let batch = |order: &mut dyn Iterator<Item = &String>| {
            let mut cells = Cells::default();
            for model in order {
                cells.add(&labelled("en"), &row(model, 10, "ok"), ids).unwrap();
            }
            column(&cells.finish().unwrap(), "model_id")
        };
        let forth = batch(&mut models.iter());
        assert_eq!(batch(&mut models.iter()), forth);
        assert_eq!(batch(&mut models.iter().rev()), forth);
        assert_ne!(forth, models);
        let mut sorted = forth.clone();
        sorted.sort();
        assert_eq!(sorted, models);
    });
}

#[test]
fn only_labelled_last_attempts_at_providers_count() {
    with_ids(|ids| {
        let mut cells = Cells::default();
        let event = labelled("en");
        let base = row("a/m", 10, "ok");
        let skipped = [
            AttemptRow { is_final: Some(false), ..base.clone() },
            AttemptRow { gateway_cache_hit: true, ..base.clone() },
            AttemptRow { provider_id: None, ..base.clone() },
        ];
        for row in &skipped {
            cells.add(&event, row, ids).unwrap();
        }
        cells.add(&Event::default(), &base, ids).unwrap();
        assert!(cells.is_empty());
        cells.add(&event, &AttemptRow { is_final: Some(true), ..base }, ids).unwrap();
        assert!(!cells.is_empty());
    });
}

#[test]
fn tokens_keep_two_significant_digits() {
    for (tokens, want) in
        [(0, 0), (99, 99), (104, 100), (105, 110), (999, 1_000), (1_249, 1_200), (1_250, 1_300)]
    {
        assert_eq!(two_significant_digits(tokens), want, "{tokens}");
    }
    assert_eq!(two_significant_digits(u64::MAX), 18_000_000_000_000_000_000);
}
