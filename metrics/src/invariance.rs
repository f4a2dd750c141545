//! What is not named cannot be told from anything that is published: random worlds that differ only inside cells that are not
//! public, by names, users, apps, endpoints and how amounts are divided, give the same rows.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_warehouse::TableId;
use bellwether_warehouse::sketches::hll::Hll;
use chrono::{Days, NaiveDate};
use serde_json::{Value as Json, json};

use crate::testing::{Cell, Dice, World, publish, stand_in};
use crate::{
    Facts, Keyless, Metric, Price, app_gate, apps, endpoints, events, health_now, models, prices, providers,
    quality_by_day, usage_by_day,
};

/// What everybody may read of what is made here, in the order in which it is made.
const PUBLIC: [Metric; 8] = [
    usage_by_day::METRIC,
    quality_by_day::METRIC,
    models::METRIC,
    providers::METRIC,
    endpoints::METRIC,
    prices::METRIC,
    events::METRIC,
    apps::METRIC,
];

/// Stands in every name that nobody may read.
const SECRET: &str = "zq";
/// An author as a rule of the catalogue gives it, to a model that has no entry; and what nothing knows.
const RULED: [(Option<&str>, Option<&str>); 2] =
    [(Some("acme/zq-1"), Some("acme")), (Some("beta/zq-2"), Some("beta"))];
const RAW: [(Option<&str>, Option<&str>); 3] = [(Some("zq-3"), None), (Some("zq-4"), None), (None, None)];
const APPS: [Option<&str>; 4] = [Some("chat"), Some("agent"), Some("zq-app"), None];
/// Of one public cell, whose users are not enough for an app: under either name.
const FEW: [Option<&str>; 2] = [Some("zq-few"), Some("zq-fewer")];

/// Attempts of one day at one place.
#[derive(Clone)]
struct Tried {
    date: NaiveDate,
    model: Option<&'static str>,
    author: Option<&'static str>,
    provider: &'static str,
    endpoint: String,
    attempts: i64,
    is_named: bool,
}

/// A world with who used what through which app, and what was tried where.
struct Whole {
    world: World,
    apps: Vec<Option<&'static str>>,
    tried: Vec<Tried>,
}

