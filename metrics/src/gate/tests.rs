//! Decisions against a plain loop over small worlds, in which every user is counted by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryArray, Date32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Date32Type, Int64Type};
use bellwether_warehouse::sketches::hll::Hll;
use bellwether_warehouse::testing::{SeededDice, SetClock};
use bellwether_warehouse::{TableId, World, session};
use chrono::{Days, NaiveDate};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;

use super::METRIC;
use crate::{Catalogue, Keyless, Model, Terms, register, tables};

/// Keys of users that no two of share a register, so that estimates of a few are exact.
const USERS: i64 = 12;

/// What one model did at one provider on one day.
#[derive(Clone, Debug)]
struct Use {
    date: NaiveDate,
    model: Option<&'static str>,
    variant: Option<&'static str>,
    author: Option<&'static str>,
    provider: Option<&'static str>,
    users: BTreeSet<i64>,
    requests: i64,
    with_user: i64,
}

/// users, requests, requests with user, is public
type Row = (i64, i64, i64, bool);
type Decisions = BTreeMap<(NaiveDate, &'static str, String), Row>;

fn day(offset: u64) -> NaiveDate {
    "2026-10-20".parse::<NaiveDate>().unwrap().checked_add_days(Days::new(offset)).unwrap()
}

fn terms(today: NaiveDate) -> Terms {
    let model = |id: &str| Model { id: id.into(), author: "acme".into(), name: id.into() };
    Terms {
        catalogue: Catalogue { models: vec![model("acme/listed")], ..Catalogue::default() },
        users: 3,
        keyless: Keyless::Hide,
        has_raw_names: false,
        growth_requests: 1,
        counted_attempts: 1,
        speed_requests: 1,
        watermark: today.and_hms_opt(12, 0, 0).unwrap().and_utc(),
        today,
    }
}

fn used(date: NaiveDate, model: &'static str, provider: &'static str, users: &[i64]) -> Use {
    let users: BTreeSet<i64> = users.iter().copied().collect();
    let with_user = users.len() as i64;
    Use {
        date,
        model: Some(model),
        variant: None,
        author: Some("acme"),
        provider: Some(provider),
        users,
        requests: with_user,
        with_user,
    }
}

fn rows_of(uses: &[Use]) -> RecordBatch {
    let schema = TableId::UsageDaily.schema();
    let text = |value: fn(&Use) -> Option<&'static str>| -> ArrayRef {
        Arc::new(uses.iter().map(value).collect::<StringArray>())
    };
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "date" => Arc::new(
                uses.iter().map(|used| Some(Date32Type::from_naive_date(used.date))).collect::<Date32Array>(),
            ),
            "model_id" => text(|used| used.model),
            "variant" => text(|used| used.variant),
            "author" => text(|used| used.author),
            "provider_id" => text(|used| used.provider),
            "requests" => Arc::new(uses.iter().map(|used| Some(used.requests)).collect::<Int64Array>()),
            "requests_with_user" => {
                Arc::new(uses.iter().map(|used| Some(used.with_user)).collect::<Int64Array>())
            }
            "users" => {
                let sketch = |used: &Use| used.users.iter().copied().collect::<Hll>().to_bytes();
                Arc::new(
                    uses.iter()
                        .map(|used| (!used.users.is_empty()).then(|| sketch(used)))
                        .collect::<BinaryArray>(),
                )
            }
            _ => match field.data_type() {
                // Whatever else a row has is of no matter here.
                DataType::Decimal128(..) => {
                    arrow::compute::cast(&Int64Array::from(vec![0; uses.len()]), field.data_type()).unwrap()
                }
                DataType::Int64 => Arc::new(Int64Array::from(vec![0; uses.len()])),
                other => arrow::array::new_null_array(other, uses.len()),
            },
        }
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}

/// A session over `uses` and what stands in `gate`.
async fn ctx(uses: &[Use], standing: Vec<RecordBatch>, terms: &Terms) -> SessionContext {
    let ctx = session::without_files(2);
    for id in TableId::ALL.into_iter().chain(tables()) {
        let batches = match id.name() {
            "usage_daily" => vec![rows_of(uses)],
            "gate" => standing.clone(),
            _ => Vec::new(),
        };
        let table = MemTable::try_new(id.schema(), vec![batches]).unwrap();
        ctx.register_table(id.name(), Arc::new(table)).unwrap();
    }
    register(&ctx, terms).await.unwrap();
    ctx
}

