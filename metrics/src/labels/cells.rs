//! One week of `label_cells`, partial rows merged.

use std::collections::{BTreeMap, HashMap};

use super::{LabelSource, Model};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CellKey<M> {
    /// Number of a word of the week.
    pub nl: u16,
    pub nl_source: LabelSource,
    pub code_out: u16,
    pub code_source: LabelSource,
    pub model: M,
    /// Epoch user key; 0 = none.
    pub user: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CellSums {
    pub n: u64,
    pub w: f64,
    pub wt: f64,
    pub wt2: f64,
    pub w_ok: f64,
}

impl CellSums {
    pub fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.w += other.w;
        self.wt += other.wt;
        self.wt2 += other.wt2;
        self.w_ok += other.w_ok;
    }
}

/// Where the partial rows of one week are merged.
#[derive(Clone, Debug)]
pub struct LabelWeek<M> {
    words: Vec<String>,
    cells: HashMap<CellKey<M>, CellSums>,
}

impl<M> Default for LabelWeek<M> {
    fn default() -> Self {
        Self { words: Vec::new(), cells: HashMap::new() }
    }
}

impl<M: Model> LabelWeek<M> {
    /// Number of a label word in this week.
    pub fn word(&mut self, text: &str) -> u16 {
        let known = self.words.iter().position(|word| word == text);
        let position = known.unwrap_or_else(|| {
            self.words.push(text.to_owned());
            self.words.len() - 1
        });
        u16::try_from(position).unwrap_or(u16::MAX)
    }

    pub fn add(&mut self, key: CellKey<M>, sums: &CellSums) {
        self.cells.entry(key).or_default().add(sums);
    }

    pub fn view(&self) -> LabelView<M> {
        let mut view = LabelView { words: self.words.clone(), ..LabelView::default() };
        let undetermined = view.find_word("und");
        for (key, sums) in &self.cells {
            let totals = view.totals.entry((key.nl_source, key.code_source)).or_default();
            totals.all.add(sums);
            if Some(key.nl) != undetermined {
                totals.known += sums.wt;
            }
            *totals.models.entry(key.model).or_insert(0.0) += sums.wt;
            view.by_nl.entry(key.nl).or_default().push((*key, *sums));
        }
        // Sums of floats depend on their order: fix it, so that equal data give equal pages.
        for cells in view.by_nl.values_mut() {
            cells.sort_by_key(|(key, _)| (key.code_out, key.model, key.user, key.nl_source, key.code_source));
        }
        view
    }
}

#[derive(Clone, Debug)]
pub struct SourceTotals<M> {
    pub all: CellSums,
    /// Tokens whose natural language is known.
    pub known: f64,
    pub models: HashMap<M, f64>,
}

impl<M> Default for SourceTotals<M> {
    fn default() -> Self {
        Self { all: CellSums::default(), known: 0.0, models: HashMap::new() }
    }
}

/// One week as the estimators read it.
#[derive(Clone, Debug)]
pub struct LabelView<M> {
    words: Vec<String>,
    pub by_nl: BTreeMap<u16, Vec<(CellKey<M>, CellSums)>>,
    pub totals: BTreeMap<(LabelSource, LabelSource), SourceTotals<M>>,
}

impl<M> Default for LabelView<M> {
    fn default() -> Self {
        Self { words: Vec::new(), by_nl: BTreeMap::new(), totals: BTreeMap::new() }
    }
}

impl<M> LabelView<M> {
    pub fn find_word(&self, text: &str) -> Option<u16> {
        self.words.iter().position(|word| word == text).and_then(|position| u16::try_from(position).ok())
    }

    pub fn text(&self, word: u16) -> &str {
        self.words.get(usize::from(word)).map_or("", String::as_str)
    }
}
