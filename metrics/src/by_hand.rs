//! Columns of windows, weeks and months whose numbers are worked out by hand, of six cells of two weeks.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::testing::{Cell, Row, World, publish};
use crate::{growth_by_month, rankings, share_by_week, usage_by_day, users_by_window};

/// 10⁻⁹ USD in a USD.
const USD: i128 = 1_000_000_000;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Requests, input tokens, output tokens, USD; None: nothing has a price.
type Amounts = (i64, i64, i64, Option<i128>);

fn cell(
    like: &Cell,
    date: &str,
    model: (&'static str, Option<&'static str>, Option<&'static str>),
    provider: Option<&'static str>,
    (requests, input, output, usd): Amounts,
    users: &[i64],
) -> Cell {
    let (model, variant, author) = model;
    let mut counts: BTreeMap<String, i64> = like.counts.keys().map(|name| (name.clone(), 0)).collect();
    for (name, value) in [
        ("requests", requests),
        ("input_tokens", input),
        ("output_tokens", output),
        ("unpriced_requests", if usd.is_none() { requests } else { 0 }),
        ("unpriced_tokens", if usd.is_none() { input + output } else { 0 }),
        ("requests_with_user", if users.is_empty() { 0 } else { requests }),
    ] {
        counts.insert(name.to_owned(), value);
    }
    Cell {
        date: day(date),
        model: Some(model),
        logged_author: author,
        author,
        variant,
        provider,
        counts,
        cost: usd.unwrap_or(0) * USD,
        unserved: Some(0),
        users: users.iter().copied().collect::<BTreeSet<i64>>(),
    }
}

const ONE: (&str, Option<&str>, Option<&str>) = ("acme/one", None, Some("acme"));
const FREE: (&str, Option<&str>, Option<&str>) = ("acme/one", Some("free"), Some("acme"));
const OTHER: (&str, Option<&str>, Option<&str>) = ("beta/one", Some("standard"), Some("beta"));
const RAW: (&str, Option<&str>, Option<&str>) = ("raw-model", None, None);

/// Two whole weeks from Monday 5 October on, of which everything is public. Today is the Monday after them.
fn world() -> World {
    let mut world = World::new(1, day("2026-10-05"), 14, day("2026-10-19"));
    world.terms.users = 0;
    world.terms.has_raw_names = true;
    world.terms.growth_requests = 1;
    let like = world.cells[0].clone();
    world.cells = vec![
        // 120 tokens, 60 and 30: 210 of the first week. 3 USD, unknown and 1 USD: 4. Users 1 to 4.
        cell(&like, "2026-10-05", ONE, Some("north"), (10, 100, 20, Some(3)), &[1, 2, 3]),
        cell(&like, "2026-10-07", FREE, Some("south"), (10, 50, 10, None), &[]),
        cell(&like, "2026-10-08", OTHER, None, (5, 30, 0, Some(1)), &[3, 4]),
        // 240, 360 and 10: 610 of the second week. 6 USD, 2 USD and unknown: 8. Users 1, 2 and 4 to 7.
        cell(&like, "2026-10-13", ONE, Some("north"), (20, 200, 40, Some(6)), &[1, 2]),
        cell(&like, "2026-10-14", OTHER, Some("south"), (30, 300, 60, Some(2)), &[4, 5, 6]),
        cell(&like, "2026-10-15", RAW, Some("west"), (2, 10, 0, None), &[7]),
    ];
    world
}

struct Published {
    weeks: Vec<Row>,
    months: Vec<Row>,
    windows: Vec<Row>,
}

async fn published() -> Published {
    let world = world();
    let ctx = world.session().await;
    publish(&ctx, &usage_by_day::METRIC, world.first, world.last).await;
    let end = day("2026-10-18");
    publish(&ctx, &users_by_window::METRIC, end, end).await;
    let mut windows = publish(&ctx, &rankings::METRIC, end, end).await;
    windows.retain(|row| row.whole("window_days") == Some(7));
    let mut weeks = publish(&ctx, &share_by_week::METRIC, world.first, world.last).await;
    weeks.retain(|row| row.date("week_start") == world.first);
    let months = publish(&ctx, &growth_by_month::METRIC, day("2026-10-01"), world.last).await;
    Published { weeks, months, windows }
}

fn row<'a>(rows: &'a [Row], dimension: &str, key: &str) -> &'a Row {
    let found: Vec<&Row> =
        rows.iter().filter(|row| row.text("dimension") == dimension && row.text("key") == key).collect();
    assert_eq!(found.len(), 1, "{key} in {dimension}");
    found[0]
}

#[track_caller]
fn is_share(row: &Row, column: &str, expected: Option<(u32, u32)>) {
    let expected = expected.map(|(part, whole)| f64::from(part) / f64::from(whole));
    let found = row.real(column);
    let is_near = found.zip(expected).map_or(found == expected, |(one, other)| (one - other).abs() < 1e-12);
    assert!(is_near, "{column} of {:?} is {found:?}, not {expected:?}", row.name());
}

