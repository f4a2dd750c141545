use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};

use super::METRIC;
use crate::testing::{Cell, DIMENSIONS, Row, Value, World, publish};
use crate::{usage_by_day, users_by_window};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Kind and key.
type Name = (String, String);

/// What a name has in one window, by a loop over the cells.
#[derive(Clone, Debug, Default)]
struct Sums {
    tokens: i64,
    requests: i64,
    input: i64,
    cached: i64,
    with_user: i64,
    unpriced: i64,
    unpriced_tokens: i64,
    cost: i128,
    /// By day; None where one of its cells does not know it.
    unserved: BTreeMap<NaiveDate, Option<i128>>,
    users: BTreeSet<i64>,
}

impl Sums {
    /// Of what is hidden nobody is counted.
    fn add(&mut self, cell: &Cell, has_users: bool) {
        self.tokens += cell.count("tokens");
        self.requests += cell.count("requests");
        self.input += cell.count("input_tokens");
        self.cached += cell.count("cached_input_tokens");
        self.with_user += cell.count("requests_with_user");
        self.unpriced += cell.count("unpriced_requests");
        self.unpriced_tokens += cell.count("unpriced_tokens");
        self.cost += cell.cost;
        let of_day = self.unserved.entry(cell.date).or_insert(Some(0));
        *of_day = of_day.zip(cell.unserved).map(|(sum, own)| sum + own);
        if has_users {
            self.users.extend(&cell.users);
        }
    }

    /// USD per million tokens of what was served, and the tokens that it is of.
    fn price(&self) -> Option<(f64, i64)> {
        let served = self.cost - self.unserved.values().flatten().sum::<i128>();
        let tokens = self.tokens - self.unpriced_tokens;
        (tokens > 0).then(|| (served as f64 / 1e3 / tokens as f64, tokens))
    }

    fn spend(&self) -> Option<i128> {
        let unknown = self.requests > 0 && self.unpriced >= self.requests && self.cost == 0;
        (!unknown).then_some(self.cost)
    }
}

/// The window that ends `back` windows before `end`.
fn span(end: NaiveDate, window: u64, back: u64) -> std::ops::RangeInclusive<NaiveDate> {
    let last = end - Days::new(back * window);
    last - Days::new(window - 1)..=last
}

/// What is told, which of pairs may be whole percents of a day.
fn window(
    world: &World,
    dimension: &str,
    days: &std::ops::RangeInclusive<NaiveDate>,
) -> BTreeMap<Name, Sums> {
    let mut found: BTreeMap<Name, Sums> = BTreeMap::new();
    for (name, cell) in world.told(dimension, days) {
        let has_users = dimension != "total" || world.is_public(&cell);
        found.entry(name).or_default().add(&cell, has_users);
    }
    found
}

fn exact_window(
    world: &World,
    dimension: &str,
    days: &std::ops::RangeInclusive<NaiveDate>,
) -> BTreeMap<Name, Sums> {
    let mut found: BTreeMap<Name, Sums> = BTreeMap::new();
    for cell in world.cells.iter().filter(|cell| days.contains(&cell.date)) {
        let has_users = dimension != "total" || world.is_public(cell);
        found.entry(world.place(cell, dimension)).or_default().add(cell, has_users);
    }
    found
}

/// Names that on a day of the window had traffic and nothing public.
fn hidden(world: &World, dimension: &str, days: &std::ops::RangeInclusive<NaiveDate>) -> BTreeSet<String> {
    let mut traffic: BTreeMap<(NaiveDate, String), bool> = BTreeMap::new();
    for cell in world.cells.iter().filter(|cell| days.contains(&cell.date)) {
        if let Some(key) = world.own_key(cell, dimension) {
            let is_shown = world.place(cell, dimension).0 != "hidden";
            *traffic.entry((cell.date, key)).or_default() |= is_shown;
        }
    }
    traffic.into_iter().filter(|(_, is_shown)| !is_shown).map(|((_, key), _)| key).collect()
}

