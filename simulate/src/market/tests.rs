use std::collections::BTreeSet;

use super::{Market, Place, Size, Speed, Tally};

const END: &str = "2026-11-25";

fn market(size: Size) -> Market {
    Market::new(size, 1, END.parse().unwrap())
}

/// 2026-11-25 is day 20,782 since the epoch.
const LAST_DAY: i64 = 20_782;

fn of_day(market: &Market, day: i64) -> Vec<Tally> {
    let mut sums = vec![Tally::default(); market.places().len()];
    for hour in 0..24 {
        let tallies = market.count((day * 24 + hour) * 60, 60);
        sums.iter_mut().zip(&tallies).for_each(|(sum, tally)| sum.add(tally));
    }
    sums
}

fn total(tallies: &[Tally]) -> Tally {
    tallies.iter().fold(Tally::default(), |mut sum, tally| {
        sum.add(tally);
        sum
    })
}

fn distinct<'a>(places: &'a [Place], name: impl Fn(&'a Place) -> &'a str) -> usize {
    places.iter().map(name).collect::<BTreeSet<_>>().len()
}

#[test]
fn the_last_days_have_the_published_volume_and_concentration() {
    let market = market(Size::S1);
    let days: Vec<Vec<Tally>> = (LAST_DAY - 6..=LAST_DAY).map(|day| of_day(&market, day)).collect();
    let week = total(&days.iter().map(|day| total(day)).collect::<Vec<_>>());
    // Rankings: 25.19 B requests in 30 days, which grew by 6.6 % a week, so that a day of the last week has 1.107
    // of the mean day's.
    let requests = week.all_requests as f64;
    assert!((requests / (25.19e9 * 7.0 / 30.0 * 1.107) - 1.0).abs() < 0.06, "{requests:e}");
    // Health: success 92.98 %, rate-limited 5.08 %, fault 1.94 %.
    let attempts = week.attempts as f64;
    let share = |n: i64| 100.0 * n as f64 / attempts;
    assert!((share(week.ok + week.cancelled) - 92.98).abs() < 2.0, "{}", share(week.ok));
    assert!((share(week.rate_limited) - 5.08).abs() < 2.0, "{}", share(week.rate_limited));
    assert!((share(week.fault) - 1.94).abs() < 1.0, "{}", share(week.fault));
    // Rankings: the fifty largest models hold 93.4 % of the week's tokens, the first 13.9 %.
    let mut models: Vec<(&str, i64)> = Vec::new();
    for (at, place) in market.places().iter().enumerate() {
        let tokens: i64 = days.iter().map(|day| day[at].input_tokens + day[at].output_tokens).sum();
        match models.last_mut() {
            Some((model, sum)) if *model == place.model_id => *sum += tokens,
            _ => models.push((&place.model_id, tokens)),
        }
    }
    let mut tokens: Vec<i64> = models.iter().map(|model| model.1).collect();
    tokens.sort_unstable_by(|a, b| b.cmp(a));
    let all: i64 = tokens.iter().sum();
    let top = |n: usize| 100.0 * tokens[..n].iter().sum::<i64>() as f64 / all as f64;
    assert!((top(1) - 13.9).abs() < 4.0 && (top(50) - 93.4).abs() < 3.0, "{} {}", top(1), top(50));
}

#[test]
fn counts_are_consistent_at_every_place() {
    let market = market(Size::S1);
    for (place, tally) in market.places().iter().zip(of_day(&market, LAST_DAY)) {
        let t = tally;
        let outcomes = t.ok + t.fault + t.rate_limited + t.client_error + t.cancelled + t.gateway_error;
        assert_eq!(outcomes, t.attempts, "{place:?}");
        assert_eq!(t.requests, t.ok + t.cancelled_delivered + t.gateway_cache_hits, "{place:?}");
        let contexts = t.context_1k + t.context_10k + t.context_100k + t.context_1m + t.context_10m;
        assert_eq!(contexts, t.requests, "{place:?}");
        let elsewhere = if place.provider_id.is_none() { t.attempts } else { t.gateway_cache_hits };
        assert_eq!(elsewhere, 0, "{place:?}");
        assert!(t.first_ok <= t.routed_ok && t.routed_ok <= t.population, "{place:?}");
        assert!(t.cached_input_tokens <= t.input_tokens);
    }
}

