//! The row of a publication, and what keeps its table from growing into very many files.

use std::collections::BTreeMap;

use bellwether_metrics::publications::{self, Publication};
use bellwether_metrics::revisions::{Reason, Revised};
use bellwether_warehouse::{Change, DataFile};

use super::{PublishedTable, Publisher, Round, Stage, advance, failed};
use crate::error::Error;
use crate::jobs::refresh;

/// As many files of a size become one: of single rows, of as many as that, and so on. More: more files to list; fewer: each
/// row is written more often.
const FILES: usize = 64;

/// Rows of another lane that may come first. More: nobody is so fast.
const TRIES: u32 = 8;

impl Publisher {
    /// Says in a row what was put. Where the other lane was first, its tables are taken as it has named them.
    pub(super) async fn announce(&mut self, round: &Round, stage: &Stage) -> Result<i64, Error> {
        let mut tries = 1;
        loop {
            refresh(&mut self.publications).await?;
            let newest = Publication::newest(self.publications.snapshot()).await.map_err(Error::metric)?;
            if !self.is_beside(round.last.as_ref(), newest.as_ref(), round) {
                return Err(Error::Overtaken { number: newest.map_or(0, |newest| newest.number) });
            }
            let publication = self.row(newest.as_ref(), round, stage, what(round, stage));
            match self.commit_row(&publication).await {
                Ok(()) => {
                    self.has_announced = true;
                    return Ok(publication.number);
                }
                Err(error) if error.is_fenced() && tries < TRIES => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    async fn commit_row(&mut self, publication: &Publication) -> Result<(), Error> {
        let mut rows = vec![publication.row().map_err(Error::metric)?];
        let crowd = crowd(self.publications.snapshot().files());
        if !crowd.is_empty() {
            let ctx = self.warehouse.session(1);
            let provider = self.publications.snapshot().provider_over(crowd.clone());
            let stands = ctx.read_table(provider).map_err(failed)?;
            rows.extend(stands.collect().await.map_err(failed)?);
        }
        let name = publications::NAME;
        let add =
            self.publications.write(&rows).await.map_err(|source| Error::Write { table: name, source })?;
        let change = Change {
            advance: vec![advance(&self.publications, publication.number)],
            add,
            remove: crowd.into_iter().map(|file| file.path).collect(),
            info: [("job".to_owned(), "publish".into())].into_iter().collect(),
            ..Change::default()
        };
        self.publications.commit(change).await.map_err(|source| Error::Commit { table: name, source })?;
        Ok(())
    }
}

/// Files of one size that are many enough to become one.
pub(super) fn crowd(files: &[DataFile]) -> Vec<DataFile> {
    let size = |file: &DataFile| file.rows.max(1).ilog(FILES as i64);
    for of_size in 0..=files.iter().map(size).max().unwrap_or_default() {
        let crowd: Vec<DataFile> = files.iter().filter(|file| size(file) == of_size).cloned().collect();
        if crowd.len() >= FILES {
            return crowd;
        }
    }
    Vec::new()
}

fn what(round: &Round, stage: &Stage) -> String {
    let mut what = Vec::new();
    match &round.last {
        None => what.push("the first publication".to_owned()),
        Some(last) if round.is_afresh => {
            what.push(format!(
                "other terms than publication {}: everything was computed afresh",
                last.number
            ));
        }
        Some(last) if round.takes_over => {
            what.push(format!("another catalogue than publication {}", last.number));
        }
        Some(_) => {}
    }
    if !round.renamed_after(stage).is_empty() {
        what.push("closed dates of some names follow at night".to_owned());
    }
    if let Some(from) = stage.froms.values().max() {
        what.push(format!("some tables begin on {from} or before: older dates follow"));
    }
    what.extend(stage.tables.iter().map(|PublishedTable { table, dates, .. }| match dates {
        0 => format!("{table}: merged into fewer files"),
        1 => format!("{table}: 1 date"),
        dates => format!("{table}: {dates} dates"),
    }));
    let mut revised: BTreeMap<(Reason, &str), i64> = BTreeMap::new();
    for Revised { table, first, last, reason, .. } in &stage.revised {
        *revised.entry((*reason, table)).or_default() += (*last - *first).num_days() + 1;
    }
    what.extend(revised.into_iter().map(|((reason, table), dates)| {
        let noun = if dates == 1 { "closed date" } else { "closed dates" };
        format!("{table}: {dates} {noun} replaced for {}", reason.words())
    }));
    if what.is_empty() {
        what.push("no published row changed".to_owned());
    }
    what.join("; ")
}
