//! How large the market is, and how its tokens are shared out.

use super::sample::{DAYS, Sample, Usage};
use super::{AtLeast, Percent, Points, Table, at, sorted};
use crate::calibration as cal;
use crate::traffic::Simulator;

fn model_of(row: &str) -> &str {
    row.split(':').next().unwrap_or(row)
}

pub fn size(table: &mut Table, simulator: &Simulator, sample: &Sample) {
    let models = sample.week_by(model_of);
    let authors = sample.week_by(|row| row.split('/').next().unwrap_or(row));
    table.own(
        "models with traffic in the last week",
        314.0,
        (400.0, "the size to hold"),
        models.len() as f64,
        AtLeast,
    );
    table.own("variants of them", 314.0, (555.0, "the size to hold"), sample.week.len() as f64, AtLeast);
    table.own("authors", 60.0, (75.0, "the size to hold"), authors.len() as f64, AtLeast);
    let endpoints = sample.endpoints.len() as f64;
    table.own("endpoints called in the month", 1_096.0, (1_000.0, "the size to hold"), endpoints, AtLeast);
    let providers = sample.providers.len() as f64;
    table.own("providers", 101.0, (60.0, "the size to hold"), providers, AtLeast);
    table.own("apps", 300.0, (290.0, "the smallest have few users"), sample.apps.len() as f64, AtLeast);
    let (first, last) = (simulator.first_minute(), simulator.end_minute() - 7 * 1440);
    let growth = Sample::tokens_of_week(simulator, last) / Sample::tokens_of_week(simulator, first);
    table.line("growth of weekly tokens in 51 weeks", 25.6, growth, Percent(12.0));
    let launches = |row: &&crate::Model| row.row.launch > -cal::DAYS_PER_YEAR;
    let launched = simulator.models().iter().filter(launches).count() as f64 / cal::DAYS_PER_YEAR as f64;
    table.own("new variants a day", 5.3, (1.0, "560 variants are the size to hold"), launched, Points(0.3));
}

pub fn concentration(table: &mut Table, sample: &Sample) {
    let models = sample.week_by(model_of);
    let all: f64 = models.values().map(Usage::tokens).sum();
    let mut tokens = sorted(models.values().map(Usage::tokens));
    tokens.reverse();
    for (most, published, points) in
        [(1, 13.9, 2.0), (5, 46.8, 3.0), (9, 61.5, 3.0), (20, 79.1, 2.5), (50, 93.4, 2.0)]
    {
        let found = 100.0 * tokens.iter().take(most).sum::<f64>() / all;
        table.line(format!("tokens of the top {most}, %"), published, found, Points(points));
    }
    let authors = sample.week_by(|row| row.split('/').next().unwrap_or(row));
    for (author, curve) in &cal::AUTHORS {
        let found = 100.0 * authors.get(author).map_or(0.0, Usage::tokens) / all;
        table.line(format!("tokens of {author}, %"), curve[4], found, Points(0.4 + 0.12 * curve[4]));
    }
    let requests: f64 = models.values().map(|usage| usage.requests).sum();
    for (variant, tokens_published, requests_published) in
        [("standard", 90.8, 97.4), ("free", 9.2, 2.5), ("batch", 0.02, 0.12)]
    {
        let rows = || {
            let is_variant =
                move |row: &str| row.split_once(':').map_or("standard", |(_, name)| name) == variant;
            sample.week.iter().filter(move |(row, _)| is_variant(row)).map(|(_, usage)| usage)
        };
        let tokens = 100.0 * rows().map(Usage::tokens).sum::<f64>() / all;
        let share = 100.0 * rows().map(|usage| usage.requests).sum::<f64>() / requests;
        let slack = |published: f64| Points(0.12 + (100.0 - published).min(published) * 0.4);
        table.line(
            format!("tokens of variant {variant}, %"),
            tokens_published,
            tokens,
            slack(tokens_published),
        );
        table.line(
            format!("requests of variant {variant}, %"),
            requests_published,
            share,
            slack(requests_published),
        );
    }
    weekdays(table, sample);
    let changes = sorted(sample.week.keys().filter_map(|row| daily_change(sample, row)));
    table.line("daily change of a model's tokens, sd of log, least", 0.30, at(&changes, 0.25), Points(0.08));
    table.line("daily change of a model's tokens, sd of log, most", 0.47, at(&changes, 0.9), Points(0.10));
}

fn weekdays(table: &mut Table, sample: &Sample) {
    let trend = |day: usize| cal::GROWTH_OVER_YEAR.powf(day as f64 / 357.0);
    let tokens =
        |day: usize| sample.days.get(day).map_or(0.0, |m| m.values().map(Usage::tokens).sum()) / trend(day);
    let mean = (0..DAYS as usize).map(tokens).sum::<f64>() / DAYS as f64;
    for (weekday, published) in cal::WEEKDAY.into_iter().enumerate() {
        // The first day is a Thursday.
        let found =
            (0..DAYS as usize).filter(|day| (day + 3) % 7 == weekday).map(tokens).sum::<f64>() / 4.0 / mean;
        table.line(
            format!("tokens on weekday {}, over the mean", weekday + 1),
            published,
            found,
            Points(0.06),
        );
    }
}

/// Deviation of the logarithm of one day's tokens over the day before, without the shape of the week.
fn daily_change(sample: &Sample, row: &str) -> Option<f64> {
    let weekday = |day: usize| cal::WEEKDAY[(day + 3) % 7];
    let tokens: Option<Vec<f64>> = sample
        .days
        .iter()
        .enumerate()
        .map(|(day, models)| {
            models.get(row).filter(|usage| usage.requests >= 150.0).map(|u| u.tokens() / weekday(day))
        })
        .collect();
    let changes: Vec<f64> = tokens?.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect();
    let mean = changes.iter().sum::<f64>() / changes.len() as f64;
    Some((changes.iter().map(|change| (change - mean).powi(2)).sum::<f64>() / changes.len() as f64).sqrt())
}
