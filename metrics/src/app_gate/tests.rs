//! Decisions against a plain loop, in which every user is counted by hand.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_warehouse::TableId;
use bellwether_warehouse::session::without_files;
use bellwether_warehouse::sketches::hll::Hll;
use chrono::{Datelike, Days, NaiveDate};
use datafusion::prelude::SessionContext;
use serde_json::{Value as Json, json};

use super::METRIC;
use crate::testing::{Dice, date, publish, stand_in, terms};
use crate::{Keyless, Terms, gate};

/// Few enough that estimates are exact.
const USERS: u64 = 12;

/// What one app did with one model on one day.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub date: NaiveDate,
    pub app: Option<&'static str>,
    pub model: Option<&'static str>,
    pub author: Option<&'static str>,
    pub variant: Option<&'static str>,
    pub users: BTreeSet<i64>,
    pub requests: i64,
}

/// Uses, the keys of variants that are public on days, and the terms.
pub(crate) struct World {
    pub uses: Vec<Use>,
    pub public: BTreeSet<(NaiveDate, String)>,
    pub terms: Terms,
}

impl Use {
    pub(crate) fn variant_key(&self) -> Option<String> {
        let model = self.model?;
        Some(if self.variant == Some("free") { format!("{model}:free") } else { model.to_owned() })
    }

    fn row(&self) -> Json {
        let sketch = self.users.iter().copied().collect::<Hll>().to_bytes();
        let hex: String = sketch.iter().map(|byte| format!("{byte:02x}")).collect();
        json!({
            "date": self.date, "app_id": self.app, "model_id": self.model, "author": self.author,
            "variant": self.variant, "requests": self.requests, "requests_with_user": self.users.len(),
            "users": if self.users.is_empty() { Json::Null } else { json!(hex) },
        })
    }
}

impl World {
    /// Up to 45 days to 25 November.
    pub(crate) fn random(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let terms = Terms {
            users: dice.of(&[0, 3, 3, 5]),
            keyless: dice.of(&[Keyless::Hide, Keyless::Hide, Keyless::Show]),
            has_raw_names: dice.one_in(3),
            ..terms()
        };
        let days = dice.of(&[1, 2, 30, 45]);
        let mut uses = Vec::new();
        for _ in 0..dice.below(80) {
            let (model, author) = dice.of(&[
                (Some("acme/one"), Some("acme")),
                // Catalogued since.
                (Some("acme/two"), None),
                (Some("zq-raw"), None),
                (None, None),
            ]);
            let users: BTreeSet<i64> =
                (0..dice.below(4)).map(|_| i64::try_from(dice.below(USERS)).unwrap()).collect();
            uses.push(Use {
                date: terms.today - Days::new(dice.below(days)),
                app: dice.of(&[Some("chat"), Some("zq-editor"), Some("agent"), None]),
                model,
                author,
                variant: dice.of(&[None, Some("standard"), Some("free")]),
                requests: i64::try_from(users.len() as u64 + dice.below(4)).unwrap(),
                users,
            });
        }
        let mut public = BTreeSet::new();
        for used in &uses {
            if let Some(key) = used.variant_key().filter(|_| !dice.one_in(4)) {
                public.insert((used.date, key));
            }
        }
        Self { uses, public, terms }
    }

    pub(crate) async fn session(&self) -> SessionContext {
        let ctx = without_files(2);
        stand_in(&ctx, TableId::AppDaily, self.uses.iter().map(Use::row).collect());
        let days = self.uses.iter().map(|used| json!({"date": used.date})).collect();
        stand_in(&ctx, TableId::UsageDaily, days);
        let public = self
            .public
            .iter()
            .map(|(date, key)| json!({"date": date, "dimension": "variant", "key": key, "is_public": true}));
        stand_in(&ctx, gate::METRIC.id(), public.collect());
        crate::register(&ctx, &self.terms).await.unwrap();
        ctx
    }

    pub(crate) fn first(&self) -> Option<NaiveDate> {
        self.uses.iter().map(|used| used.date).min()
    }

    pub(crate) fn is_public(&self, used: &Use) -> bool {
        let has_name = used.author.is_some() || used.model == Some("acme/two") || self.terms.has_raw_names;
        let is_public = |key: String| self.public.contains(&(used.date, key));
        has_name && (self.terms.users == 0 || used.variant_key().is_some_and(is_public))
    }

