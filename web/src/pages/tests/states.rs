//! States that every page can be in: empty, unknown, stale, simulated.

use chrono::TimeDelta;

use crate::data::testing::Fixture;
use crate::data::{Names, Profile};
use crate::error::ErrorView;
use crate::pages;
use crate::place::{Late, PageError, Stale};
use crate::url::{Format, Theme};

use super::{addresses, context, dataset, page, text, try_page};

#[tokio::test]
async fn an_empty_site_says_how_to_send_the_first_event() {
    let fixture = Fixture::empty().await;
    let data = dataset(&fixture, Profile::Public, Names::default()).await;
    let front = page(&data, "/").await;
    let seen = text(&front);
    for part in ["no request has arrived yet", "/intake/native", "/intake/litellm", "[[kafka.topics]]"] {
        assert!(seen.contains(part), "{part}");
    }
    for address in addresses("acme/one", "north") {
        match try_page(&data, &address).await {
            Ok(html) => assert!(!html.contains("NaN"), "{address}"),
            Err(PageError::NotFound(_)) => {
                assert!(address.contains("acme") || address.contains("north"), "{address}")
            }
            Err(error) => panic!("{address}: {error}"),
        }
    }
}

#[tokio::test]
async fn an_unknown_model_is_not_found() {
    let fixture = Fixture::filled().await;
    let data = dataset(&fixture, Profile::Public, Names::default()).await;
    for address in
        ["/models/acme/nothing", "/providers/nobody", "/authors/nobody", "/rankings/languages/xx-none"]
    {
        assert!(matches!(try_page(&data, address).await, Err(PageError::NotFound(_))), "{address}");
    }
}

#[tokio::test]
async fn a_page_without_the_users_that_decide_what_is_hidden_is_refused() {
    let fixture = Fixture::filled().await;
    let data = dataset(&fixture, Profile::Public, Names::default()).await;
    let context = context("/rankings/models");
    assert!(matches!(context.body(&data, Format::Html), Err(PageError::UsersNotLoaded)));
    data.load_users(&context.users(&data, Format::Html)).await.unwrap();
    assert!(context.body(&data, Format::Html).is_ok());
}

#[tokio::test]
async fn late_data_carry_a_banner_with_their_time() {
    let fixture = Fixture::filled().await;
    let data = dataset(&fixture, Profile::Public, Names::default()).await;
    let mut context = context("/status");
    assert!(!context.body(&data, Format::Html).unwrap().contains("These data are late"));
    let limit_secs = u64::try_from(TimeDelta::minutes(15).num_seconds()).unwrap();
    context.stale = Some(Stale { limit_secs, late: Late::Events });
    let html = text(&context.body(&data, Format::Html).unwrap());
    assert!(html.contains("These data are late."), "{html}");
    assert!(html.contains("25 Nov 2026, 12:06 UTC, older than the limit of 15 minutes"), "{html}");
    context.stale = Some(Stale { limit_secs, late: Late::Published });
    let html = text(&context.body(&data, Format::Html).unwrap());
    assert!(
        html.contains("25 Nov 2026, 12:05 UTC and has not been brought up to date for more than 15"),
        "{html}"
    );
}

#[tokio::test]
async fn simulated_data_are_named_on_every_page() {
    let fixture = Fixture::filled().await;
    let real = dataset(&fixture, Profile::Public, Names::default()).await;
    let simulated = dataset(&fixture, Profile::Demo, Names::default()).await;
    for address in addresses("acme/one", "north") {
        assert!(page(&simulated, &address).await.contains("<b>Simulated traffic.</b>"), "{address}");
        assert!(!page(&real, &address).await.contains("Simulated traffic"), "{address}");
    }
}

#[tokio::test]
async fn a_chosen_theme_is_in_the_markup_and_pressed_in_its_form() {
    let fixture = Fixture::filled().await;
    let data = dataset(&fixture, Profile::Public, Names::default()).await;
    let mut context = context("/rankings/models?metric=spend");
    data.load_users(&context.users(&data, Format::Html)).await.unwrap();
    let auto = context.body(&data, Format::Html).unwrap();
    assert!(!auto.contains("data-theme"));
    context.theme = Theme::Dark;
    let dark = context.body(&data, Format::Html).unwrap();
    assert!(dark.contains("<html lang=\"en\" dir=\"ltr\" data-theme=\"dark\">"));
    assert!(dark.contains("value=\"dark\" aria-pressed=\"true\""));
    assert!(dark.contains("name=\"back\" value=\"/rankings/models?metric=spend\""), "returns to this page");
}

#[test]
fn an_error_page_escapes_what_was_asked_and_offers_near_names() {
    let view = ErrorView {
        status: 404,
        kind: "not-found",
        title: "There is no page at this address".into(),
        detail: "nothing is known as `<script>alert(1)</script>`".into(),
        nearest: vec![crate::error::Candidate {
            key: "acme/one".into(),
            name: "One <b>".into(),
            href: "/models/acme/one".into(),
        }],
        request_id: "abc".into(),
        theme: Theme::Light,
        build: "test",
        simulated: false,
    };
    let html = pages::error(&view).unwrap();
    assert!(!html.contains("<script") && !html.contains("One <b>"), "{html}");
    assert!(html.contains("href=\"/models/acme/one\"") && html.contains("abc") && html.contains("404"));
    assert_eq!(html.matches("<h1").count(), 1);
}
