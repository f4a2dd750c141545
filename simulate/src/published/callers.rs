//! Who calls: languages, countries, apps, sessions, and how long users stay.

use std::collections::BTreeMap;

use super::sample::{Sample, Usage};
use super::{AtLeast, Percent, Points, Table, at, sorted};
use crate::calibration as cal;
use crate::people::People;

pub fn people(table: &mut Table, sample: &Sample) {
    let all: f64 = sample.languages.values().sum();
    let why = "other languages than English are doubled, for crosses with enough requests";
    for (language, published, own) in [
        ("en", 82.9, 71.0),
        ("zh", 5.0, 9.3),
        ("ru", 2.5, 4.7),
        ("es", 1.4, 2.6),
        ("th", 1.0, 1.9),
        ("ja", 0.5, 3.8),
    ] {
        let found = 100.0 * sample.languages.get(language).copied().unwrap_or(0.0) / all;
        table.own(
            format!("tokens in {language}, %"),
            published,
            (own, why),
            found,
            Points(0.5 + 0.2 * own.min(20.0)),
        );
    }
    let regions: [(&str, f64, &[&str]); 3] = [
        ("North America", 47.0, &["US", "CA", "MX"]),
        (
            "Asia",
            29.0,
            &[
                "CN", "TW", "HK", "SG", "JP", "KR", "TH", "VN", "IN", "ID", "PH", "KZ", "PK", "BD", "MY",
                "LK", "NP",
            ],
        ),
        (
            "Latin America, Africa, Oceania and the Near East",
            3.0,
            &[
                "BR", "AR", "CL", "CO", "PE", "AU", "NZ", "NG", "ZA", "KE", "EG", "GH", "MA", "IL", "TR",
                "AE", "SA",
            ],
        ),
    ];
    let all: f64 = sample.countries.values().sum();
    let mut elsewhere = 100.0;
    for (region, published, countries) in regions {
        let found =
            100.0 * countries.iter().filter_map(|country| sample.countries.get(*country)).sum::<f64>() / all;
        elsewhere -= found;
        table.line(format!("tokens from {region}, %"), published, found, Points(4.0));
    }
    table.line("tokens from Europe, %", 21.0, elsewhere, Points(4.0));
    table.own(
        "countries",
        f64::NAN,
        (60.0, "no figure is published"),
        sample.countries.len() as f64,
        AtLeast,
    );
    let code = 100.0 * sample.code_tokens / sample.languages.values().sum::<f64>();
    let why = "37 % are code tasks and 35 % are agents', which here write code less often";
    table.own("tokens of requests with code, %", 72.0, (61.0, why), code, Points(6.0));
    let python = 100.0 * sample.code[1] / sample.code[0];
    table.line("Python among English requests with code, %", 25.0, python, Points(1.5));
    let apps: f64 = sample.apps.values().map(Usage::tokens).sum();
    let largest = sample.apps.values().map(Usage::tokens).fold(0.0, f64::max);
    table.line("tokens of the largest app, %", 8.7, 100.0 * largest / apps, Points(8.0));
    let mut turns: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for session in sample.sessions.values() {
        turns.entry(session.turns.min(50)).or_default().push(session.cost);
    }
    let median =
        |turns: Option<&Vec<f64>>| turns.map_or(f64::NAN, |costs| at(&sorted(costs.iter().copied()), 0.5));
    table.line("cost of a session of one turn, USD, median", 0.001, median(turns.get(&1)), Points(0.004));
    let why = "sessions last an hour at most, and no turn holds all those before it";
    table.own(
        "cost of a session of 50 turns or more, USD, median",
        12.0,
        (0.4, why),
        median(turns.get(&50)),
        Percent(90.0),
    );
    let long = turns.get(&50).map_or(0, Vec::len) as f64;
    table.own(
        "sessions of 50 turns or more in a month",
        f64::NAN,
        (30.0, "no figure is published"),
        long,
        AtLeast,
    );
    cohorts(table);
}

fn cohorts(table: &mut Table) {
    let people = People::new(42, cal::DAYS_PER_YEAR + 400);
    let joined: Vec<usize> = people.joined(100..160).collect();
    let kept = 100.0 * joined.iter().filter(|at| people.is_active(**at, 150)).count() as f64;
    table.line("users still there after five months, %", 40.0, kept / joined.len() as f64, Points(8.0));
    let share = 100.0 * joined.iter().filter(|at| people.returns(**at)).count() as f64 / joined.len() as f64;
    table.own(
        "users that leave and return, %",
        f64::NAN,
        (13.0, "published without a number"),
        share,
        Points(4.0),
    );
}
