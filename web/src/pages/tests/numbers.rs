//! Numbers on pages, worked out by hand from the tables of [`Fixture::filled`].

use crate::data::Profile;
use crate::data::testing::Fixture;

use super::{dataset, page, text};

async fn text_of(address: &str) -> String {
    let fixture = Fixture::filled().await;
    let data = dataset(&fixture, Profile::Public, crate::data::Names::default()).await;
    text(&page(&data, address).await)
}

fn has(text: &str, wanted: &[&str]) {
    for part in wanted {
        assert!(text.contains(part), "`{part}` is missing in\n{text}");
    }
}

#[tokio::test]
async fn the_overview_says_who_leads_and_by_how_much() {
    let page = text_of("/").await;
    // 8.4 M and 4.2 M of 13.377 M tokens.
    has(&page, &["one carries 62.8 % of all tokens, 31.4 points ahead of two", "13.4 M tokens", "up 57.8 %"]);
    // 3 of 4 counted attempts in the last hour: too few for an uptime.
    has(&page, &["Last 60 minutes", "not enough data (n = 4, needs 100)"]);
    // 18 to 24 November is the last complete week of days.
    has(&page, &["18 to 24 Nov 2026"]);
    // Served requests only: of the four attempts one was a fault.
    has(&page, &["3 served requests"]);
}

#[tokio::test]
async fn a_leaderboard_has_rank_value_share_and_change() {
    let page = text_of("/rankings/models").await;
    has(&page, &["one leads 3 models with 62.8 % of tokens"]);
    // Rank, rank change, name, author, tokens in M, share, growth, requests, spend, users.
    has(&page, &["1 = unchanged one acme 8.40 62.8 up +100.0 1,400 10.50 30"]);
    has(&page, &["2 = unchanged two beta 4.20 31.4 not enough data (n = 700, needs 1,000) 700 21.00 49"]);
    // A free variant: new, its spend unknown and not 0.
    has(&page, &["3 new one :free acme 0.70 5.2 new 350 – unknown 25"]);
    // Seven thousand tokens of gamma/tiny and 70 of raw names.
    has(&page, &["Hidden 0.08 0.6"]);
}

#[tokio::test]
async fn a_ranking_by_users_does_not_invent_shares() {
    let page = text_of("/rankings/models?metric=users").await;
    // Fifty users, as HyperLogLog counts them.
    has(&page, &["two leads 3 models with 49 users", "Users are distinct within the window"]);
}

#[tokio::test]
async fn a_model_page_has_its_providers_and_what_routing_adds() {
    let page = text_of("/models/acme/one").await;
    has(&page, &["one is used most: 68.0 % of tokens", "One provider: one degraded"]);
    // 47 of 50 counted attempts in each of six buckets, 94.00 %; 300 streamed requests in the buckets and 1,000 a day.
    has(&page, &["north Degraded 94.00"]);
    // Routed 990, first 950 of 1,000; with rate limits 1,045 and 950 of 1,100.
    has(&page, &["Fallback lifts one by 4.00 points over 7 days"]);
    has(&page, &["1 d 99.00 95.00 up +4.00", "with rate limits 95.00 86.36 up +8.64"]);
}

#[tokio::test]
async fn a_provider_page_says_which_number_made_its_state() {
    let page = text_of("/providers/north").await;
    has(&page, &["Degraded: 94.00 % of 300 counted attempts in the 30 minutes to 12:05"]);
    has(&page, &["north answers 94.00 % of attempts, below the 95 % line"]);
    // Ten days, of which the 20th had 700 of 1,000.
    has(&page, &["One down day in 10", "20 Nov 2026 70.00 1,000 300"]);
    // 18 of 312 attempts ran into a time-out, 6 were limited.
    has(&page, &["Time-out 5.77", "Rate limited, 429 1.92"]);
}

#[tokio::test]
async fn a_provider_with_too_few_attempts_has_no_state() {
    let page = text_of("/providers/south").await;
    has(&page, &["south has too little traffic now for a state", "No data: n = 60, needs 100"]);
}

#[tokio::test]
async fn japanese_to_python_has_intervals_and_rank_ranges() {
    let page = text_of("/rankings/cross/nl/ja/code-out/python").await;
    has(&page, &["Japanese to Python: one is used most, with 60 % of tokens"]);
    // 60 of 100 equal requests: Wilson 50 to 69 %.
    has(&page, &["60 % 50 to 69", "40 % 31 to 50", "ISO week, 16 to 22 Nov 2026"]);
}

#[tokio::test]
async fn a_cross_without_enough_data_says_what_it_needs() {
    let page = text_of("/rankings/cross/nl/fr/code-out/rust").await;
    has(
        &page,
        &[
            "French to Rust: not enough data",
            "(needs n = 30 and 50 users)",
            "shown from 50 users and 30 effective samples",
        ],
    );
    assert!(!page.contains("used most, with"), "{page}");
}

#[tokio::test]
async fn languages_have_shares_of_labelled_tokens() {
    let page = text_of("/rankings/languages").await;
    // Half of 200 requests each.
    has(&page, &["50.0 % of labelled tokens", "English", "Japanese", "200 labelled requests"]);
}

#[tokio::test]
async fn growth_does_not_compare_a_month_that_is_not_over() {
    let page = text_of("/rankings/growth").await;
    has(&page, &["No complete calendar month yet", "Nov 2026 incomplete"]);
}

#[tokio::test]
async fn the_foot_of_a_page_states_the_quality_of_the_data() {
    let page = text_of("/status").await;
    has(
        &page,
        &[
            "As of 25 Nov 2026, 12:05 UTC",
            "Live windows end at 12:05",
            "duplicates removed 3.00 % of records",
            "rejected 2.00 % of records",
        ],
    );
}
