//! Input that nobody hopes for: a source whose requests all carry one id, names that are spelled in every way, a catalogue that
//! changes its mind, and two hosts that publish the same.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use arrow::compute::{concat_batches, take_record_batch};
use bellwether_warehouse::TableId;
use bellwether_warehouse::session::without_files;
use bellwether_warehouse::sketches::hll::Hll;
use chrono::{Days, NaiveDate};
use datafusion::prelude::SessionContext;
use serde_json::json;

use crate::testing::{Cell, Dice, Row, World, date, publish, stand_in, terms};
use crate::{
    Keyless, Metric, Model, Terms, gate, growth_by_month, rankings, share_by_week, usage_by_day,
    users_by_window,
};

/// A million requests of `acme/one` in a thousand rows, as many folds leave them, and a few of another model by as many
/// users as a name needs.
async fn million(with_user: i64, keyless: Keyless) -> Vec<Row> {
    let terms = Terms { keyless, ..terms() };
    let today = terms.today;
    let one_user: String =
        [7].into_iter().collect::<Hll>().to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let many: String = (1..40).collect::<Hll>().to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let ctx = without_files(2);
    stand_in(
        &ctx,
        TableId::UsageDaily,
        vec![
            json!({
                "date": today, "model_id": "acme/one", "author": "acme", "provider_id": "north",
                "requests": 1_000, "requests_with_user": with_user / 1_000, "input_tokens": 5_000,
                "users": one_user, "cost_usd": "0.000000001", "unserved_cost_usd": "0",
            }),
            json!({
                "date": today, "model_id": "acme/two", "author": "acme", "provider_id": "north",
                "requests": 40, "requests_with_user": 40, "input_tokens": 1, "users": many, "cost_usd": "1",
                "unserved_cost_usd": "0",
            }),
        ],
    );
    // Each of the thousand rows has all that the first one has.
    let sql = "SELECT usage_daily.* FROM usage_daily CROSS JOIN generate_series(1, 1000) AS copies WHERE model_id = 'acme/one' \
               UNION ALL SELECT * FROM usage_daily WHERE model_id <> 'acme/one'";
    let rows = ctx.sql(sql).await.unwrap().collect().await.unwrap();
    let rows: Vec<RecordBatch> = rows
        .iter()
        .map(|batch| RecordBatch::try_new(TableId::UsageDaily.schema(), batch.columns().to_vec()).unwrap())
        .collect();
    let rows = concat_batches(&TableId::UsageDaily.schema(), &rows).unwrap();
    ctx.deregister_table("usage_daily").unwrap();
    ctx.register_batch("usage_daily", rows).unwrap();
    crate::register(&ctx, &terms).await.unwrap();
    publish(&ctx, &gate::METRIC, today, today).await;
    // With the views that read it.
    let decided = ctx.table("gate").await.unwrap().collect().await.unwrap();
    let usage = ctx.table("usage_daily").await.unwrap().collect().await.unwrap();
    let ctx = without_files(2);
    ctx.register_batch("gate", concat_batches(&gate::TABLE.schema(), &decided).unwrap()).unwrap();
    ctx.register_batch("usage_daily", concat_batches(&TableId::UsageDaily.schema(), &usage).unwrap())
        .unwrap();
    crate::register(&ctx, &terms).await.unwrap();
    publish(&ctx, &usage_by_day::METRIC, today, today).await
}

#[tokio::test]
async fn a_million_requests_of_one_user_are_hidden_whatever_is_said_of_traffic_without_ids() {
    let requests = |rows: &[Row], dimension: &str| -> BTreeMap<String, i128> {
        let of = rows.iter().filter(|row| row.text("dimension") == dimension);
        of.map(|row| (row.text("key").to_owned(), row.whole("requests").unwrap())).collect()
    };
    let told = |rows: &[(&str, i128)]| -> BTreeMap<String, i128> {
        rows.iter().map(|(key, requests)| ((*key).to_owned(), *requests)).collect()
    };
    let hidden = told(&[("acme/two", 40), ("hidden", 1_000_000)]);
    for keyless in [Keyless::Hide, Keyless::Show] {
        let found = million(1_000_000, keyless).await;
        assert_eq!(requests(&found, "model"), hidden);
        assert_eq!(requests(&found, "provider"), told(&[("north", 40), ("hidden", 1_000_000)]));
        assert_eq!(requests(&found, "total"), told(&[("total", 1_000_040)]));
        assert!(found.iter().all(|row| !row.text_without(|_| false).contains("acme/one")));
    }
    // Nearly none of them carries an id: then it is as it was said.
    assert_eq!(requests(&million(1_000, Keyless::Hide).await, "model"), hidden);
    let shown = told(&[("acme/one", 1_000_000), ("acme/two", 40)]);
    assert_eq!(requests(&million(1_000, Keyless::Show).await, "model"), shown);
}

