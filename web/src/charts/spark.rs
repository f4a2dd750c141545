//! A line of a dozen points inside a table row: shape only, from zero to its own largest value.

use super::scale::Linear;
use super::svg::{Path, Svg};

/// Empty where fewer than two values are known. Gaps part the line; the dot is the newest value.
pub fn sparkline(values: &[Option<f64>]) -> String {
    let known = values.iter().flatten().filter(|value| value.is_finite());
    let (count, highest) =
        known.fold((0, 0.0f64), |(count, highest), value| (count + 1, highest.max(*value)));
    if count < 2 {
        return String::new();
    }
    let mut svg = Svg::decoration("sp", "0 0 96 20", false);
    let x = Linear::new((0.0, (values.len() - 1) as f64), (2.0, 93.0));
    let y = Linear::new((0.0, if highest > 0.0 { highest } else { 1.0 }), (17.5, 2.5));
    let mut path = Path::default();
    let mut joined = false;
    let mut newest = None;
    for (index, value) in values.iter().enumerate() {
        match value.filter(|value| value.is_finite()) {
            Some(value) => {
                let point = (x.at(index as f64), y.at(value));
                if joined {
                    path.line(point.0, point.1)
                } else {
                    path.to(point.0, point.1)
                };
                joined = true;
                newest = Some(point);
            }
            None => joined = false,
        }
    }
    svg.path("l", &path);
    if let Some((at, value)) = newest {
        svg.circle("p", at, value, 2.0);
    }
    svg.finish()
}
