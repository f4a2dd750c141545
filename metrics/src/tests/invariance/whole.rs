//! Worlds whose cells have users and apps, and the same worlds but for what nobody may read.

use std::collections::BTreeMap;

use bellwether_warehouse::TableId;
use bellwether_warehouse::sketches::hll::Hll;
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{attempt, batch};
use chrono::{Datelike, Days, NaiveDate, TimeDelta};
use serde_json::{Value as Json, json};

use super::PUBLIC;
use super::told::Difference;
use super::tried::{self, QUIET, RULED_AT, Tried};
use crate::testing::{Cell, Dice, Row, World, publish, stand_in};
use crate::{
    Facts, Keyless, Metric, Model, Named, Price, app_gate, events, health_now, quality_by_day, rankings,
    usage_by_day, users_by_window,
};

/// An author as a rule of the catalogue gives it, to a model that has no entry; and what nothing knows.
pub(super) const RULED: [(Option<&str>, Option<&str>); 2] =
    [(Some("acme/zq-1"), Some("acme")), (Some("beta/zq-2"), Some("beta"))];
pub(super) const RAW: [(Option<&str>, Option<&str>); 3] =
    [(Some("zq-3"), None), (Some("zq-4"), None), (None, None)];
const APPS: [Option<&str>; 4] = [Some("chat"), Some("agent"), Some("zq-app"), None];
/// Of one public cell, whose users are not enough for an app: under either name.
const FEW: [Option<&str>; 2] = [Some("zq-few"), Some("zq-fewer")];

/// A world with who used what through which app, and what was tried where.
pub(super) struct Whole {
    world: World,
    apps: Vec<Option<&'static str>>,
    tried: Vec<Tried>,
    /// Tokens of attempts of the last hour: of a public name, and of one of nobody's.
    live: [i64; 2],
}

