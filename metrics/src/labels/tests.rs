//! What the estimators tell of a week that can be counted by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;

use super::{
    ByWeek, CellKey, CellSums, Dimension, LabelPeriod, LabelSource, LabelWeek, Labels, Missing, Model, Needs,
    UsersBand,
};

impl Model for u32 {
    fn is_unknown(self) -> bool {
        self == 0
    }
}

const NEEDS: Needs = Needs { users: 4, samples: 4, cross_users: 4, cross_n_eff: 4, model_users: 2 };

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Requests of 10 tokens in the week of Monday 2026-11-16: language, code, model, user.
fn week(requests: &[(&str, &str, u32, i64)]) -> ByWeek<u32> {
    let mut week = LabelWeek::default();
    for (nl, code, model, user) in requests {
        let key = CellKey {
            nl: week.word(nl),
            nl_source: LabelSource::Text,
            code_out: week.word(code),
            code_source: LabelSource::Text,
            model: *model,
            user: *user,
        };
        week.add(key, &CellSums { n: 1, w: 1.0, wt: 10.0, wt2: 100.0, w_ok: 1.0 });
    }
    BTreeMap::from([(date("2026-11-16"), Arc::new(week.view()))])
}

fn ask<T>(weeks: &ByWeek<u32>, question: impl FnOnce(&Labels<'_, u32>) -> T) -> T {
    question(&Labels {
        weeks,
        needs: NEEDS,
        newest: date("2026-11-25"),
        written_from: None,
        name: &|model| model.to_string(),
        served: &|_| 400,
    })
}

/// Japanese to Python: five users of model 1, three of model 2, one of model 3; English to none: eleven of model 1.
fn japanese() -> ByWeek<u32> {
    let python = (1..=9).map(|user| {
        (
            "ja",
            "python",
            if user <= 5 {
                1
            } else if user <= 8 {
                2
            } else {
                3
            },
            user,
        )
    });
    let english = (11..=21).map(|user| ("en", "none", 1, user));
    week(&python.chain(english).collect::<Vec<_>>())
}

#[test]
fn a_cross_folds_models_with_one_user_into_a_row_that_has_enough() {
    let weeks = japanese();
    let cross = ask(&weeks, |labels| labels.cross(Some("ja"), Some("python"), None)).unwrap();
    assert_eq!(cross.cell.window.period, LabelPeriod::Week);
    assert_eq!((cross.cell.n, cross.cell.users), (9, UsersBand(None)));
    // 90 of 200 labelled tokens.
    assert_eq!(cross.cell.share, 0.45);
    assert_eq!(cross.cell.n_eff, 9.0);
    // One user of model 3 is too few, and so is the rest without the three of model 2: 5 and 4 of 9.
    let rows: Vec<_> = cross.rows.iter().map(|row| (row.model, row.share)).collect();
    assert_eq!(rows, [(Some(1), 0.56), (None, 0.44)]);
    assert_eq!(cross.rows[0].growth, Err(Missing { n: None, samples: 30, users: Some(2) }));
    assert_eq!(cross.rows[0].success.map(|(rate, _)| rate), Ok(1.0));
}

#[test]
fn what_is_too_small_says_what_it_needs_and_not_what_there_is() {
    let weeks = week(&[("ja", "python", 1, 1), ("ja", "python", 1, 2), ("ja", "python", 1, 3)]);
    let missing = Missing { n: None, samples: 4, users: Some(4) };
    assert_eq!(ask(&weeks, |labels| labels.cross(Some("ja"), Some("python"), None)), Err(missing));
    let missing = Missing { n: Some(3), samples: 4, users: None };
    assert_eq!(ask(&weeks, |labels| labels.languages(None)), Err(missing));
}

#[test]
fn languages_are_shares_of_what_is_labelled_and_say_how_much_that_is() {
    let weeks = japanese();
    assert_eq!(ask(&weeks, |labels| labels.values(Dimension::Nl)), ["en", "ja"]);
    let languages = ask(&weeks, |labels| labels.languages(None)).unwrap();
    let rows: Vec<_> = languages.rows.iter().map(|row| (row.code.as_str(), row.cell.share)).collect();
    assert_eq!(rows, [("en", 0.55), ("ja", 0.45)]);
    assert_eq!((languages.other, languages.undetermined), (0.0, 0.0));
    // 200 of 400 served tokens.
    assert_eq!(languages.sampled, Some(0.5));
    assert_eq!(languages.weeks, [date("2026-11-16")]);
}
