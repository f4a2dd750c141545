//! Shares of natural languages, and what pages list of labels.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};

use super::super::Dataset;
use super::super::figure::{Figure, NotEnough};
use super::super::group::Filter;
use super::super::window::{Window, monday};
use super::cross::{Wanted, previous};
use super::{Dimension, LabelCell, LabelLeader, LabelPeriod, LabelWindow, LanguageShare, Languages};

/// Weeks of a language's series.
const WEEKS: u64 = 12;

impl Dataset {
    /// Every value of a dimension seen in the newest labelled weeks, most tokens first; `und` and `none` left out.
    pub fn label_values(&self, dimension: Dimension) -> Vec<String> {
        let mut tokens: BTreeMap<&str, f64> = BTreeMap::new();
        for week in self.labels.values().rev().take(8) {
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

    /// Share of each natural language; `Err` = no window holds enough labelled traffic.
    pub fn languages(&self, period: Option<LabelPeriod>) -> Figure<Languages> {
        self.label_memo.languages(period, || self.compute_languages(period))
    }

    fn compute_languages(&self, period: Option<LabelPeriod>) -> Figure<Languages> {
        let mut missing = NotEnough::counts(0, self.thresholds.label_samples);
        for window in self.label_windows(period) {
            let (source, all) = self.label_sums(window, &Wanted::default());
            if all.all.n < self.thresholds.label_samples {
                missing.n = missing.n.max(Some(all.all.n));
                continue;
            }
            let codes = self.label_values(Dimension::Nl);
            let weeks = self.label_weeks();
            let mut rows: Vec<LanguageShare> =
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
            let days = Window { start: window.start, end: window.end };
            let served = self.total(days, Filter::All).tokens();
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
    fn hide_a_lone_rest(&self, rows: &mut Vec<LanguageShare>, window: LabelWindow) {
        let mut rest = self.languages_in(window);
        for row in rows.iter() {
            rest.remove(row.code.as_str());
        }
        while let (1, Some(only)) = (rest.len(), rest.first()) {
            let wanted = Wanted { nl: Some(only), code_out: None };
            if self.enough(&wanted, &self.label_sums(window, &wanted).1) {
                return;
            }
            let Some(folded) = rows.pop() else { return };
            rest.insert(folded.code);
        }
    }

    /// Known languages with labelled tokens in the window, withheld ones and `other` included.
    fn languages_in(&self, window: LabelWindow) -> BTreeSet<String> {
        let weeks = window.weeks().filter_map(|week| self.labels.get(&week));
        let languages = weeks.flat_map(|week| {
            let seen = week.by_nl.iter().filter(|(_, cells)| cells.iter().any(|(_, sums)| sums.wt > 0.0));
            seen.map(|(word, _)| week.text(*word))
        });
        languages.filter(|word| !matches!(*word, "" | "und" | "none")).map(str::to_owned).collect()
    }

    /// Mondays of the last complete weeks that hold labels.
    fn label_weeks(&self) -> Vec<NaiveDate> {
        let running = monday(self.newest_date());
        let first = running.checked_sub_days(Days::new(7 * WEEKS)).unwrap_or(running);
        self.labels.range(first..running).map(|(week, _)| *week).collect()
    }

    fn language(&self, code: &str, window: LabelWindow, weeks: &[NaiveDate]) -> Option<LanguageShare> {
        let wanted = Wanted { nl: Some(code), code_out: None };
        let (source, sums) = self.label_sums(window, &wanted);
        if !self.enough(&wanted, &sums) {
            return None;
        }
        let cell = self.build_cell(window, source, &sums);
        let before = self.label_cell(&wanted, previous(window));
        let weekly = weeks.iter().map(|week| {
            let end = week.checked_add_days(Days::new(6)).unwrap_or(*week);
            let window = LabelWindow { period: LabelPeriod::Week, start: *week, end };
            self.label_cell(&wanted, window).map(|cell| cell.share)
        });
        let leader = self.cross(Some(code), None, Some(window.period)).ok().and_then(|cross| {
            let row = cross.rows.iter().find(|row| row.model.is_some())?;
            Some(LabelLeader { model: row.model?, share: row.share })
        });
        Some(LanguageShare {
            code: code.to_owned(),
            change: before.map(|before| (cell.share - before.share) * 100.0),
            weekly: weekly.collect(),
            leader,
            cell,
        })
    }

    fn label_cell(&self, wanted: &Wanted<'_>, window: LabelWindow) -> Option<LabelCell> {
        let (source, sums) = self.label_sums(window, wanted);
        self.enough(wanted, &sums).then(|| self.build_cell(window, source, &sums))
    }
}