/// In so many parts at random, some of them empty.
fn split(whole: i128, parts: usize, dice: &mut Dice) -> Vec<i128> {
    let bound = u64::try_from(whole + 1).unwrap();
    let mut marks: Vec<i128> = (1..parts).map(|_| i128::from(dice.below(bound))).chain([0, whole]).collect();
    marks.sort_unstable();
    marks.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

impl Whole {
    fn random(seed: u64) -> Self {
        let mut dice = Dice(seed + 1_000);
        let first: NaiveDate = "2026-10-01".parse().unwrap();
        let days = dice.of(&[4, 12, 45]);
        let mut world = World::new(seed, first, days, first + Days::new(days - dice.below(2)));
        world.terms.users = 20;
        world.terms.keyless = Keyless::Hide;
        world.terms.has_raw_names = false;
        world.terms.catalogue.facts = Facts { prices: listed(), ..Facts::default() };
        // So few apps that some have the users.
        let is_public = |cell: &Cell| world.is_public(cell);
        let mut apps: Vec<_> =
            world.cells.iter().map(|cell| dice.of(&APPS[..if is_public(cell) { 2 } else { 4 }])).collect();
        if let Some(at) = world.cells.iter().position(is_public) {
            apps[at] = FEW[0];
        }
        let mut tried = Vec::new();
        for _ in 0..dice.below(60) {
            let (model, author) = dice.of(&[
                (Some("acme/one"), Some("acme")),
                (Some("beta/late"), None),
                (Some("solo/one"), Some("solo")),
                (Some("acme/other-zq"), Some("acme")),
                (Some("zq-raw"), None),
            ]);
            tried.push(Tried {
                date: world.last - Days::new(dice.below(days.min(20))),
                model,
                author,
                provider: dice.of(&["north", "south", "host:zq"]),
                endpoint: format!("e{}", dice.below(3)),
                attempts: 1 + i64::try_from(dice.below(300)).unwrap(),
                is_named: !model.unwrap_or_default().contains(SECRET),
            });
        }
        for row in &mut tried {
            row.is_named &= !row.provider.contains(SECRET);
            if !row.is_named {
                row.endpoint = format!("zq-{}", row.endpoint);
            }
        }
        Self { world, apps, tried }
    }

    /// The same but for what is inside the cells that nobody may read.
    fn changed(&self, seed: u64) -> Self {
        let mut dice = Dice(seed + 2_000);
        let world = &self.world;
        let (mut cells, mut apps) = (Vec::new(), Vec::new());
        let mut hidden: BTreeMap<(NaiveDate, bool), Vec<&Cell>> = BTreeMap::new();
        for (cell, app) in world.cells.iter().zip(&self.apps) {
            if world.is_public(cell) {
                cells.push(cell.clone());
                apps.push(if *app == FEW[0] { FEW[1] } else { *app });
            } else {
                hidden.entry((cell.date, cell.author.is_some())).or_default().push(cell);
            }
        }
        for ((date, is_mapped), group) in hidden {
            let parts = 1 + usize::try_from(dice.below(4)).unwrap();
            let mut made: Vec<Cell> = (0..parts)
                .map(|_| {
                    let (model, author) = if is_mapped { dice.of(&RULED) } else { dice.of(&RAW) };
                    let users =
                        (0..dice.below(40)).map(|_| i64::try_from(dice.below(900)).unwrap()).collect();
                    Cell {
                        date,
                        model,
                        logged_author: author,
                        author,
                        variant: dice.of(&[None, Some("standard"), Some("free")]),
                        provider: dice.of(&[Some("north"), Some("zq-there"), Some("host:zq"), None]),
                        counts: BTreeMap::new(),
                        cost: 0,
                        unserved: None,
                        users,
                    }
                })
                .collect();
            for name in group[0].counts.keys() {
                let sum = group.iter().map(|cell| i128::from(cell.counts[name])).sum();
                for (cell, part) in made.iter_mut().zip(split(sum, parts, &mut dice)) {
                    cell.counts.insert(name.clone(), i64::try_from(part).unwrap());
                }
            }
            let cost = split(group.iter().map(|cell| cell.cost).sum(), parts, &mut dice);
            for (cell, part) in made.iter_mut().zip(cost) {
                cell.cost = part;
            }
            // Of a day on which one cell does not know it, it is not known.
            if let Some(unserved) = group.iter().map(|cell| cell.unserved).sum::<Option<i128>>() {
                for (cell, part) in made.iter_mut().zip(split(unserved, parts, &mut dice)) {
                    cell.unserved = Some(part);
                }
            }
            apps.extend(made.iter().map(|_| dice.of(&APPS)));
            cells.extend(made);
        }
        let public = world.public.clone();
        let world = World { cells, public, terms: world.terms.clone(), ..*world };
        Self { world, apps, tried: self.tried_elsewhere(&mut dice) }
    }

    /// Attempts that belong to no name, somewhere else. What is counted of them in all stays.
    fn tried_elsewhere(&self, dice: &mut Dice) -> Vec<Tried> {
        let (mut tried, hidden): (Vec<Tried>, Vec<Tried>) =
            self.tried.iter().cloned().partition(|row| row.is_named);
        for row in hidden {
            let is_raw = row.author.is_none() && row.model != Some("beta/late");
            let is_host = row.provider.contains(SECRET);
            let parts = 1 + usize::try_from(dice.below(3)).unwrap();
            for part in split(i128::from(row.attempts), parts, dice).into_iter().filter(|part| *part > 0) {
                // At a host, the model may be one of the catalogue: no host is named.
                let (model, author) = match (is_raw, is_host) {
                    (true, _) => dice.of(&RAW[..2]),
                    (false, true) => (Some("acme/one"), Some("acme")),
                    (false, false) => dice.of(&RULED),
                };
                tried.push(Tried {
                    model,
                    author,
                    provider: if is_host { "host:zq-other" } else { dice.of(&["north", "south"]) },
                    endpoint: format!("zq-{}", dice.below(9)),
                    attempts: i64::try_from(part).unwrap(),
                    ..row.clone()
                });
            }
        }
        tried
    }

    fn app_rows(&self) -> Vec<Json> {
        let row = |(cell, app): (&Cell, &Option<&str>)| {
            let sketch = cell.users.iter().copied().collect::<Hll>().to_bytes();
            let hex: String = sketch.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({
                "date": cell.date, "app_id": app, "model_id": cell.model, "author": cell.logged_author,
                "variant": cell.variant, "requests": cell.counts["requests"],
                "requests_with_user": cell.counts["requests_with_user"], "users": hex, "cost_usd": "0",
            })
        };
        self.world.cells.iter().zip(&self.apps).map(row).collect()
    }

    fn tried_rows(&self) -> Vec<Json> {
        let row = |tried: &Tried| {
            json!({
                "date": tried.date, "model_id": tried.model, "author": tried.author, "variant": "standard",
                "provider_id": tried.provider, "endpoint_id": tried.endpoint, "attempts": tried.attempts,
                "ok": tried.attempts,
            })
        };
        self.tried.iter().map(row).collect()
    }

    /// Every public row, a line each.
    async fn published(&self) -> Vec<String> {
        let ctx = self.world.tables();
        stand_in(&ctx, TableId::AppDaily, self.app_rows());
        stand_in(&ctx, TableId::HealthDaily, self.tried_rows());
        for table in [
            TableId::Health5m,
            TableId::HealthHourly,
            TableId::IntakeDaily,
            TableId::Rejects,
            TableId::LabelCells,
            health_now::METRIC.id(),
            quality_by_day::METRIC.id(),
            events::METRIC.id(),
        ] {
            stand_in(&ctx, table, Vec::new());
        }
        crate::register(&ctx, &self.world.terms).await.unwrap();
        let (first, today) = (self.world.first, self.world.terms.today);
        for metric in [health_now::METRIC, app_gate::METRIC] {
            let rows = metric.rows(&ctx, first, today).await.unwrap();
            let batch = arrow::compute::concat_batches(&metric.table.schema(), &rows).unwrap();
            ctx.deregister_table(metric.table.name).unwrap();
            ctx.register_batch(metric.table.name, batch).unwrap();
        }
        let mut lines = Vec::new();
        for metric in &PUBLIC {
            let rows = publish(&ctx, metric, first, today).await;
            lines.extend(rows.iter().map(|row| format!("{} {row:?}", metric.table.name)));
        }
        lines
    }
}

fn listed() -> Vec<Price> {
    let price = |model: &str, day: &str, input| Price {
        model: model.into(),
        variant: "standard".into(),
        provider: Some("north".into()),
        valid_from: Some(day.parse().unwrap()),
        input: Some(input),
        ..Price::default()
    };
    vec![
        price("acme/one", "2026-01-01", 5),
        price("acme/one", "2026-02-01", 6),
        price("acme/zq-1", "2026-01-01", 7),
    ]
}

#[tokio::test]
async fn worlds_that_differ_in_what_is_hidden_give_the_same_rows() {
    let mut tables: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..40 {
        let one = Whole::random(seed);
        let other = one.changed(seed);
        let lines = one.published().await;
        let others = other.published().await;
        let differ = lines.iter().zip(&others).find(|(one, other)| one != other);
        assert_eq!(differ, None, "seed {seed}");
        assert_eq!(lines.len(), others.len(), "seed {seed}");
        for line in &lines {
            assert!(!line.contains(SECRET) && !line.contains("raw-model"), "seed {seed}: {line}");
            *tables.entry(line.split_once(' ').unwrap().0.to_owned()).or_default() += 1;
        }
    }
    let names: BTreeSet<&str> = PUBLIC.iter().map(|metric| metric.table.name).collect();
    // Each has something to tell.
    assert!(names.iter().all(|name| tables.get(*name).is_some_and(|rows| *rows > 20)), "{tables:?}");
}