/// Computed in runs of `step` days, oldest first, as publication does.
async fn computed(uses: &[Use], terms: &Terms, from: NaiveDate, step: u64) -> Decisions {
    let mut standing = Vec::new();
    let mut from = from;
    while from <= terms.today {
        let to = from.checked_add_days(Days::new(step - 1)).unwrap().min(terms.today);
        let rows = METRIC.rows(&ctx(uses, standing.clone(), terms).await, from, to).await.unwrap();
        standing.extend(rows);
        from = to.succ_opt().unwrap();
    }
    decisions(&standing)
}

fn decisions(batches: &[RecordBatch]) -> Decisions {
    let mut decisions = Decisions::new();
    for batch in batches {
        let column = |name: &str| batch.column_by_name(name).unwrap();
        let number = |name: &str, row| column(name).as_primitive::<Int64Type>().value(row);
        for row in 0..batch.num_rows() {
            let date = |name: &str| {
                let days = column(name).as_primitive::<Date32Type>().value(row);
                NaiveDate::default().checked_add_days(Days::new(days as u64)).unwrap()
            };
            let dimension = match column("dimension").as_string::<i32>().value(row) {
                "variant" => "variant",
                "provider" => "provider",
                other => panic!("{other}"),
            };
            let first = date("date").to_string()[..8].to_owned() + "01";
            assert_eq!(date("month").to_string(), first);
            let key = (date("date"), dimension, column("key").as_string::<i32>().value(row).to_owned());
            let is_public = column("is_public").as_boolean().value(row);
            let found =
                (number("users", row), number("requests", row), number("requests_with_user", row), is_public);
            assert!(decisions.insert(key, found).is_none());
        }
    }
    decisions
}

/// The same by the words of the specification, one key and day after the other.
fn expected(uses: &[Use], terms: &Terms, from: NaiveDate) -> Decisions {
    let variant_key = |used: &Use| {
        used.model.map(|model| match used.variant {
            None | Some("standard") => model.to_owned(),
            Some(variant) => format!("{model}:{variant}"),
        })
    };
    let has_name =
        |used: &Use| used.author.is_some() || terms.has_raw_names || used.model == Some("acme/listed");
    let first = uses.iter().map(|used| used.date).min();
    // Yesterday, too, in the first two hours.
    let is_early = terms.watermark < terms.today.and_hms_opt(2, 0, 0).unwrap().and_utc();
    let open = if is_early { terms.today.pred_opt().unwrap() } else { terms.today };
    let judged_on = |date: NaiveDate| match first {
        Some(first) if date >= open && first < open => open.pred_opt().unwrap(),
        _ => date,
    };
    let window = |date: NaiveDate| date.checked_sub_days(Days::new(27)).unwrap()..=date;
    let judge = |cells: &[&Use], may_be_named: bool| {
        let users: BTreeSet<i64> = cells.iter().flat_map(|used| used.users.iter().copied()).collect();
        let requests: i64 = cells.iter().map(|used| used.requests).sum();
        let with_user: i64 = cells.iter().map(|used| used.with_user).sum();
        let has_enough = users.len() as i64 >= i64::from(terms.users);
        let is_keyless = terms.keyless == Keyless::Show && 2 * (requests - with_user) > requests;
        (users.len() as i64, requests, with_user, may_be_named && (has_enough || is_keyless))
    };
    let days: Vec<NaiveDate> = from.iter_days().take_while(|date| *date <= terms.today).collect();
    let mut found = Decisions::new();
    for date in &days {
        let on = judged_on(*date);
        let seen = |used: &&Use| window(on).contains(&used.date) || (on..=*date).contains(&used.date);
        let keys: BTreeSet<String> = uses.iter().filter(seen).filter_map(variant_key).collect();
        for key in keys {
            let of_key = |used: &&Use| variant_key(used).as_deref() == Some(&key);
            let is_named = uses.iter().filter(seen).filter(of_key).any(has_name);
            let cells: Vec<&Use> = uses
                .iter()
                .filter(|used| window(on).contains(&used.date))
                .filter(of_key)
                .filter(|used| has_name(used) || !is_named)
                .collect();
            found.insert((*date, "variant", key), judge(&cells, is_named));
        }
    }
    for date in &days {
        let on = judged_on(*date);
        let seen = |used: &&Use| window(on).contains(&used.date) || (on..=*date).contains(&used.date);
        let keys: BTreeSet<&str> = uses.iter().filter(seen).filter_map(|used| used.provider).collect();
        for key in keys {
            let is_public = |used: &&Use| {
                let variant = variant_key(used).map(|variant| (used.date, "variant", variant));
                has_name(used) && variant.and_then(|key| found.get(&key)).is_some_and(|row| row.3)
            };
            let cells: Vec<&Use> = uses
                .iter()
                .filter(|used| used.provider == Some(key) && window(on).contains(&used.date))
                .filter(is_public)
                .collect();
            let row = judge(&cells, terms.has_raw_names || !key.starts_with("host:"));
            found.insert((*date, "provider", key.to_owned()), row);
        }
    }
    found
}

