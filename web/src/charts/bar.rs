//! One bar of an ordered list, as long as its share of the longest.

use super::svg::{Svg, coordinate};

/// `part` is 0 to 1 of the longest bar; what is not zero stays visible. `class` may be empty, `hot` or `rest`.
pub fn bar(part: f64, class: &str) -> String {
    let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
    let width = if part > 0.0 { (part * 100.0).max(0.6) } else { 0.0 };
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    let mut svg = Svg::decoration("bar", "0 0 100 8", true);
    svg.raw(&format!("<rect{class} width=\"{}\" height=\"8\"/>", coordinate(width)));
    svg.finish()
}
