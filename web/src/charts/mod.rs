//! Charts as pure functions from data to SVG text.
//!
//! A chart carries classes and presentation attributes only (the page's policy forbids inline styles), names
//! itself with `<title>` and `<desc>`, and is drawn for two widths, of which a container query shows one: so
//! its text never falls under 10.5 px from 360 px up. Names are foreign input and are escaped where they are
//! written. Nothing here loads data or knows a page.

mod bar;
mod bump;
mod columns;
mod frame;
pub mod labels;
mod line;
mod multiples;
pub mod scale;
mod spark;
mod stacked;
mod strip;
pub mod svg;
mod whiskers;

pub use bar::bar;
pub use bump::{Bump, bump};
pub use columns::{Columns, minute_columns};
pub use frame::{Canvas, Caption, HALF, LARGE, Note};
pub use line::{Band, Dash, Domain, Line, LineChart, Partial};
pub use multiples::{Multiple, multiples};
pub use spark::sparkline;
pub use stacked::{Band100, Stacked};
pub use strip::{Cell, Class, days_strip, minutes_strip, row_strip};
pub use whiskers::{Whisker, whiskers};

#[cfg(test)]
mod tests;