#[tokio::test]
async fn shares_and_places_of_a_month() {
    let months = published().await.months;
    // 210 + 610 tokens, 4 + 8 USD, 7 users.
    for (dimension, key, spend, users, rank) in [
        ("total", "total", Some((12, 12)), Some((7, 7)), None),
        // 3 + 6 USD; the free requests have no price and are no part of it.
        ("model", "acme/one", Some((9, 12)), Some((3, 7)), Some(1)),
        ("model", "beta/one", Some((3, 12)), Some((4, 7)), Some(2)),
        ("model", "raw-model", None, Some((1, 7)), Some(3)),
        // 360, 390, 60 and 10 tokens.
        ("variant", "beta/one", Some((3, 12)), Some((4, 7)), Some(1)),
        ("variant", "acme/one", Some((9, 12)), Some((3, 7)), Some(2)),
        ("variant", "acme/one:free", None, None, Some(3)),
        ("author", "beta", Some((3, 12)), Some((4, 7)), Some(2)),
        ("author", "unmapped", None, Some((1, 7)), None),
        // 60 + 360 tokens, 120 + 240, 10.
        ("provider", "south", Some((2, 12)), Some((3, 7)), Some(1)),
        ("provider", "north", Some((9, 12)), Some((3, 7)), Some(2)),
        ("provider", "none", Some((1, 12)), Some((2, 7)), None),
    ] {
        let row = row(&months, dimension, key);
        is_share(row, "spend_share", spend);
        is_share(row, "users_share", users);
        assert_eq!(row.whole("tokens_rank"), rank, "{key} in {dimension}");
    }
}

#[tokio::test]
async fn shares_reasons_and_names_of_a_week() {
    let weeks = published().await.weeks;
    for (dimension, key, users, spend_reason, users_reason) in [
        ("total", "total", Some((4, 4)), "", ""),
        ("author", "acme", Some((3, 4)), "", ""),
        ("author", "beta", Some((2, 4)), "", ""),
        ("variant", "acme/one", Some((3, 4)), "", ""),
        ("variant", "acme/one:free", None, "unpriced", "not_enough"),
        ("provider", "south", None, "unpriced", "not_enough"),
        ("provider", "none", Some((2, 4)), "", ""),
    ] {
        let row = row(&weeks, dimension, key);
        is_share(row, "users_share", users);
        let reasons = (row.text("spend_reason"), row.text("users_reason"));
        assert_eq!(reasons, (spend_reason, users_reason), "{key} in {dimension}");
        assert_eq!(row.whole("spend_usd").is_none(), spend_reason == "unpriced", "{key} in {dimension}");
    }
    names(&weeks, &[]);
}

#[tokio::test]
async fn users_reasons_and_names_of_a_window() {
    let windows = published().await.windows;
    // Of the second week there are 6 users; of the one before it acme/one had 3 and beta/one 2.
    for (dimension, key, users, rank, rank_before, is_unpriced) in [
        ("total", "total", Some((6, 6)), None, None, false),
        ("model", "beta/one", Some((3, 6)), Some(1), Some(2), false),
        ("model", "acme/one", Some((2, 6)), Some(2), Some(1), false),
        ("model", "raw-model", Some((1, 6)), Some(3), None, true),
        ("provider", "south", Some((3, 6)), Some(1), None, false),
        ("provider", "north", Some((2, 6)), Some(2), Some(1), false),
        ("provider", "west", Some((1, 6)), Some(3), None, true),
    ] {
        let row = row(&windows, dimension, key);
        is_share(row, "users_share", users);
        assert_eq!(row.whole("users_rank"), rank, "{key} in {dimension}");
        assert_eq!(row.whole("users_rank_before"), rank_before, "{key} in {dimension}");
        let reason = if is_unpriced { "unpriced" } else { "" };
        assert_eq!(row.text("effective_price_reason"), reason, "{key} in {dimension}");
    }
    // 6 USD for 240 tokens.
    assert_eq!(row(&windows, "model", "acme/one").real("effective_price"), Some(25_000.0));
    names(&windows, &[("variant", "raw-model", ["raw-model", "standard", "", "", "raw-model"])]);
}

/// Ids apart and the name to show: model, variant, author, provider, display_name.
fn names(rows: &[Row], further: &[(&str, &str, [&str; 5])]) {
    let all = [
        ("total", "total", ["", "", "", "", "All"]),
        ("author", "acme", ["", "", "acme", "", "Name of acme"]),
        ("model", "acme/one", ["acme/one", "", "acme", "", "Name of acme/one"]),
        ("variant", "beta/one", ["beta/one", "standard", "beta", "", "Name of beta/one"]),
        ("provider", "north", ["", "", "", "north", "Name of north"]),
    ];
    for (dimension, key, expected) in all.iter().chain(further) {
        let row = row(rows, dimension, key);
        let found = ["model", "variant", "author", "provider", "display_name"].map(|id| row.text(id));
        assert_eq!(&found, expected, "{key} in {dimension}");
    }
}

#[tokio::test]
async fn variants_and_what_has_no_name_are_named_for_what_they_are() {
    let published = published().await;
    for (rows, dimension, key, kind, name) in [
        (&published.weeks, "variant", "acme/one:free", "key", "Name of acme/one (free)"),
        (&published.weeks, "provider", "none", "none", "No provider"),
        (&published.windows, "author", "unmapped", "unmapped", "Unmapped"),
        (&published.months, "author", "unmapped", "unmapped", "Unmapped"),
        (&published.months, "provider", "west", "key", "west"),
    ] {
        let row = row(rows, dimension, key);
        assert_eq!((row.text("kind"), row.text("display_name")), (kind, name), "{key} in {dimension}");
    }
}
