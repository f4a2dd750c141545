use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};

use super::METRIC;
use crate::app_gate;
use crate::app_gate::tests::World;
use crate::testing::publish;

#[tokio::test]
async fn an_app_is_listed_with_the_days_on_which_it_and_its_models_were_public() {
    let mut listed = 0;
    for seed in 0..40 {
        let world = World::random(seed);
        let ctx = world.session().await;
        let today = world.terms.today;
        publish(&ctx, &app_gate::METRIC, today - Days::new(44), today).await;
        let found = publish(&ctx, &METRIC, today, today).await;
        let decisions = world.decisions();
        let mut expected: BTreeMap<&str, BTreeSet<(NaiveDate, Option<&str>)>> = BTreeMap::new();
        for used in &world.uses {
            let Some(app) = used.app.filter(|_| used.requests > 0 && world.is_public(used)) else { continue };
            // The running day follows the one before, but on the first day.
            let decided_on = match used.date == today && world.first() != Some(today) {
                true => today - Days::new(1),
                false => used.date,
            };
            if world.terms.users == 0 || decisions.get(&(decided_on, app)).is_some_and(|row| row.3) {
                expected.entry(app).or_default().insert((used.date, used.model));
            }
        }
        assert_eq!(
            found.iter().map(|row| row.text("key")).collect::<Vec<_>>(),
            expected.keys().copied().collect::<Vec<_>>(),
            "seed {seed}"
        );
        for row in &found {
            let days = &expected[row.text("key")];
            assert_eq!((row.text("app"), row.text("display_name")), (row.text("key"), row.text("key")));
            assert_eq!(row.date("first_date"), days.first().unwrap().0, "seed {seed}");
            assert_eq!(row.date("last_date"), days.last().unwrap().0, "seed {seed}");
            let lately = days.iter().filter(|(date, _)| *date > today - Days::new(7));
            let models: BTreeSet<_> = lately.filter_map(|(_, model)| *model).collect();
            assert_eq!(row.whole("models"), Some(models.len() as i128), "seed {seed}");
            assert_eq!(row.flag("is_active"), !models.is_empty());
            listed += 1;
        }
    }
    assert!(listed > 30, "{listed}");
}
