//! Measures generation on one core: `cargo run --release -p bellwether-simulate --example rate [attempts]`.

use std::time::Instant;

use bellwether_simulate::{Config, Simulator, TextMode, TruthBuilder, write_line};
use chrono::NaiveDate;

fn main() {
    let attempts = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(8_000_000);
    let end = NaiveDate::from_ymd_opt(2026, 11, 25).unwrap_or_default();
    let begun = Instant::now();
    let simulator = Simulator::new(Config { attempts_per_year: attempts, ..Config::new(end) });
    println!("set up            {:>8.3} s", begun.elapsed().as_secs_f64());

    let (from, to) = (simulator.first_minute(), simulator.end_minute());
    let run = |name: &str,
               texts: TextMode,
               from: i64,
               each: &mut dyn FnMut(&bellwether_ingest::event::Event<'_>)| {
        let begun = Instant::now();
        let mut attempts = 0u64;
        for minute in from..to {
            simulator.minute(minute, texts, &mut |event| {
                attempts += event.attempts.len() as u64;
                each(event);
            });
        }
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "{name:<17} {seconds:>8.3} s {attempts:>10} attempts {:>10.0} /s",
            attempts as f64 / seconds
        );
    };
    run("bare", TextMode::None, from, &mut |_| {});
    run("a tenth with text", TextMode::Share(0.1), from, &mut |_| {});
    let mut truth = TruthBuilder::new(&simulator);
    run("truth", TextMode::Share(0.1), from, &mut |event| truth.observe(event));
    let mut line = Vec::new();
    let mut bytes = 0;
    run("lines, last week", TextMode::Share(0.1), to - 7 * 1440, &mut |event| {
        line.clear();
        if write_line(event, &mut line).is_ok() {
            bytes += line.len();
        }
    });
    println!("bytes of the lines {bytes}");
    if std::env::args().nth(2).is_some() {
        let truth = truth.finish(from, to);
        println!("{}", serde_json::to_string(&truth).unwrap_or_default());
    }
}