fn random_world(seed: u64) -> (Vec<Use>, Terms, u64) {
    let world = World::new(Arc::new(SetClock::at(0)), Arc::new(SeededDice::new(seed)));
    let below = |n: u64| world.random() % n;
    let last = [0, 1, 30, 70][below(4) as usize];
    let today = day(last);
    let terms = Terms {
        users: [0, 2, 3, 5][below(4) as usize],
        keyless: if below(2) == 0 { Keyless::Show } else { Keyless::Hide },
        has_raw_names: below(3) == 0,
        watermark: today.and_hms_opt([0, 1, 2, 12][below(4) as usize], 0, 0).unwrap().and_utc(),
        ..terms(today)
    };
    let uses = (0..below(60))
        .map(|_| {
            let users: BTreeSet<i64> = (0..below(4)).map(|_| below(USERS as u64) as i64).collect();
            let with_user = users.len() as i64;
            Use {
                date: day(below(last + 1)),
                model: [Some("acme/a"), Some("acme/b"), Some("raw"), Some("acme/listed"), None]
                    [below(5) as usize],
                variant: [None, Some("standard"), Some("free")][below(3) as usize],
                author: [Some("acme"), None][below(2) as usize],
                provider: [Some("north"), Some("south"), Some("host:gpu:80"), None][below(4) as usize],
                users,
                requests: with_user + below(4) as i64,
                with_user,
            }
        })
        .collect();
    (uses, terms, if last < 2 { 1 } else { [6, 40, 100][below(3) as usize] })
}

#[test]
fn a_few_users_are_counted_exactly() {
    assert_eq!((0..USERS).collect::<Hll>().estimate().round() as i64, USERS);
}

#[tokio::test]
async fn decisions_are_those_of_a_plain_loop_in_random_worlds_however_they_are_divided() {
    let (mut public, mut hidden) = (0, 0);
    for seed in 0..50 {
        let (uses, terms, step) = random_world(seed);
        let found = computed(&uses, &terms, day(0), step).await;
        let expected = expected(&uses, &terms, day(0));
        let differ = found.keys().chain(expected.keys()).find(|key| found.get(key) != expected.get(key));
        let differ = differ.map(|key| (key, found.get(key), expected.get(key)));
        assert_eq!(differ, None, "seed {seed}, {terms:?}");
        public += found.values().filter(|row| row.3).count();
        hidden += found.values().filter(|row| !row.3).count();
    }
    assert!(public > 500 && hidden > 500, "{public} {hidden}");
}

fn of<'a>(found: &'a Decisions, date: NaiveDate, dimension: &'static str, key: &str) -> Option<&'a Row> {
    found.get(&(date, dimension, key.to_owned()))
}

#[tokio::test]
async fn the_running_day_follows_the_last_closed_one_and_the_first_day_itself() {
    let uses = [used(day(0), "acme/a", "north", &[1, 2]), used(day(1), "acme/a", "north", &[3, 4])];
    // Nobody knows more than the first day yet.
    let first = [used(day(0), "acme/a", "north", &[1, 2, 3])];
    let found = computed(&first, &terms(day(0)), day(0), 1).await;
    assert_eq!(of(&found, day(0), "variant", "acme/a"), Some(&(3, 3, 3, true)));
    assert_eq!(of(&found, day(0), "provider", "north"), Some(&(3, 3, 3, true)));
    // While the second day runs, the two users of the first are what counts.
    let running = computed(&uses, &terms(day(1)), day(0), 1).await;
    assert_eq!(of(&running, day(1), "variant", "acme/a"), Some(&(2, 2, 2, false)));
    // Once it has closed, all four; what was decided for the first day stays.
    let closed = computed(&uses, &terms(day(2)), day(0), 1).await;
    assert_eq!(of(&closed, day(0), "variant", "acme/a"), Some(&(2, 2, 2, false)));
    assert_eq!(of(&closed, day(1), "variant", "acme/a"), Some(&(4, 4, 4, true)));
    assert_eq!(of(&closed, day(2), "variant", "acme/a"), Some(&(4, 4, 4, true)));
    // Of the provider only the public day counts.
    assert_eq!(of(&closed, day(1), "provider", "north"), Some(&(2, 2, 2, false)));
    // A key that is new on the running day is there, and hidden.
    let fresh = [used(day(0), "acme/a", "north", &[1]), used(day(1), "acme/b", "south", &[1, 2, 3])];
    let found = computed(&fresh, &terms(day(1)), day(0), 1).await;
    assert_eq!(of(&found, day(1), "variant", "acme/b"), Some(&(0, 0, 0, false)));
    assert_eq!(of(&found, day(1), "provider", "south"), Some(&(0, 0, 0, false)));
}