#[test]
fn a_year_ago_there_was_a_twentieth() {
    let market = market(Size::S1);
    let tokens = |day: i64| {
        let total = total(&of_day(&market, day));
        (total.input_tokens + total.output_tokens) as f64
    };
    // 357 days are 51 weeks: the same weekday. Single days of few large models wander.
    let growth = tokens(LAST_DAY) / tokens(LAST_DAY - 357);
    assert!((20.0..32.0).contains(&growth), "{growth}");
}

#[test]
fn sizes_are_the_published_ones_and_ten_times_that() {
    let (one, ten) = (market(Size::S1), market(Size::S10));
    let served = one.places().iter().filter(|place| place.endpoint_id.is_some()).count();
    assert!(served >= 1_000, "{served}");
    assert!(distinct(one.places(), |place| &place.model_id) >= 400);
    assert!(distinct(one.places(), |place| &place.author) >= 75);
    assert_eq!(ten.places().len(), 10 * one.places().len());
    for name in [
        |place: &Place| &*place.model_id,
        |place| &*place.author,
        |place| place.provider_id.as_deref().unwrap_or(""),
    ] as [fn(&Place) -> &str; 3]
    {
        let (few, many) = (distinct(one.places(), name), distinct(ten.places(), name));
        assert!(many >= 10 * few - 10, "{few} and {many}");
    }
    // Places are told apart by what rows are keyed by, in the order in which rows are sorted.
    let keys: Vec<_> = ten
        .places()
        .iter()
        .map(|p| (&p.model_id, &p.variant, p.provider_id.is_none(), &p.provider_id))
        .collect();
    assert!(keys.is_sorted() && keys.windows(2).all(|pair| pair[0] != pair[1]));
    let batch = |place: &&Place| place.model_id == "author-001/model-0001" && place.variant == "batch";
    let invented = ten.places().iter().find(batch).unwrap();
    assert_eq!(invented.endpoint_id.as_deref(), Some("provider-001-model-0001_batch"));
}

#[test]
fn users_of_hours_are_users_of_the_day_and_some_come_back() {
    let market = market(Size::S1);
    let tallies = of_day(&market, LAST_DAY);
    let busiest = (0..tallies.len()).max_by_key(|at| tallies[*at].requests).unwrap();
    let users = |minute: i64, minutes: i64, requests: i64| -> BTreeSet<i64> {
        market.users(busiest, minute, minutes, requests).collect()
    };
    let requests = tallies[busiest].requests_with_user;
    let of_day = users(LAST_DAY * 1_440, 1_440, requests);
    let of_hour = users(LAST_DAY * 1_440 + 600, 60, requests / 24);
    assert!(of_hour.len() > 1_000 && of_hour.len() < of_day.len() / 5);
    let inside = of_hour.intersection(&of_day).count();
    assert!(inside * 100 > of_hour.len() * 99, "{inside} of {}", of_hour.len());
    let before = users((LAST_DAY - 1) * 1_440, 1_440, requests);
    let back = before.intersection(&of_day).count() as f64 / of_day.len() as f64;
    assert!((0.7..0.99).contains(&back), "{back}");
    // No more users than requests.
    for requests in [0, 1, 2, 5] {
        assert!(users(LAST_DAY * 1_440, 60, requests).len() <= requests as usize);
    }
}

#[test]
fn measures_are_as_many_as_counted_around_the_median_of_the_endpoint() {
    let market = market(Size::S1);
    let place = market.places().iter().position(|place| place.provider_id.is_some()).unwrap();
    let mut values = Vec::new();
    market.measure(place, Speed::Ttft, 29_926_080, 1_001, |value, times| {
        values.extend((0..times).map(|_| value));
    });
    assert_eq!(values.len(), 1_001);
    assert!(values.is_sorted());
    let ratio = values[500] / market.figures[place].speeds[0];
    assert!((0.8..1.25).contains(&ratio), "{ratio}");
}

#[test]
fn the_same_seed_counts_the_same_and_another_does_not() {
    let minute = LAST_DAY * 1_440;
    let counted = |seed| Market::new(Size::S1, seed, END.parse().unwrap()).count(minute, 5);
    let first = counted(1);
    assert_eq!(first, counted(1));
    assert_ne!(first, counted(2));
}
