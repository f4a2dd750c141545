//! A small market: a week of more names than any list in a statement has.

use bellwether_metrics::{Catalogue, Facts, Model, Named, Price, Terms};
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{DAY_US, NOON_US, attempt};

use super::terms;
use crate::testing::{Fixture, at};

pub(super) const NOW: &str = "2026-11-25T13:00:00Z";
/// Of models and of providers.
const NAMES: i64 = 24;
const DAYS: i64 = 7;

pub(super) fn terms_of_market() -> Terms {
    let model = |n: i64| Model { id: model(n), author: author(n), name: format!("Model {n}") };
    let named = |id: String| Named { name: id.to_uppercase(), id };
    let catalogue = Catalogue {
        models: (0..NAMES).map(model).collect(),
        authors: (0..NAMES).map(|n| named(author(n))).collect(),
        providers: (0..NAMES).map(|n| named(provider(n))).collect(),
        facts: Facts { prices: (0..NAMES).map(price).collect(), ..Facts::default() },
    };
    Terms { catalogue, ..terms(2) }
}

fn price(n: i64) -> Price {
    Price { model: model(n), variant: "standard".into(), input: Some(n.into()), ..Price::default() }
}

fn author(n: i64) -> String {
    format!("author{n}")
}

fn model(n: i64) -> String {
    format!("{}/model{n}", author(n))
}

fn provider(n: i64) -> String {
    format!("provider{n}")
}

/// With every rollup folded and made. `a_day`: attempts.
pub(super) async fn market(a_day: i64) -> Fixture {
    let mut f = Fixture::new().await;
    let names: Vec<[String; 4]> =
        (0..NAMES).map(|n| [model(n), author(n), provider(n), format!("endpoint{n}")]).collect();
    let ids: Vec<String> = (0..DAYS * a_day).map(|n| format!("e{n}")).collect();
    let rows: Vec<AttemptRow<'_>> = ids
        .iter()
        .zip(0..)
        .map(|(id, n)| {
            let of = |n: i64| &names[usize::try_from(n % NAMES).unwrap()];
            let [model, author, ..] = of(n * 7 + n / a_day);
            let [_, _, provider, endpoint] = of(n * 5 + n / 11);
            AttemptRow {
                started_at: NOON_US - n / a_day * DAY_US - n % a_day * 20_000_000,
                model_id: Some(model),
                author: Some(author),
                provider_id: Some(provider),
                endpoint_id: Some(endpoint),
                app_id: (n % 3 == 0).then_some("chat"),
                country: (n % 2 == 0).then_some("DE"),
                session_id: (n % 4 == 0).then_some("session"),
                user_key: Some(n * n % 31),
                ..attempt(id)
            }
        })
        .collect();
    f.append(&rows).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    f.jobs.recompute().await.unwrap();
    f
}