#[tokio::test]
async fn a_decision_lasts_as_long_as_a_day_counts_and_a_late_row_moves_the_days_it_touches() {
    let uses = vec![used(day(0), "acme/a", "north", &[1, 2, 3])];
    let terms = terms(day(60));
    let before = computed(&uses, &terms, day(0), 61).await;
    assert_eq!(of(&before, day(27), "variant", "acme/a"), Some(&(3, 3, 3, true)));
    assert_eq!(of(&before, day(28), "variant", "acme/a"), None);
    let mut late = uses.clone();
    late.push(used(day(3), "acme/a", "south", &[1]));
    let after = computed(&late, &terms, day(0), 61).await;
    let touched = (METRIC.touched)(day(3));
    let moved: Vec<_> =
        before.keys().chain(after.keys()).filter(|key| before.get(key) != after.get(key)).collect();
    assert!(!moved.is_empty());
    assert!(moved.iter().all(|(date, _, _)| touched.contains(date)), "{moved:?}");
    assert_eq!(of(&after, day(30), "variant", "acme/a"), Some(&(1, 1, 1, false)));
}

#[tokio::test]
async fn most_requests_without_a_user_are_hidden_or_shown_as_the_terms_say() {
    let keyless = |requests| Use { requests, ..used(day(0), "acme/a", "north", &[1]) };
    for (requests, keyless_is, public) in [
        (3, Keyless::Hide, false),
        (3, Keyless::Show, true),
        // Exactly half carry one.
        (2, Keyless::Show, false),
    ] {
        let terms = Terms { keyless: keyless_is, ..terms(day(0)) };
        let found = computed(&[keyless(requests)], &terms, day(0), 1).await;
        assert_eq!(of(&found, day(0), "variant", "acme/a"), Some(&(1, requests, 1, public)));
        let of_provider = of(&found, day(0), "provider", "north").unwrap();
        assert_eq!(*of_provider, if public { (1, requests, 1, true) } else { (0, 0, 0, false) });
    }
}

#[tokio::test]
async fn cells_tell_whether_variant_and_provider_may_be_named() {
    let mut uses = vec![
        used(day(0), "acme/a", "north", &[1, 2, 3]),
        used(day(0), "acme/b", "north", &[1]),
        used(day(0), "acme/a", "host:gpu", &[1, 2, 3]),
    ];
    uses.push(Use { author: None, ..used(day(0), "raw", "north", &[1, 2, 3]) });
    let terms = terms(day(0));
    let rows = METRIC.rows(&ctx(&uses, Vec::new(), &terms).await, day(0), day(0)).await.unwrap();
    let ctx = ctx(&uses, rows, &terms).await;
    let sql = "SELECT variant_key, provider_id, is_public, provider_is_public FROM cells ORDER BY 1, 2";
    let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
    let mut lines = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let text = |at: usize| batch.column(at).as_string::<i32>().value(row).to_owned();
            let flag = |at: usize| batch.column(at).as_boolean().value(row);
            lines.push((text(0), text(1), flag(2), flag(3)));
        }
    }
    let line = |variant: &str, provider: &str, public, named| {
        (variant.to_owned(), provider.to_owned(), public, named)
    };
    assert_eq!(
        lines,
        [
            line("acme/a", "host:gpu", true, false),
            line("acme/a", "north", true, true),
            line("acme/b", "north", false, true),
            line("raw", "north", false, true),
        ]
    );
}
