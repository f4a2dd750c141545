//! Every expected value here is worked out by hand from the fixture's tables.

use std::sync::Arc;

use bellwether_warehouse::TableId;
use serde_json::json;

use crate::data::testing::{Fixture, day, label};
use crate::data::{
    Change, Dataset, Dimension, Filter, Group, GroupBy, Metric, NotEnough, Options, Profile, RankingQuery,
    RejectReason, Scope, Span, Speed, State, Tally, Unmapped, UsersBand, Window,
};
use crate::url::Query as _;
use crate::views::View as _;

pub(crate) async fn dataset(fixture: &Fixture) -> Arc<Dataset> {
    fixture.dataset(Options::new(Profile::Public)).await
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

/// Sketched users: three standard errors of 1.6 %.
fn near(users: Option<u64>, exact: u64) -> bool {
    users.is_some_and(|users| (users as f64 / exact as f64 - 1.0).abs() <= 0.048)
}

fn week() -> RankingQuery {
    let window = Window { start: day("2026-11-18"), end: day("2026-11-24") };
    RankingQuery {
        by: GroupBy::Series,
        metric: Metric::Tokens,
        window,
        before: Some(window.previous()),
        filter: Filter::All,
    }
}

#[tokio::test]
async fn a_week_is_ranked_with_shares_of_everything() {
    let fixture = Fixture::filled().await;
    let data = dataset(&fixture).await;
    let query = week();
    data.load_users(&query.users()).await.unwrap();
    let ranking = data.ranking(query);

    let keys: Vec<String> = ranking.rows.iter().map(|row| data.key(row.group)).collect();
    assert_eq!(keys, ["acme/one", "beta/two", "acme/one:free"]);
    // 8.4 M + 4.2 M + 0.7 M, and 7 k + 70 k hidden.
    assert_eq!(ranking.total.tokens(), 13_377_000);
    let [one, two, free] = ranking.rows.as_slice() else { panic!("{:?}", ranking.rows) };
    assert_eq!((one.totals.tokens(), one.totals.requests), (8_400_000, 1_400));
    assert_eq!(one.totals.cost_usd, 10_500_000_000);
    assert!(close(one.share.unwrap(), 8_400_000.0 / 13_377_000.0));
    assert_eq!(one.change, Change::Ratio(1.0));
    assert_eq!(two.change, Change::NotEnough(NotEnough::counts(700, 1_000)));
    assert_eq!(free.change, Change::New);
    // A week ago both had 4.2 M tokens: the name decides.
    assert_eq!((one.rank_before, two.rank_before, free.rank_before), (Some(1), Some(2), None));
    assert!(near(one.users, 30) && near(two.users, 50) && near(free.users, 25), "{ranking:?}");
    assert!(near(ranking.total_users, 70), "{:?}", ranking.total_users);

    let hidden = ranking.hidden.unwrap();
    assert_eq!((hidden.totals.tokens(), hidden.totals.requests), (77_000, 77));
    // On a public site, raw names are hidden with the rest.
    assert_eq!(ranking.unmapped, None);
    let all = ranking.rows.iter().filter_map(|row| row.share).sum::<f64>();
    assert!(close(all + hidden.share.unwrap(), 1.0));
}

#[tokio::test]
async fn users_can_be_ranked_and_authors_folded() {
    let fixture = Fixture::filled().await;
    let data = dataset(&fixture).await;
    let by_users = RankingQuery { metric: Metric::Users, ..week() };
    data.load_users(&by_users.users()).await.unwrap();
    let ranking = data.ranking(by_users);
    let order: Vec<String> = ranking.rows.iter().map(|row| data.key(row.group)).collect();
    assert_eq!(order, ["beta/two", "acme/one", "acme/one:free"]);
    assert_eq!(ranking.rows.first().unwrap().share, None);

    let authors = RankingQuery { by: GroupBy::Author, ..week() };
    data.load_users(&authors.users()).await.unwrap();
    let ranking = data.ranking(authors);
    let order: Vec<(String, u64)> =
        ranking.rows.iter().map(|row| (data.key(row.group), row.totals.tokens())).collect();
    assert_eq!(order, [("acme".into(), 9_100_000), ("beta".into(), 4_200_000)]);
    // Users 1 to 30 and 1 to 25 are the same people.
    assert!(near(ranking.rows.first().unwrap().users, 30));
}

#[tokio::test]
async fn weeks_and_days_hold_what_their_rows_hold() {
    let fixture = Fixture::filled().await;
    let data = dataset(&fixture).await;
    let weekly = data.weekly(GroupBy::Author, 52, Filter::All);
    // The history begins on Wednesday 11 November and ends on Tuesday 24: three ISO weeks, one of them whole.
    let weeks: Vec<(String, bool)> =
        weekly.weeks.iter().map(|week| (week.monday.to_string(), week.complete)).collect();
    assert_eq!(
        weeks,
        [("2026-11-09".into(), false), ("2026-11-16".into(), true), ("2026-11-23".into(), false)]
    );
    let acme = data.dictionary.find_author("acme").unwrap();
    let (_, volumes) = weekly.groups.iter().find(|(group, _)| *group == Group::Author(acme)).unwrap();
    // 16 and 17: 0.6 M each; 18 to 22: 1.3 M each.
    assert_eq!(volumes.get(1).unwrap().tokens, 2 * 600_000 + 5 * 1_300_000);

    let one = data.dictionary.find_model("acme/one").unwrap();
    let daily = data.daily(Window { start: day("2026-11-23"), end: day("2026-11-25") }, Filter::Model(one));
    let tokens: Vec<u64> = daily.iter().map(|(_, totals)| totals.tokens()).collect();
    assert_eq!(tokens, [1_300_000, 1_300_000, 0]);
    assert_eq!(data.first_date(), day("2026-11-11"));
    assert_eq!(data.last_complete_date(), day("2026-11-24"));
}

#[tokio::test]
async fn live_states_come_from_the_thirty_minutes_that_are_complete() {
    let fixture = Fixture::filled().await;
    let data = dataset(&fixture).await;
    assert_eq!(data.buckets_end.to_rfc3339(), "2026-11-25T12:05:00+00:00");
    let scope = |name: &str| Scope::provider(data.dictionary.find_provider(name).unwrap());

    let north = data.status(scope("north"));
    // 6 × (46 ok + 1 delivered) of 6 × 50; the 40 faults of the running bucket wait.
    assert_eq!((north.counts.success(), north.counts.counted()), (282, 300));
    assert_eq!(north.uptime, Ok(94.0));
    assert_eq!(north.state, State::Degraded);
    let south = data.status(scope("south"));
    assert_eq!(south.uptime, Err(NotEnough::counts(60, 100).into()));
    assert_eq!(south.state, State::NoData);
    assert_eq!(data.health(scope("north"), Span::Minutes5).counted(), 50);
    assert_eq!(data.health(scope("north"), Span::Hours24).rate_limited, 6);

    let ttft = data.speed(scope("north"), Span::Minutes30, Speed::Ttft).unwrap();
    assert_eq!(ttft.n, Tally::Exact(300));
    // Rank floor(q × 299): values 150 and 270.
    assert!((ttft.p50 - 150.0).abs() <= 1.5, "{ttft:?}");
    assert!((ttft.p90 - 270.0).abs() <= 2.7, "{ttft:?}");
    assert_eq!(
        data.speed(scope("south"), Span::Minutes30, Speed::Ttft),
        Err(NotEnough::counts(0, 100).into())
    );
}

#[tokio::test]
async fn bars_and_strips_keep_their_empty_cells() {
    let fixture = Fixture::filled().await;
    let data = dataset(&fixture).await;
    let provider = data.dictionary.find_provider("north").unwrap();
    let north = Scope::provider(provider);
    let bars = data.bars(north, 90);
    assert_eq!(bars.len(), 90);
    assert_eq!(bars.last().map(|bar| (bar.date, bar.uptime)), Some((day("2026-11-24"), Ok(99.0))));
    let bad = bars.iter().find(|bar| bar.date == day("2026-11-20")).unwrap();
    assert_eq!(bad.uptime, Ok(70.0));
    assert_eq!(bars.iter().filter(|bar| bar.uptime.is_err()).count(), 80);

    let strip = data.strip(provider);
    assert_eq!(strip.len(), 288);
    assert_eq!(
        strip.last().map(|cell| (cell.at.to_rfc3339(), cell.counts.counted())),
        Some(("2026-11-25T12:00:00+00:00".into(), 50))
    );
    assert_eq!(strip.iter().filter(|cell| cell.is_busy).count(), 6);
    // 6,640 of 7,000 in the last week: 990 × 6 + 700.
    let week = data.health(north, Span::Days7);
    assert_eq!((week.success(), week.counted()), (6_640, 7_000));
}

#[tokio::test]
async fn languages_and_crosses_follow_the_publication_rules() {
    let fixture = Fixture::filled().await;
    let data = dataset(&fixture).await;
    let languages = data.languages(None).unwrap();
    let shares: Vec<(String, f64)> =
        languages.rows.iter().map(|row| (row.code.clone(), row.cell.share)).collect();
    assert_eq!(shares, [("en".into(), 0.5), ("ja".into(), 0.5)]);
    assert_eq!(languages.window.start, day("2026-11-16"));
    assert_eq!(data.label_values(Dimension::CodeOut), ["python"]);

    let cross = data.cross(Some("ja"), Some("python"), None).unwrap();
    assert_eq!((cross.cell.n, cross.cell.users), (100, UsersBand(Some(100))));
    assert!(close(cross.cell.n_eff, 100.0));
    let [one, two] = cross.rows.as_slice() else { panic!("{:?}", cross.rows) };
    assert_eq!((one.share, one.rank), (0.6, Some((1, 1))));
    // Wilson of 60 in 100: 50.2 to 69.1 %.
    assert_eq!((one.interval.low, one.interval.high), (0.5, 0.69));
    assert_eq!((two.share, two.rank), (0.4, Some((2, 2))));
    assert_eq!((one.users_share, one.users), (0.6, UsersBand(Some(50))));
    // 80 % of all traffic and 60 % here: (100 × 0.6 + 20 × 0.8) / 120 / 0.8.
    assert!(close(one.lift.unwrap(), 76.0 / 120.0 / 0.8));
    // Users 10, 20, … 60 failed: 54 of 60.
    assert_eq!(one.success.unwrap().0, 0.9);
    assert!(one.growth.is_err());

    let missing = data.cross(Some("de"), Some("python"), None).unwrap_err();
    assert_eq!(missing, NotEnough::labelled(30, 50).into());
}

#[tokio::test]
async fn a_single_withheld_language_is_not_what_remains() {
    let listed = async |withheld: &[&str]| {
        let fixture = Fixture::filled().await;
        let few = withheld.iter().zip([300, 400]);
        let rows =
            few.flat_map(|(nl, from)| (1..=5).map(move |user| label(nl, "none", "acme/one", from + user)));
        fixture.append(TableId::LabelCells, rows.collect()).await;
        let languages = dataset(&fixture).await.languages(None).unwrap();
        let codes: Vec<String> = languages.rows.iter().map(|row| row.code.clone()).collect();
        (codes, languages.other)
    };
    assert_eq!(listed(&[]).await, (vec!["en".into(), "ja".into()], 0.0));
    // German alone would be 500 of 20,500 tokens: Japanese joins it.
    let (codes, other) = listed(&["de"]).await;
    assert_eq!((codes, (other * 100.0).round()), (vec!["en".to_owned()], 51.0));
    assert_eq!(listed(&["de", "fr"]).await.0, ["en", "ja"]);
}

#[tokio::test]
async fn quality_says_what_was_dropped_and_what_is_unknown() {
    let fixture = Fixture::filled().await;
    let unheard = json!({
        "date": "2026-11-24", "model_id": "acme/one", "author": "acme", "variant": "standard",
        "provider_id": "unheard", "attempts": 30, "ok": 30,
    });
    fixture.append(TableId::HealthDaily, vec![unheard]).await;
    let data = dataset(&fixture).await;
    let quality = &data.quality;
    assert!(close(quality.unpriced.unwrap(), 700_000.0 / 13_377_000.0));
    // 7 of 1,400 + 350 + 700 + 70 + 7 requests.
    assert!(close(quality.unmapped.unwrap(), 7.0 / 2_527.0));
    assert!(close(quality.duplicate_share().unwrap(), 0.03));
    let reason = |reason: &str, n| RejectReason { reason: reason.into(), n };
    assert_eq!(quality.reject_reasons, [reason("malformed_json", 2), reason("time_out_of_range", 1)]);
    // Of the 24th, at a provider that is not in the catalogue.
    assert_eq!(
        (quality.unmapped_attempts, quality.unmapped_names.len()),
        (Unmapped { models: 0, providers: 30 }, 0)
    );
    assert_eq!(quality.label_coverage, Some(1.0));
}

#[tokio::test]
async fn providers_of_a_model_carry_every_figure() {
    let fixture = Fixture::filled().await;
    let data = dataset(&fixture).await;
    let state = crate::url::State::default();
    let query = crate::views::endpoints::ModelQuery::of(&state);
    let context = crate::place::PageContext::new(crate::pages::model_page("acme/one"), state);
    let rows = crate::views::endpoints::Model::of(&context, &query, &data).unwrap().data;
    let [north] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(north.token_share, Some(1.0));
    assert_eq!(north.uptime_last_30m.0, Ok(94.0));
    assert!(close(north.uptime_28d.0.unwrap(), (990.0 * 9.0 + 700.0) / 100.0));
    // 7 × 1 to 1,000 ms: rank floor(0.5 × 6,999) is 500.
    assert!((north.ttft_ms_p50.0.unwrap() - 500.0).abs() <= 5.0);
    // 10.5 USD over 8.4 M priced tokens; the free variant's 0.7 M have no price.
    assert!(close(north.price_usd_per_million.unwrap(), 1.25));
}

#[tokio::test]
async fn months_count_active_models() {
    let fixture = Fixture::filled().await;
    let data = dataset(&fixture).await;
    let months = data.months();
    let [november] = months.as_slice() else { panic!("{months:?}") };
    assert!(!november.complete);
    // gamma/tiny has 140 requests in its fortnight, but is hidden.
    assert_eq!((november.active, november.active_100, november.new), (3, 3, None));
    assert_eq!(data.first_seen(GroupBy::Series).values().min(), Some(&day("2026-11-11")));
}

#[tokio::test]
async fn an_empty_warehouse_is_a_dataset_without_traffic() {
    let fixture = Fixture::empty().await;
    let data = dataset(&fixture).await;
    assert!(data.is_empty());
    assert_eq!(data.folded, -1);
    assert_eq!((data.last_hour.minutes.len(), data.last_hour.requests()), (60, 0));
    let ranking = data.ranking(week());
    assert_eq!((ranking.rows.len(), ranking.total.tokens()), (0, 0));
    assert_eq!(data.months(), []);
    assert!(data.languages(None).is_err());
}
