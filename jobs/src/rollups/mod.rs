//! The rollups by what makes their rows. A family that is in one of these lists is folded, settled, recomputed, rebuilt,
//! expired and reported like all others of its list; nothing else has to know it.

mod intake;
mod making;
mod routing;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use arrow::array::RecordBatch;
use bellwether_warehouse::tables::rollup::{Family, Made, Rollup};
use bellwether_warehouse::tables::{context_speed, health, reach, usage, users};
use bellwether_warehouse::{CommitEntry, TableId};

use crate::error::Error;
use crate::statement::Statement;
use intake::Intake;
pub(crate) use making::{Listen, Recompute, Update, Updated};
use routing::Routing;

/// Made of attempts, all in one pass over them: `base` says of what.
pub(crate) const FROM_ATTEMPTS: [&Family; 7] = [
    &usage::FAMILY,
    &health::FAMILY,
    &reach::APPS,
    &reach::COUNTRIES,
    &context_speed::FAMILY,
    &users::BY_WEEK,
    &users::OF_MODELS,
];

/// Made of what the commits to `attempts` say of themselves.
pub(crate) const FROM_COMMITS: [FromCommits; 1] =
    [FromCommits { table: TableId::IntakeDaily, begin: || Box::new(Intake::default()) }];

/// Not additive: dates are computed and replaced.
pub(crate) const RECOMPUTED: [&dyn Recompute; 1] = [&Routing];

/// A table, and who adds up for it.
#[derive(Clone, Copy)]
pub(crate) struct FromCommits {
    pub table: TableId,
    begin: fn() -> Box<dyn Listen>,
}

/// What some commits say, for every table that is made of it.
#[derive(Debug)]
pub(crate) struct Told(Vec<(TableId, Box<dyn Listen>)>);

impl Default for Told {
    fn default() -> Self {
        Self(FROM_COMMITS.iter().map(|from| (from.table, (from.begin)())).collect())
    }
}

impl Told {
    pub(crate) fn add(&mut self, commit: &CommitEntry) {
        self.0.iter_mut().for_each(|(_, listener)| listener.add(commit));
    }

    /// Partial rows by table.
    pub(crate) fn rows(&self) -> Result<Vec<(TableId, RecordBatch)>, Error> {
        self.0.iter().map(|(table, listener)| Ok((*table, listener.rows()?))).collect()
    }
}

pub(crate) fn made(table: TableId) -> Option<Made> {
    table.rollup().map(|rollup| rollup.family.made)
}

/// The statement over the table `part` whose rows are at most one a key, sorted by it: of partial rows what they come
/// to, of whole ones themselves.
pub(crate) fn merged(rollup: Rollup) -> Statement {
    static TEXTS: LazyLock<BTreeMap<TableId, (String, String)>> = LazyLock::new(|| {
        let text = |rollup: Rollup| {
            let sql = match rollup.family.made {
                Made::FromAttempts | Made::FromCommits => rollup.merge(),
                Made::Recomputed => rollup.as_they_stand(),
            };
            (rollup.level.table, (format!("rows of {}", rollup.level.table.name()), sql))
        };
        TableId::ALL.into_iter().filter_map(TableId::rollup).map(text).collect()
    });
    match TEXTS.get(&rollup.level.table) {
        Some((name, sql)) => Statement { name, sql },
        None => Statement { name: rollup.level.table.name(), sql: "" },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rollup_is_in_the_list_of_what_makes_it() {
        let listed: BTreeMap<TableId, Made> = FROM_ATTEMPTS
            .into_iter()
            .flat_map(|family| family.levels)
            .map(|level| (level.table, Made::FromAttempts))
            .chain(FROM_COMMITS.map(|from| (from.table, Made::FromCommits)))
            .chain(RECOMPUTED.map(|how| (how.table(), Made::Recomputed)))
            .collect();
        let declared: BTreeMap<TableId, Made> =
            TableId::ALL.into_iter().filter_map(|table| Some((table, made(table)?))).collect();
        assert_eq!(listed, declared);
        for table in declared.into_keys() {
            let Statement { name, sql } = merged(table.rollup().unwrap());
            assert_eq!(name, format!("rows of {}", table.name()));
            assert!(sql.starts_with("SELECT"), "{sql}");
        }
    }
}