/// In so many parts at random, some of them empty.
pub(super) fn split(whole: i128, parts: usize, dice: &mut Dice) -> Vec<i128> {
    let bound = u64::try_from(whole + 1).unwrap();
    let mut marks: Vec<i128> = (1..parts).map(|_| i128::from(dice.below(bound))).chain([0, whole]).collect();
    marks.sort_unstable();
    marks.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

impl Whole {
    pub(super) fn random(seed: u64) -> Self {
        let mut dice = Dice(seed + 1_000);
        let first: NaiveDate = "2026-10-01".parse().unwrap();
        let days = dice.of(&[4, 12, 45]);
        let mut world = World::new(seed, first, days, first + Days::new(days - dice.below(2)));
        world.terms.users = 20;
        world.terms.keyless = Keyless::Hide;
        world.terms.has_raw_names = false;
        let catalogue = &mut world.terms.catalogue;
        let (model, author, provider) = QUIET;
        catalogue.models.push(Model { id: model.into(), author: author.into(), name: "Quiet".into() });
        catalogue.providers.push(Named { id: provider.into(), name: "Still".into() });
        catalogue.providers.push(Named { id: RULED_AT.into(), name: "East".into() });
        world.terms.catalogue.facts = Facts { prices: listed(), ..Facts::default() };
        // So few apps that some have the users.
        let is_public = |cell: &Cell| world.is_public(cell);
        let mut apps: Vec<_> =
            world.cells.iter().map(|cell| dice.of(&APPS[..if is_public(cell) { 2 } else { 4 }])).collect();
        if let Some(at) = world.cells.iter().position(is_public) {
            apps[at] = FEW[0];
        }
        let tried = tried::random(world.first, world.last, &mut dice);
        Self { world, apps, tried, live: [700, 80_000] }
    }

    /// The same but for what is inside the cells that nobody may read.
    pub(super) fn changed(&self, seed: u64, difference: Difference) -> Self {
        let mut dice = Dice(seed + 2_000);
        match difference {
            Difference::Names => self.of_other_names(&mut dice),
            Difference::Amounts => self.of_other_amounts(&mut dice),
        }
    }

    fn of_other_names(&self, dice: &mut Dice) -> Self {
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
                for (cell, part) in made.iter_mut().zip(split(sum, parts, dice)) {
                    cell.counts.insert(name.clone(), i64::try_from(part).unwrap());
                }
            }
            let cost = split(group.iter().map(|cell| cell.cost).sum(), parts, dice);
            for (cell, part) in made.iter_mut().zip(cost) {
                cell.cost = part;
            }
            // Of a day on which one cell does not know it, it is not known.
            if let Some(unserved) = group.iter().map(|cell| cell.unserved).sum::<Option<i128>>() {
                for (cell, part) in made.iter_mut().zip(split(unserved, parts, dice)) {
                    cell.unserved = Some(part);
                }
            }
            apps.extend(made.iter().map(|_| dice.of(&APPS)));
            cells.extend(made);
        }
        let live = self.live;
        Self { world: with_cells(world, cells), apps, tried: tried::elsewhere(&self.tried, dice), live }
    }

    fn of_other_amounts(&self, dice: &mut Dice) -> Self {
        let world = &self.world;
        let (mut cells, mut apps) = (Vec::new(), Vec::new());
        for (cell, app) in world.cells.iter().zip(&self.apps) {
            if world.is_public(cell) {
                cells.push(cell.clone());
                apps.push(if *app == FEW[0] { FEW[1] } else { *app });
                continue;
            }
            // Of what nobody maps there may be more than there was.
            let copies = if cell.author.is_none() { 1 + dice.below(3) } else { 1 };
            for copy in 0..copies {
                let mut made = cell.clone();
                if copy > 0 {
                    (made.model, made.author) = dice.of(&RAW);
                    made.logged_author = made.author;
                }
                for count in made.counts.values_mut() {
                    *count = i64::try_from(dice.below(5_000)).unwrap();
                }
                made.cost = i128::from(dice.below(9_000_000_000));
                made.unserved = made.unserved.map(|_| made.cost / 3);
                made.users = (0..dice.below(40)).map(|_| i64::try_from(dice.below(900)).unwrap()).collect();
                cells.push(made);
                apps.push(dice.of(&APPS));
            }
        }
        let live = [self.live[0], i64::try_from(dice.below(90_000)).unwrap()];
        Self {
            world: with_cells(world, cells),
            apps,
            tried: tried::of_other_amounts(&self.tried, dice),
            live,
        }
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

    /// Attempts of the hour before the watermark.
    fn attempts(&self) -> Vec<AttemptRow<'_>> {
        let at = |minutes| (self.world.terms.watermark - TimeDelta::minutes(minutes)).timestamp_micros();
        let of = |id, minutes, model, tokens| AttemptRow {
            started_at: at(minutes),
            ingested_at: at(minutes),
            model_id: Some(model),
            input_tokens: Some(tokens),
            ..attempt(id)
        };
        vec![of("a", 5, "acme/one", self.live[0]), of("b", 20, "zq-raw", self.live[1])]
    }

    /// Rows of those tables that are asked for.
    pub(super) async fn published(
        &self,
        is_published: impl Fn(&Metric) -> bool,
    ) -> Vec<(&'static str, Vec<Row>)> {
        let ctx = self.world.tables();
        stand_in(&ctx, TableId::AppDaily, self.app_rows());
        for (table, minutes) in [
            (TableId::Health5m, 5),
            (TableId::HealthHourly, 60),
            (TableId::HealthDaily, 1_440),
            (TableId::ContextSpeedDaily, 1_440),
        ] {
            let is_read = table == TableId::HealthDaily || is_published(&health_now::METRIC);
            let tried = self.tried.iter().filter(|_| is_read);
            stand_in(&ctx, table, tried.map(|tried| tried.row(minutes)).collect());
        }
        stand_in(&ctx, TableId::RoutingHourly, self.tried.iter().map(Tried::routed).collect());
        ctx.register_batch("attempts", batch(&self.attempts())).unwrap();
        for table in [
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
        let app_decisions = app_gate::METRIC.rows(&ctx, first, today).await.unwrap();
        let app_decisions =
            arrow::compute::concat_batches(&app_gate::METRIC.table.schema(), &app_decisions).unwrap();
        ctx.register_batch(app_gate::METRIC.table.name, app_decisions).unwrap();
        let mut tables = Vec::new();
        for metric in PUBLIC.iter().filter(|metric| is_published(metric)) {
            let lately = |days| (today - Days::new(days)).max(first);
            let from = match metric.date_column() {
                // Weeks and months begin before their first day of traffic.
                Some("week_start") => first - Days::new(first.weekday().num_days_from_monday().into()),
                Some("month") => first.with_day(1).unwrap(),
                Some("end_date") => lately(3),
                _ if *metric.table == usage_by_day::TABLE => first,
                _ if metric.table.name.starts_with("health") => lately(8),
                _ => first,
            };
            if *metric.table == rankings::TABLE {
                publish(&ctx, &users_by_window::METRIC, from, today).await;
            }
            tables.push((metric.table.name, publish(&ctx, metric, from, today).await));
        }
        tables
    }
}

fn with_cells(world: &World, cells: Vec<Cell>) -> World {
    World { cells, public: world.public.clone(), terms: world.terms.clone(), ..*world }
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