/// Of the same cells, a name as each catalogue has it.
async fn named_by(world: &World) -> (Vec<Row>, Vec<Row>) {
    let ctx = world.session().await;
    let days = publish(&ctx, &usage_by_day::METRIC, world.first, world.last).await;
    publish(&ctx, &users_by_window::METRIC, world.last, world.last).await;
    let windows = publish(&ctx, &rankings::METRIC, world.last, world.last).await;
    (days, windows)
}

#[tokio::test]
async fn a_catalogue_that_renames_or_forgets_a_model_names_its_whole_history_anew() {
    let mut world = World::new(5, date("2026-10-01"), 20, date("2026-10-21"));
    (world.terms.users, world.terms.has_raw_names) = (20, false);
    // Whoever is known may be named.
    let days = (0..20).map(|age| world.first + Days::new(age));
    world.public = days
        .flat_map(|on| {
            ["acme/one", "beta/late", "beta/late:free", "beta/one"].map(|key| ("variant", key.to_owned(), on))
        })
        .collect();
    let late: Vec<&Cell> = world.cells.iter().filter(|cell| cell.model == Some("beta/late")).collect();
    let requests: i128 = late.iter().map(|cell| i128::from(cell.count("requests"))).sum();
    assert!(requests > 0);
    let sum = |rows: &[Row], dimension: &str, key: &str| -> i128 {
        let of = rows.iter().filter(|row| row.text("dimension") == dimension && row.text("key") == key);
        of.map(|row| row.whole("requests").unwrap()).sum()
    };
    let total = |rows: &[Row]| sum(rows, "total", "total");
    let (before, _) = named_by(&world).await;
    assert_eq!(sum(&before, "model", "beta/late"), requests);
    let (beta, hidden) = (sum(&before, "author", "beta"), sum(&before, "model", "hidden"));

    // Another name and another author.
    let at = world.terms.catalogue.models.iter().position(|model| model.id == "beta/late").unwrap();
    let known =
        Model { id: "beta/late".into(), author: "gamma".into(), name: "Late, under another name".into() };
    world.terms.catalogue.models[at] = known;
    let (days, windows) = named_by(&world).await;
    for rows in [&days, &windows] {
        let mut of = rows.iter().filter(|row| row.text("key") == "beta/late").peekable();
        assert!(of.peek().is_some());
        let of_model = of.filter(|row| row.text("dimension") == "model");
        assert!(of_model.into_iter().all(|row| row.text("display_name") == "Late, under another name"));
        assert!(!rows.iter().any(|row| row.text_without(|_| false).contains("Name of beta/late")));
    }
    assert_eq!((sum(&days, "author", "gamma"), sum(&days, "author", "beta")), (requests, beta - requests));
    assert_eq!(total(&days), total(&before));

    // And then it is known no more: what was under its name is hidden, of all days.
    world.terms.catalogue.models.remove(at);
    let (days, windows) = named_by(&world).await;
    for row in days.iter().chain(&windows) {
        assert!(!row.text_without(|_| false).contains("beta/late"), "{row:?}");
    }
    assert_eq!((sum(&days, "author", "gamma"), sum(&days, "author", "beta")), (0, beta - requests));
    assert_eq!(sum(&days, "model", "hidden"), hidden + requests);
    assert_eq!(total(&days), total(&before));
}

/// Spelled as logs spell them; no two are the same name.
const IDS: [&str; 16] = [
    "acme/one",
    "Acme/One",
    "ACME/ONE",
    "acme/one/two",
    "acme//one",
    "/acme",
    "acme/",
    "acme/one:beta:2",
    "key:acme",
    "hidden",
    "total",
    "ft:acme@one",
    "дома/модель",
    "模型/一",
    "a'b\"c\\d%e_f",
    " spaced\tand\nbroken ",
];

