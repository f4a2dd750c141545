//! Every published figure beside what a simulated month of the default size gives.
//!
//! `cargo test … published -- --nocapture` prints the table. Published and not simulated: the elasticity of demand
//! to price, and what a price did to a model's traffic.

mod callers;
mod calls;
mod market;
mod sample;

use sample::Sample;

struct Line {
    name: String,
    published: f64,
    /// What the demo aims at where it differs on purpose, and why.
    own: Option<(f64, &'static str)>,
    found: f64,
    tolerance: Tolerance,
}

#[derive(Clone, Copy)]
enum Tolerance {
    /// In the unit of the figure.
    Points(f64),
    /// Of the target.
    Percent(f64),
    AtLeast,
}
use Tolerance::{AtLeast, Percent, Points};

impl Line {
    fn target(&self) -> f64 {
        self.own.map_or(self.published, |(target, _)| target)
    }

    fn holds(&self) -> bool {
        let distance = (self.found - self.target()).abs();
        match self.tolerance {
            Points(points) => distance <= points,
            Percent(percent) => distance <= percent / 100.0 * self.target().abs(),
            AtLeast => self.found >= self.target(),
        }
    }

    fn text(&self) -> String {
        let tolerance = match self.tolerance {
            Points(points) => format!("± {points:.2}"),
            Percent(percent) => format!("± {percent:.0} %"),
            AtLeast => "at least".to_owned(),
        };
        let own = self.own.map_or(String::new(), |(target, why)| format!("  demo: {target}, {why}"));
        let (name, found) = (&self.name, self.found);
        let published =
            if self.published.is_nan() { "none".to_owned() } else { format!("{:.2}", self.published) };
        format!("{name:<52} {published:>10} {found:>11.3}  {tolerance:<10}{own}")
    }
}

#[derive(Default)]
struct Table(Vec<Line>);

impl Table {
    fn line(&mut self, name: impl Into<String>, published: f64, found: f64, tolerance: Tolerance) {
        self.0.push(Line { name: name.into(), published, own: None, found, tolerance });
    }

    fn own(
        &mut self,
        name: impl Into<String>,
        published: f64,
        (target, why): (f64, &'static str),
        found: f64,
        tolerance: Tolerance,
    ) {
        self.0.push(Line { name: name.into(), published, own: Some((target, why)), found, tolerance });
    }
}

#[test]
fn a_simulated_month_gives_the_published_figures() {
    let simulator = sample::simulator();
    let sample = Sample::new(&simulator);
    let mut table = Table::default();
    market::size(&mut table, &simulator, &sample);
    market::concentration(&mut table, &sample);
    calls::requests(&mut table, &sample);
    calls::health(&mut table, &sample);
    calls::speed(&mut table, &simulator, &sample);
    callers::people(&mut table, &sample);
    println!("{:<52} {:>10} {:>11}  tolerance", "figure", "published", "simulated");
    table.0.iter().for_each(|line| println!("{}", line.text()));
    let failing: Vec<String> = table.0.iter().filter(|line| !line.holds()).map(Line::text).collect();
    assert!(failing.is_empty(), "{} of {} lines fail:\n{}", failing.len(), table.0.len(), failing.join("\n"));
    assert!(table.0.len() > 100, "{}", table.0.len());
}

fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values
}

fn at(sorted: &[f64], quantile: f64) -> f64 {
    sorted
        .get((quantile * sorted.len().saturating_sub(1) as f64).round() as usize)
        .copied()
        .unwrap_or(f64::NAN)
}

/// The value below which a share of the weight lies.
fn weighted(values: impl IntoIterator<Item = (f64, f64)>, quantile: f64) -> f64 {
    let mut values: Vec<(f64, f64)> = values.into_iter().collect();
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut left = quantile * values.iter().map(|(_, weight)| weight).sum::<f64>();
    for (value, weight) in values {
        left -= weight;
        if left <= 0.0 {
            return value;
        }
    }
    f64::NAN
}
