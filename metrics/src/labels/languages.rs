//! Shares of natural languages, and what pages list of labels.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};

use super::sums::Wanted;
use super::{
    Dimension, LabelCell, LabelLeader, LabelPeriod, LabelWindow, Labels, LanguageShare, Languages, Missing,
    Model, monday,
};

/// Weeks of a language's series.
const WEEKS: u64 = 12;

impl<M: Model> Labels<'_, M> {
    /// Every value of a dimension seen in the newest labelled weeks, most tokens first; `und` and `none` left out.
    pub fn values(&self, dimension: Dimension) -> Vec<String> {
        let mut tokens: BTreeMap<&str, f64> = BTreeMap::new();
        for week in self.weeks.values().rev().take(8) {
            for (key, sums) in week.by_nl.values().flatten() {
                let word = match dimension {
                    Dimension::Nl => week.text(key.nl),
                    Dimension::CodeOut => week.text(key.code_out),
                };
                *tokens.entry(word).or_insert(0.0) += sums.wt;
            }
        }
        let mut values: Vec<(&str, f64)> =
            tokens.into_iter().filter(|(word, _)| !matches!(*word, "" | "und" | "none" | "other")).collect();
        values.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        values.into_iter().map(|(word, _)| word.to_owned()).collect()
    }

    /// Share of each natural language.
    ///
    /// # Errors
    /// What a window would have needed, when none holds enough labelled traffic.
    pub fn languages(&self, period: Option<LabelPeriod>) -> Result<Languages<M>, Missing> {
        let mut missing = Missing { n: Some(0), samples: self.needs.samples, users: None };
        for window in self.windows(period) {
            let (source, all) = self.sums(window, &Wanted::default());
            if all.all.n < self.needs.samples {
                missing.n = missing.n.max(Some(all.all.n));
                continue;
            }
            let codes = self.values(Dimension::Nl);
            let weeks = self.series();
            let mut rows: Vec<LanguageShare<M>> =
                codes.iter().filter_map(|code| self.language(code, window, &weeks)).collect();
            if rows.is_empty() {
                missing.n = missing.n.max(Some(all.all.n));
                continue;
            }
            rows.sort_by(|a, b| b.cell.share.total_cmp(&a.cell.share).then_with(|| a.code.cmp(&b.code)));
            self.hide_a_lone_rest(&mut rows, window);
            if rows.is_empty() {
                missing.n = missing.n.max(Some(all.all.n));
                continue;
            }
            let known = all.all_known / all.all.wt.max(f64::MIN_POSITIVE);
            let listed: f64 = rows.iter().map(|row| row.cell.share).sum();
            let served = (self.served)(window);
            return Ok(Languages {
                window,
                source,
                rows,
                other: (known - listed).max(0.0),
                undetermined: (1.0 - known).max(0.0),
                weeks,
                n: all.all.n,
                sampled: (served > 0).then(|| (all.all.wt / served as f64).min(1.0)),
            });
        }
        Err(missing)
    }

    /// What is left of the whole must not tell a single withheld language: while it is one that may not be
    /// published, the smallest listed language joins it.
    fn hide_a_lone_rest(&self, rows: &mut Vec<LanguageShare<M>>, window: LabelWindow) {
        let mut rest = self.languages_in(window);
        for row in rows.iter() {
            rest.remove(row.code.as_str());
        }
        while let (1, Some(only)) = (rest.len(), rest.first()) {
            let wanted = Wanted { nl: Some(only), code_out: None };
            if self.are_enough(&wanted, &self.sums(window, &wanted).1) {
                return;
            }
            let Some(folded) = rows.pop() else { return };
            rest.insert(folded.code);
        }
    }

    /// Known languages with labelled tokens in the window, withheld ones and `other` included.
    fn languages_in(&self, window: LabelWindow) -> BTreeSet<String> {
        let weeks = window.weeks().filter_map(|week| self.weeks.get(&week));
        let languages = weeks.flat_map(|week| {
            let seen = week.by_nl.iter().filter(|(_, cells)| cells.iter().any(|(_, sums)| sums.wt > 0.0));
            seen.map(|(word, _)| week.text(*word))
        });
        languages.filter(|word| !matches!(*word, "" | "und" | "none")).map(str::to_owned).collect()
    }

    /// Mondays of the last complete weeks that hold labels.
    fn series(&self) -> Vec<NaiveDate> {
        let running = monday(self.newest);
        let first = running.checked_sub_days(Days::new(7 * WEEKS)).unwrap_or(running);
        self.weeks.range(first..running).map(|(week, _)| *week).collect()
    }

    fn language(&self, code: &str, window: LabelWindow, weeks: &[NaiveDate]) -> Option<LanguageShare<M>> {
        let wanted = Wanted { nl: Some(code), code_out: None };
        let (source, sums) = self.sums(window, &wanted);
        if !self.are_enough(&wanted, &sums) {
            return None;
        }
        let cell = Self::cell(window, source, &sums);
        let before = self.label_cell(&wanted, window.previous());
        let weekly = weeks
            .iter()
            .map(|week| self.label_cell(&wanted, LabelWindow::week(*week)).map(|cell| cell.share));
        let models = self.models_of(window, source, &wanted, &sums);
        let leader =
            models.rows.iter().find_map(|row| Some(LabelLeader { model: row.model?, share: row.share }));
        Some(LanguageShare {
            code: code.to_owned(),
            change: before.map(|before| (cell.share - before.share) * 100.0),
            weekly: weekly.collect(),
            leader,
            cell,
        })
    }

    fn label_cell(&self, wanted: &Wanted<'_>, window: LabelWindow) -> Option<LabelCell> {
        let (source, sums) = self.sums(window, wanted);
        self.are_enough(wanted, &sums).then(|| Self::cell(window, source, &sums))
    }
}