#[tokio::test]
async fn ids_of_every_kind_have_a_row_each_and_stay_as_they_are_spelled() {
    let mut world = World::new(3, date("2026-10-12"), 7, date("2026-10-19"));
    (world.terms.users, world.terms.has_raw_names) = (0, true);
    let mut dice = Dice(11);
    let like = world.cells[0].clone();
    let mut expected: BTreeMap<(&str, &str, String), i128> = BTreeMap::new();
    world.cells.clear();
    for (at, id) in IDS.into_iter().enumerate() {
        for _ in 0..3 {
            let mut cell =
                Cell { model: Some(id), provider: Some(IDS[(at + 5) % IDS.len()]), ..like.clone() };
            (cell.author, cell.logged_author, cell.variant) =
                (Some(IDS[(at + 9) % IDS.len()]), Some(IDS[(at + 9) % IDS.len()]), None);
            // The catalogue's word goes before that of the log.
            if id == "acme/one" {
                cell.author = Some("acme");
            }
            cell.date = world.first + Days::new(dice.below(7));
            cell.counts.insert("requests".to_owned(), i64::try_from(1 + dice.below(900)).unwrap());
            let requests = i128::from(cell.count("requests"));
            for (dimension, key) in [
                ("model", id),
                ("variant", id),
                ("provider", cell.provider.unwrap()),
                ("author", cell.author.unwrap()),
            ] {
                *expected.entry((dimension, "key", key.to_owned())).or_default() += requests;
            }
            *expected.entry(("total", "total", "total".to_owned())).or_default() += requests;
            world.cells.push(cell);
        }
    }
    let ctx = world.session().await;
    let days = publish(&ctx, &usage_by_day::METRIC, world.first, world.last).await;
    publish(&ctx, &users_by_window::METRIC, world.last, world.last).await;
    let mut windows = publish(&ctx, &rankings::METRIC, world.last, world.last).await;
    windows.retain(|row| row.whole("window_days") == Some(7));
    let weeks = publish(&ctx, &share_by_week::METRIC, world.first, world.last).await;
    let months = publish(&ctx, &growth_by_month::METRIC, date("2026-10-01"), world.last).await;
    for (table, rows) in [("days", &days), ("windows", &windows), ("weeks", &weeks), ("months", &months)] {
        let mut found: BTreeMap<(&str, &str, String), i128> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for row in rows.iter().filter(|row| row.text("dimension") != "model_provider") {
            let name = (row.text("dimension"), row.text("kind"), row.text("key").to_owned());
            *found.entry(name).or_default() += row.whole("requests").unwrap();
            let own = match row.text("dimension") {
                "total" => "total",
                "variant" => row.text("model"),
                dimension => row.text(dimension),
            };
            assert_eq!(own, row.text("key"), "{table}");
            if table != "days" {
                assert!(seen.insert(row.name()), "{table}: {:?} has two rows", row.name());
            }
        }
        assert_eq!(found, expected, "{table}");
    }
}

/// What a host computes of the same rows in another order, with another number of threads.
async fn computed(
    rows: &RecordBatch,
    decided: &RecordBatch,
    terms: &Terms,
    threads: usize,
) -> Vec<(&'static str, Vec<u8>)> {
    let ctx: SessionContext = without_files(threads);
    let mut dice = Dice(threads as u64);
    for (name, batch) in [("usage_daily", rows), ("gate", decided)] {
        let mut order: Vec<u32> = (0..u32::try_from(batch.num_rows()).unwrap()).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, usize::try_from(dice.below(last as u64 + 1)).unwrap());
        }
        let shuffled = take_record_batch(batch, &arrow::array::UInt32Array::from(order)).unwrap();
        ctx.register_batch(name, shuffled).unwrap();
    }
    crate::register(&ctx, terms).await.unwrap();
    let first: NaiveDate = date("2026-09-01");
    let mut files = Vec::new();
    let metrics: [Metric; 5] = [
        usage_by_day::METRIC,
        users_by_window::METRIC,
        rankings::METRIC,
        share_by_week::METRIC,
        growth_by_month::METRIC,
    ];
    for metric in metrics {
        let from = if metric.is_of_windows() { date("2026-10-08") } else { date("2026-08-31") };
        let from = if *metric.table == growth_by_month::TABLE { first } else { from };
        let batches = metric.rows(&ctx, from, terms.today).await.unwrap();
        let batch = concat_batches(&metric.table.schema(), &batches).unwrap();
        // As text, since what stands in memory where nothing is known is nobody's business.
        let mut writer = arrow::json::LineDelimitedWriter::new(Vec::new());
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        files.push((metric.table.name, writer.into_inner()));
        ctx.deregister_table(metric.table.name).unwrap();
        ctx.register_batch(metric.table.name, batch).unwrap();
    }
    files
}

#[tokio::test]
async fn two_hosts_that_publish_the_same_give_the_same_bytes() {
    for seed in 60..64 {
        let world = World::new(seed, date("2026-09-01"), 40, date("2026-10-11"));
        let ctx = world.tables();
        let rows = ctx.table("usage_daily").await.unwrap().collect().await.unwrap();
        let rows = concat_batches(&rows[0].schema(), &rows).unwrap();
        let decided = ctx.table("gate").await.unwrap().collect().await.unwrap();
        let decided = concat_batches(&gate::TABLE.schema(), &decided).unwrap();
        let one = computed(&rows, &decided, &world.terms, 1).await;
        let other = computed(&rows, &decided, &world.terms, 5).await;
        for ((table, bytes), (_, others)) in one.iter().zip(&other) {
            let lines = |bytes: &[u8]| -> Vec<String> {
                String::from_utf8(bytes.to_vec()).unwrap().lines().map(str::to_owned).collect()
            };
            let (lines, others) = (lines(bytes), lines(others));
            let differ = lines.iter().zip(&others).find(|(one, other)| one != other);
            assert_eq!(differ, None, "{table}, seed {seed}");
            assert!(lines.len() == others.len() && lines.len() > 50, "{table}, seed {seed}");
        }
    }
}