    /// Users, requests, those with a user, and whether it may be named, by closed day and app.
    pub(crate) fn decisions(&self) -> BTreeMap<(NaiveDate, &'static str), (i128, i128, i128, bool)> {
        let today = self.terms.today;
        let mut decided = BTreeMap::new();
        for back in 0..45 {
            let on = today - Days::new(back);
            // Half a day has passed.
            if on == today && self.first() != Some(today) {
                continue;
            }
            for app in ["agent", "chat", "zq-editor"] {
                let counted = self.uses.iter().filter(|used| {
                    used.app == Some(app)
                        && used.date <= on
                        && used.date > on - Days::new(28)
                        && self.is_public(used)
                });
                let counted: Vec<&Use> = counted.collect();
                if counted.is_empty() {
                    continue;
                }
                let users: BTreeSet<i64> =
                    counted.iter().flat_map(|used| used.users.iter().copied()).collect();
                let requests: i64 = counted.iter().map(|used| used.requests).sum();
                let with_user: usize = counted.iter().map(|used| used.users.len()).sum();
                let (users, requests, with_user) =
                    (users.len() as i128, i128::from(requests), with_user as i128);
                let is_keyless = self.terms.keyless == Keyless::Show && with_user * 2 < requests;
                let is_public = users >= i128::from(self.terms.users) || is_keyless;
                decided.insert((on, app), (users, requests, with_user, is_public));
            }
        }
        decided
    }
}

#[tokio::test]
async fn an_app_is_decided_by_the_users_of_its_public_cells_in_the_28_days_to_each_closed_day() {
    let (mut public, mut hidden) = (0, 0);
    for seed in 0..40 {
        let world = World::random(seed);
        let ctx = world.session().await;
        let today = world.terms.today;
        let mut found = BTreeMap::new();
        // In two pieces: how days are divided decides nothing.
        let cut = today - Days::new(17);
        for (from, to) in [(today - Days::new(44), cut), (cut + Days::new(1), today)] {
            for row in publish(&ctx, &METRIC, from, to).await {
                assert_eq!(row.date("month"), row.date("date").with_day(1).unwrap());
                let counts = ["users", "requests", "requests_with_user"].map(|name| row.whole(name).unwrap());
                let decision = (counts[0], counts[1], counts[2], row.flag("is_public"));
                assert!(found.insert((row.date("date"), row.text("key").to_owned()), decision).is_none());
            }
        }
        let expected: BTreeMap<_, _> =
            world.decisions().into_iter().map(|((on, app), row)| ((on, app.to_owned()), row)).collect();
        assert_eq!(found, expected, "seed {seed}");
        public += found.values().filter(|row| row.3).count();
        hidden += found.values().filter(|row| !row.3).count();
    }
    assert!(public > 300 && hidden > 100, "{public} {hidden}");
}

#[tokio::test]
async fn nothing_is_computed_for_the_running_day_while_others_have_closed() {
    let used = |day: &str, users: &[i64]| Use {
        date: date(day),
        app: Some("chat"),
        model: Some("acme/one"),
        author: Some("acme"),
        variant: None,
        users: users.iter().copied().collect(),
        requests: 9,
    };
    let terms = Terms { users: 3, ..terms() };
    let public = ["2026-11-24", "2026-11-25"].map(|day| (date(day), "acme/one".to_owned())).into();
    let mut world = World { uses: vec![used("2026-11-25", &[1, 2, 3])], public, terms };
    let today = world.terms.today;
    let first = publish(&world.session().await, &METRIC, today, today).await;
    assert!(first.len() == 1 && first[0].flag("is_public"));
    world.uses.push(used("2026-11-24", &[1]));
    assert!(publish(&world.session().await, &METRIC, today, today).await.is_empty());
    // Until two hours later that day has not closed either.
    let yesterday = date("2026-11-24");
    world.uses.push(used("2026-11-23", &[1]));
    for (watermark, rows) in [("2026-11-25T01:59:59Z", 0), ("2026-11-25T02:00:00Z", 1)] {
        world.terms.watermark = watermark.parse().unwrap();
        assert_eq!(publish(&world.session().await, &METRIC, yesterday, today).await.len(), rows);
    }
}
