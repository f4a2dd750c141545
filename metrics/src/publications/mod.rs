//! What was published when: one row a publication. Readers take the newest row, and every table at the version it names.
//!
//! Its columns follow from the list of metrics: a version of each table, and of each rollup how far it was read.

mod followed;
mod log;
mod pinned;
mod row;
mod terms_since;
#[cfg(test)]
mod tests;
mod watermark;

use std::sync::LazyLock;

use bellwether_warehouse::tables::declared::{Audience, Column, Declaration, Type, Unit};
use bellwether_warehouse::{AppId, TableId};

use crate::{Lane, METRICS, Metric};
pub use followed::Followed;
pub use log::{Log, Revision};
pub use pinned::pin;
pub use row::Publication;
pub use terms_since::TermsSince;
pub use watermark::watermark;

pub const NAME: &str = "publications";

static TABLE: LazyLock<Declaration> = LazyLock::new(|| Declaration {
    name: NAME,
    grain: "publication",
    meaning: "What was published when, and why. The newest row names the version of every table that belongs together.",
    audience: Audience::Everyone,
    partition: None,
    stats: &["number"],
    columns: columns().leak(),
});

/// The table of publications.
pub fn id() -> TableId {
    TableId::Declared(&TABLE)
}

/// Transaction of a published table: the number of the publication that wrote it last.
pub fn app(table: TableId) -> AppId {
    AppId(format!("publish/{}", table.name()))
}

/// Rollups that published tables are made of. How far `attempts` was read has columns of its own.
pub fn sources() -> Vec<TableId> {
    let mut sources = Vec::new();
    for input in METRICS.iter().flat_map(|metric| metric.inputs) {
        let is_rollup = !matches!(input, TableId::Declared(_) | TableId::Attempts);
        if is_rollup && !sources.contains(input) {
            sources.push(*input);
        }
    }
    sources
}

/// Published tables whose changes come from another lane: how far they were read is told beside that of rollups.
pub fn shared() -> impl Iterator<Item = TableId> {
    METRICS.iter().filter(|metric| metric.lane == Lane::Today).map(Metric::id)
}

fn columns() -> Vec<Column> {
    let mut columns = vec![
        Column::count("number", Unit::None, "0, 1, 2 and so on: the number of the publication."),
        Column::count(
            "attempts_version",
            Unit::Version,
            "Version of `attempts` up to which everything published is computed, at least.",
        )
        .null_when("nothing was folded yet"),
        Column::new("watermark", Type::Instant, Unit::None, "Up to when everything had arrived."),
        Column::text(
            "terms",
            "Fingerprint of what it was made under: thresholds, profile, catalogue and the statements themselves.",
        ),
        Column::new("published_at", Type::Instant, Unit::None, "When it was made, by the clock of its host."),
        Column::text("what", "What changed and why, in words."),
    ];
    let before = "the table did not exist yet";
    for metric in METRICS {
        let (name, meaning) = (metric.table.name, "Version of the published table of that name.");
        columns
            .push(Column::count(row::version_column(name).leak(), Unit::Version, meaning).null_when(before));
    }
    for source in sources() {
        let meaning = "Version of the table of that name up to which it was read.";
        columns.push(
            Column::count(row::seen_column(source.name()).leak(), Unit::Version, meaning).null_when(before),
        );
    }
    // Behind the others, as a table that has those already gets them.
    for table in shared() {
        let meaning = "Version of the published table of that name up to which others read it.";
        columns.push(
            Column::count(row::seen_column(table.name()).leak(), Unit::Version, meaning).null_when(before),
        );
    }
    columns.push(
        Column::count(
            "live_attempts_version",
            Unit::Version,
            "Version of `attempts` up to which what is of now is computed.",
        )
        .null_when("nothing was folded yet"),
    );
    for metric in METRICS {
        let meaning = "Up to when everything in the published table of that name had arrived.";
        let column = row::as_of_column(metric.table.name).leak();
        columns.push(Column::new(column, Type::Instant, Unit::None, meaning).null_when(before));
    }
    for metric in METRICS {
        let meaning = "The published table of that name has all dates from this one on; those before it are still to come, or to \
                       be computed once more.";
        let column = row::complete_from_column(metric.table.name).leak();
        columns.push(Column::date(column, meaning).null_when("it has all dates"));
    }
    let late_from = |metric: &Metric| {
        let meaning = "Late rows have moved figures of the published table of that name from this date on, which the night will \
                       show.";
        let column = row::late_from_column(metric.table.name).leak();
        Column::date(column, meaning).null_when("there were none")
    };
    columns.extend(METRICS.iter().filter(|metric| metric.is_of_windows()).map(late_from));
    let newest_event = "When the newest event began; of a clock that runs ahead, when this was published.";
    let newest_event = Column::new("newest_event_at", Type::Instant, Unit::None, newest_event);
    columns.push(newest_event.null_when("there was no event yet"));
    let of_days = METRICS.iter().filter(|metric| metric.is_put_off() && !metric.is_of_windows());
    columns.extend(of_days.map(late_from));
    columns.extend(of_revisions());
    columns
}

/// What the terms are made of, and what they and late rows have replaced.
fn of_revisions() -> [Column; 4] {
    let part = |name, meaning| Column::text(name, meaning).null_when("it was not told yet");
    let revised = Column::text(
        "revised",
        "Dates that had closed and whose rows it replaced, a line for neighbouring ones: the table, first and last date, the \
         number that their rows have in `revision`, and why. `late_rows`: rows came late, or copies of rows were left out. \
         `catalogue`, `terms`: what it is published under has changed. `remap`: logged names were read again, and are taken for \
         others.",
    );
    let renamed = Column::text(
        "renamed",
        "Names that the catalogue tells otherwise than rows of closed dates do, a line each: `model`, `author` or `provider`, and \
         the id; and `remapped` with a date whose logged names were read again. The night shows them; `begun`: it has, but for \
         older dates that follow.",
    );
    [
        part("catalogue", "Fingerprint of the catalogue, which is part of `terms`."),
        part("settings", "Fingerprint of all else in `terms`."),
        revised.null_when("there were none"),
        renamed.null_when("there are none"),
    ]
}