/// 1 is the largest; equal ones by name; nothing has no place.
fn places(values: impl Iterator<Item = (String, Option<i128>)>) -> BTreeMap<String, i128> {
    let mut order: Vec<(i128, String)> =
        values.filter_map(|(key, value)| Some((-value.filter(|value| *value > 0)?, key))).collect();
    order.sort();
    order.into_iter().zip(1..).map(|((_, key), place)| (key, place)).collect()
}

fn keys(of: &BTreeMap<Name, Sums>) -> impl Iterator<Item = (String, &Sums)> {
    of.iter().filter(|((kind, _), _)| kind == "key").map(|((_, key), sums)| (key.clone(), sums))
}

#[track_caller]
fn close(found: Option<f64>, expected: Option<f64>, what: &str) {
    match (found, expected) {
        (Some(found), Some(expected)) => {
            assert!(
                (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
                "{what}: {found}, not {expected}"
            );
        }
        (found, expected) => assert_eq!(found, expected, "{what}"),
    }
}

fn ratio(part: i128, whole: i128) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// All rows of one end date, window and dimension against the cells.
fn check(
    world: &World,
    rows: &[&Row],
    end: NaiveDate,
    days: u64,
    dimension: &str,
    seen: &mut BTreeMap<String, usize>,
) {
    let place = format!("{dimension}, {days} days to {end}");
    let (spans, first) = ([0, 1, 2, 3].map(|back| span(end, days, back)), world.first);
    let [now, before, second, third] = spans.each_ref().map(|days| window(world, dimension, days));
    let (has_before, has_three) = (*spans[1].start() >= first, *spans[3].start() >= first);
    let hidden_before = hidden(world, dimension, &spans[1]);
    let hidden_in_three: BTreeSet<String> =
        spans[1..].iter().flat_map(|days| hidden(world, dimension, days)).collect();
    let [total, total_before] = [&spans[0], &spans[1]]
        .map(|days| window(world, "total", days).into_values().next().unwrap_or_default());
    let exact = exact_window(world, dimension, &spans[0]);
    let of_providers = exact_window(world, "model_provider", &spans[0]);
    let names: BTreeSet<Name> =
        rows.iter().map(|row| (row.text("kind").to_owned(), row.text("key").to_owned())).collect();
    assert_eq!(names, now.keys().cloned().collect(), "{place}");

    let of = |set: &BTreeMap<Name, Sums>, get: fn(&Sums) -> Option<i128>| {
        places(keys(set).map(|(key, sums)| (key, get(sums))))
    };
    // Estimates of few users are nearly exact; places by users follow the published numbers.
    let users =
        |column: &str| {
            places(rows.iter().map(|row| {
                (row.text("key").to_owned(), row.whole(column).filter(|_| row.text("kind") == "key"))
            }))
        };
    let tokens: fn(&Sums) -> Option<i128> = |sums| Some(sums.tokens.into());
    let requests: fn(&Sums) -> Option<i128> = |sums| Some(sums.requests.into());
    let known = |places: BTreeMap<String, i128>| if has_before { places } else { BTreeMap::new() };
    let ranks = [
        ("tokens_rank", of(&now, tokens)),
        ("requests_rank", of(&now, requests)),
        ("spend_rank", of(&now, Sums::spend)),
        ("users_rank", users("users")),
        ("tokens_rank_before", known(of(&before, tokens))),
        ("requests_rank_before", known(of(&before, requests))),
        ("spend_rank_before", known(of(&before, Sums::spend))),
    ];
    for row in rows {
        let (kind, key) = (row.text("kind"), row.text("key"));
        let what = format!("{key} in {place}");
        let own = &now[&(kind.to_owned(), key.to_owned())];
        let was_hidden = kind == "key" && hidden_before.contains(key);
        let old = before.get(&(kind.to_owned(), key.to_owned()));
        let old = (has_before && (old.is_some() || !was_hidden)).then(|| old.cloned().unwrap_or_default());
        assert_eq!(row.whole("tokens"), Some(own.tokens.into()), "{what}");
        assert_eq!(row.whole("requests"), Some(own.requests.into()), "{what}");
        assert_eq!(row.whole("spend_usd"), own.spend(), "{what}");
        let unserved: Option<i128> = own.unserved.values().copied().sum();
        assert_eq!(row.whole("unserved_spend_usd"), unserved, "{what}");
        let reason = if unserved.is_none() { "no_history" } else { "" };
        assert_eq!(row.text("unserved_spend_reason"), reason, "{what}");
        check_spread(row, &of_providers, &what);
        assert_eq!(row.text("spend_reason"), if own.spend().is_none() { "unpriced" } else { "" });
        assert_eq!(row.whole("tokens_before"), old.as_ref().map(|old| old.tokens.into()), "{what}");
        assert_eq!(row.whole("requests_before"), old.as_ref().map(|old| old.requests.into()), "{what}");
        assert_eq!(row.whole("spend_usd_before"), old.as_ref().and_then(Sums::spend), "{what}");
        for (column, places) in &ranks {
            let expected = places.get(key).filter(|_| kind == "key").copied();
            assert_eq!(row.whole(column), expected, "{column} of {what}");
        }
        check_users(row, own, old.as_ref(), &what);
        check_ratios(row, own, old.as_ref(), &total, has_before.then_some(&total_before), &what);
        let price = exact[&(kind.to_owned(), key.to_owned())].price().map(|(price, _)| price);
        close(row.real("effective_price"), price, &what);

        let reason = if !has_before {
            "no_history"
        } else if was_hidden {
            "hidden_before"
        } else if old.as_ref().is_none_or(|old| old.requests == 0) {
            let is_pair = dimension == "model_provider" && kind == "key";
            let was_there = before.contains_key(&(kind.to_owned(), key.to_owned()));
            if is_pair && was_there && world.is_rough() { "below_guard" } else { "new" }
        } else if old.as_ref().unwrap().requests.min(own.requests) < i64::from(world.terms.growth_requests) {
            "below_guard"
        } else {
            ""
        };
        check_changes(row, own, old.as_ref(), reason, &what);
        let sum_before = |set: &BTreeMap<Name, Sums>| {
            set.get(&(kind.to_owned(), key.to_owned())).map_or(0, |sums| sums.tokens)
        };
        let mean = [&before, &second, &third].map(sum_before).iter().sum::<i64>() as f64 / 3.0;
        let reason = match (has_three, kind == "key" && hidden_in_three.contains(key)) {
            (false, _) => "no_history",
            (true, true) => "hidden_before",
            (true, false) => "",
        };
        assert_eq!(row.text("tokens_excess_reason"), reason, "{what}");
        close(row.real("tokens_excess"), reason.is_empty().then_some(own.tokens as f64 - mean), &what);
        for column in [
            "tokens_change_reason",
            "spend_change_reason",
            "users_change_reason",
            "tokens_excess_reason",
            "users_reason",
            "unserved_spend_reason",
            "price_spread_reason",
        ] {
            *seen.entry(format!("{column} {}", row.text(column))).or_default() += 1;
        }
    }
}

fn check_users(row: &Row, own: &Sums, old: Option<&Sums>, what: &str) {
    let counts = row.text("dimension") != "model_provider" && row.text("kind") != "hidden";
    let near = |found: Option<i128>, users: Option<&BTreeSet<i64>>| {
        let exact = users.filter(|users| counts && !users.is_empty()).map(BTreeSet::len);
        match (found, exact) {
            (Some(found), Some(exact)) => {
                assert!(found.abs_diff(exact as i128) <= 1, "{what}: {found}, not {exact}")
            }
            (found, exact) => assert_eq!(found, exact.map(|exact| exact as i128), "{what}"),
        }
    };
    near(row.whole("users"), Some(&own.users));
    if row.value("users_before") != &Value::Null || row.text("users_change_reason").is_empty() {
        near(row.whole("users_before"), old.map(|old| &old.users));
    }
    let reason = match row.text("dimension") {
        _ if row.text("kind") == "hidden" => "private",
        "model_provider" => "",
        _ if own.users.is_empty() => "not_enough",
        _ => "",
    };
    assert_eq!(row.text("users_reason"), reason, "{what}");
}

/// The dearest of the providers that were paid for a million tokens of the model, over the cheapest.
fn check_spread(row: &Row, of_providers: &BTreeMap<Name, Sums>, what: &str) {
    let is_model = row.text("dimension") == "model" && row.text("kind") == "key";
    let mut prices: Vec<f64> = keys(of_providers)
        .filter(|(key, _)| is_model && key.rsplit_once('@').unwrap().0 == row.text("key"))
        .filter_map(|(_, sums)| sums.price())
        .filter(|(price, tokens)| *price > 0.0 && *tokens >= 1_000_000)
        .map(|(price, _)| price)
        .collect();
    prices.sort_by(f64::total_cmp);
    let spread = (prices.len() >= 2).then(|| prices[prices.len() - 1] / prices[0]);
    close(row.real("price_spread"), spread, what);
    let reason = if is_model && spread.is_none() { "not_enough" } else { "" };
    assert_eq!(row.text("price_spread_reason"), reason, "{what}");
}

fn check_ratios(
    row: &Row,
    own: &Sums,
    old: Option<&Sums>,
    total: &Sums,
    total_before: Option<&Sums>,
    what: &str,
) {
    let share = |part: Option<i128>, whole: Option<i128>| ratio(part?, whole?);
    close(row.real("tokens_share"), ratio(own.tokens.into(), total.tokens.into()), what);
    close(row.real("requests_share"), ratio(own.requests.into(), total.requests.into()), what);
    close(row.real("spend_share"), share(own.spend(), total.spend()), what);
    let before = total_before.cloned().unwrap_or_default();
    close(
        row.real("tokens_share_before"),
        share(old.map(|old| old.tokens.into()), Some(before.tokens.into())),
        what,
    );
    close(
        row.real("requests_share_before"),
        share(old.map(|old| old.requests.into()), Some(before.requests.into())),
        what,
    );
    close(row.real("spend_share_before"), share(old.and_then(Sums::spend), before.spend()), what);
    close(row.real("cache_hit_rate"), ratio(own.cached.into(), own.input.into()), what);
    close(row.real("requests_with_user_share"), ratio(own.with_user.into(), own.requests.into()), what);
    close(row.real("unpriced_requests_share"), ratio(own.unpriced.into(), own.requests.into()), what);
}

fn check_changes(row: &Row, own: &Sums, old: Option<&Sums>, reason: &str, what: &str) {
    let empty = Sums::default();
    let old = old.unwrap_or(&empty);
    let or =
        |otherwise: &'static str| if reason.is_empty() { otherwise.to_owned() } else { reason.to_owned() };
    let of_tokens = or(if old.tokens == 0 { "not_enough" } else { "" });
    let of_spend = or(match (own.spend(), old.spend()) {
        (None, _) | (_, None) => "unpriced",
        (Some(_), Some(0)) => "not_enough",
        (Some(_), Some(_)) => "",
    });
    assert_eq!(row.text("tokens_change_reason"), of_tokens, "{what}");
    assert_eq!(row.text("requests_change_reason"), reason, "{what}");
    assert_eq!(row.text("spend_change_reason"), of_spend, "{what}");
    let change =
        |now: i128, then: i128, reason: &str| reason.is_empty().then(|| now as f64 / then as f64 - 1.0);
    close(row.real("tokens_change"), change(own.tokens.into(), old.tokens.into(), &of_tokens), what);
    close(row.real("requests_change"), change(own.requests.into(), old.requests.into(), reason), what);
    close(row.real("spend_change"), change(own.cost, old.cost, &of_spend), what);
    let of_users = match row.text("dimension") {
        _ if row.text("kind") == "hidden" => "private".to_owned(),
        "model_provider" => String::new(),
        _ => or(if own.users.is_empty() || old.users.is_empty() { "not_enough" } else { "" }),
    };
    assert_eq!(row.text("users_change_reason"), of_users, "{what}");
    let users = row.whole("users").zip(row.whole("users_before")).filter(|_| of_users.is_empty());
    close(row.real("users_change"), users.map(|(now, then)| now as f64 / then as f64 - 1.0), what);
}

async fn rankings(world: &World, from: NaiveDate, to: NaiveDate) -> Vec<Row> {
    let ctx = world.session().await;
    publish(&ctx, &usage_by_day::METRIC, world.first, world.last).await;
    publish(&ctx, &users_by_window::METRIC, from, to).await;
    publish(&ctx, &METRIC, from, to).await
}

#[tokio::test]
async fn windows_hold_what_loops_over_the_cells_find() {
    let (mut seen, mut spreads) = (BTreeMap::new(), 0);
    for seed in 0..5 {
        // 2026-11-08 is a Sunday, 2026-11-10 the newest closed day.
        let world = World::new(seed, day("2026-07-05"), 129, day("2026-11-11"));
        // Not all providers have a price in every world.
        let world = world.of_more_tokens([1, 1_000, 100_000][seed as usize % 3]);
        let found = rankings(&world, day("2026-11-08"), day("2026-11-11")).await;
        for end in [8, 9, 10].map(|date| NaiveDate::from_ymd_opt(2026, 11, date).unwrap()) {
            for days in [1, 7, 28, 30, 90, 364] {
                for dimension in DIMENSIONS {
                    let rows: Vec<&Row> = found
                        .iter()
                        .filter(|row| {
                            row.date("end_date") == end && row.whole("window_days") == Some(days.into())
                        })
                        .filter(|row| row.text("dimension") == dimension)
                        .collect();
                    if days > 28 && end.day() == 9 {
                        assert!(rows.is_empty());
                    } else {
                        check(&world, &rows, end, days, dimension, &mut seen);
                    }
                }
            }
        }
        assert!(found.iter().all(|row| row.date("end_date") <= day("2026-11-10") && !row.flag("is_partial")));
        assert!(found.iter().all(|row| row.date("month") == day("2026-11-01")));
        spreads += found.iter().filter(|row| row.real("price_spread").is_some()).count();
    }
    assert!(spreads > 20, "{spreads}");
    for (column, reasons) in [
        ("tokens_change_reason", ["", "no_history", "hidden_before", "new", "below_guard"].as_slice()),
        ("spend_change_reason", &["unpriced", "not_enough"]),
        ("users_change_reason", &["private", "not_enough"]),
        ("tokens_excess_reason", &["", "no_history", "hidden_before"]),
        ("users_reason", &["", "private", "not_enough"]),
        ("unserved_spend_reason", &["", "no_history"]),
        ("price_spread_reason", &["", "not_enough"]),
    ] {
        for reason in reasons {
            assert!(seen.contains_key(&format!("{column} {reason}")), "no row tells {column} {reason}");
        }
    }
}

#[tokio::test]
async fn the_first_day_is_listed_while_it_runs_and_until_the_next_has_closed() {
    let first = day("2026-11-10");
    let running = World::new(1, first, 1, first);
    let found = rankings(&running, first, first).await;
    let windows: BTreeSet<_> = found.iter().map(|row| row.whole("window_days").unwrap()).collect();
    assert_eq!(windows, BTreeSet::from([1, 7, 28, 30, 90, 364]));
    assert!(found.iter().all(|row| row.flag("is_partial") && row.date("end_date") == first));
    assert!(found.iter().all(|row| row.text("requests_change_reason") == "no_history"));
    // With traffic of the second day, the first is closed and the second is no end date.
    let next = World::new(1, first, 2, first + Days::new(1));
    let found = rankings(&next, first, first + Days::new(1)).await;
    assert!(found.iter().all(|row| !row.flag("is_partial") && row.date("end_date") == first));
    assert!(!found.is_empty());
}

#[test]
fn a_day_moves_windows_that_end_up_to_four_times_the_longest_later() {
    let moved = (METRIC.touched)(day("2026-01-10"));
    assert_eq!(*moved.start(), day("2026-01-10"));
    // Of the window of 364 days that ends there, the third before begins with the day.
    assert_eq!(*span(*moved.end(), 364, 3).start(), day("2026-01-10"));
}
