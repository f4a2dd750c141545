//! Answers over closed weeks, kept while the files of those weeks stay the same.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::super::figure::Figure;
use super::{Cross, LabelPeriod, Languages};

type CrossKey = (Option<String>, Option<String>, Option<LabelPeriod>);

#[derive(Debug, Default)]
pub(crate) struct Memo {
    crosses: Mutex<HashMap<CrossKey, Figure<Cross>>>,
    languages: Mutex<HashMap<Option<LabelPeriod>, Figure<Languages>>>,
}

/// Crosses kept; labels are closed lists, so only nonsense addresses could exceed it.
const MAX_CROSSES: usize = 4_096;

impl Memo {
    pub fn cross(
        &self,
        (nl, code, period): (Option<&str>, Option<&str>, Option<LabelPeriod>),
        compute: impl FnOnce() -> Figure<Cross>,
    ) -> Figure<Cross> {
        let key = (nl.map(str::to_owned), code.map(str::to_owned), period);
        if let Some(known) = self.crosses.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return known.clone();
        }
        let cross = compute();
        let mut crosses = self.crosses.lock().unwrap_or_else(PoisonError::into_inner);
        if crosses.len() < MAX_CROSSES {
            crosses.insert(key, cross.clone());
        }
        cross
    }

    pub fn languages(
        &self,
        period: Option<LabelPeriod>,
        compute: impl FnOnce() -> Figure<Languages>,
    ) -> Figure<Languages> {
        if let Some(known) = self.languages.lock().unwrap_or_else(PoisonError::into_inner).get(&period) {
            return known.clone();
        }
        let languages = compute();
        self.languages.lock().unwrap_or_else(PoisonError::into_inner).insert(period, languages.clone());
        languages
    }
}
