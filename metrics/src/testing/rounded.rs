//! What is told of a model at a provider where users are asked for, by a loop over cells.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::RangeInclusive;

use chrono::NaiveDate;

use super::{Cell, World};

/// Percents of what the model or the provider has, of the less; all other amounts are parts of one of these.
const OF_EITHER: [&str; 9] = [
    "requests",
    "input_tokens",
    "output_tokens",
    "input_images",
    "input_audio",
    "input_video",
    "output_images",
    "tool_calls",
    "web_searches",
];

impl World {
    /// Whether pairs of model and provider are told in whole percents.
    pub(crate) fn is_rough(&self) -> bool {
        self.terms.users > 0
    }

    /// Kind and key of the rows of a dimension, each with what one cell gives it. Of what is told roughly one cell stands for
    /// all of a day.
    pub(crate) fn told(
        &self,
        dimension: &str,
        days: &RangeInclusive<NaiveDate>,
    ) -> Vec<((String, String), Cell)> {
        let cells = self.cells.iter().filter(|cell| days.contains(&cell.date));
        let cells = cells.map(|cell| (self.place(cell, dimension), cell.clone()));
        if dimension != "model_provider" || !self.is_rough() {
            return cells.collect();
        }
        let pairs = self.rough_pairs(days).into_iter().map(|(key, cell)| (("key".to_owned(), key), cell));
        cells.filter(|((kind, _), _)| kind != "key").chain(pairs).collect()
    }

    fn rough_pairs(&self, days: &RangeInclusive<NaiveDate>) -> Vec<(String, Cell)> {
        let mut pairs: BTreeMap<(NaiveDate, String), Cell> = BTreeMap::new();
        let mut wholes: BTreeMap<(NaiveDate, &str, String), Cell> = BTreeMap::new();
        for cell in self.cells.iter().filter(|cell| days.contains(&cell.date)) {
            for dimension in ["model", "provider"] {
                let (_, key) = self.place(cell, dimension);
                add(wholes.entry((cell.date, dimension, key)), cell);
            }
            if let (kind, key) = self.place(cell, "model_provider")
                && kind == "key"
            {
                add(pairs.entry((cell.date, key)), cell);
            }
        }
        let rough = |((date, key), pair): ((NaiveDate, String), Cell)| {
            let (model, provider) = (pair.model.unwrap().to_owned(), pair.provider.unwrap().to_owned());
            let told = rough(&pair, &wholes[&(date, "model", model)], &wholes[&(date, "provider", provider)]);
            (key, told)
        };
        pairs.into_iter().map(rough).collect()
    }
}

fn add<K: Ord>(entry: Entry<'_, K, Cell>, cell: &Cell) {
    entry
        .and_modify(|sums| {
            for (name, count) in &cell.counts {
                *sums.counts.get_mut(name).unwrap() += count;
            }
            sums.cost += cell.cost;
            sums.unserved = sums.unserved.zip(cell.unserved).map(|(sum, own)| sum + own);
        })
        .or_insert_with(|| cell.clone());
}

fn rough(pair: &Cell, model: &Cell, provider: &Cell) -> Cell {
    let mut told = pair.clone();
    for name in OF_EITHER {
        let whole = i128::from(model.counts[name].min(provider.counts[name]));
        *told.counts.get_mut(name).unwrap() = narrow(percents(pair.counts[name].into(), whole, whole));
    }
    let whole = model.cost.min(provider.cost);
    told.cost = percents(pair.cost, whole, whole);
    told.unserved = pair.unserved.map(|part| percents(part, pair.cost, told.cost));
    for (name, part) in pair.counts.iter().filter(|(name, _)| !OF_EITHER.contains(&name.as_str())) {
        let whole = match name.as_str() {
            "cached_input_tokens" | "cache_write_tokens" => "input_tokens",
            "reasoning_tokens" => "output_tokens",
            "unpriced_tokens" => "tokens",
            _ => "requests",
        };
        let (whole, of) = (i128::from(pair.count(whole)), i128::from(told.count(whole)));
        told.counts.insert(name.clone(), narrow(percents((*part).into(), whole, of)));
    }
    told
}

fn percents(part: i128, whole: i128, told: i128) -> i128 {
    let percents = if whole == 0 { 0.0 } else { (part as f64 * 100.0 / whole as f64 + 0.5).floor() };
    told * percents as i128 / 100
}

fn narrow(count: i128) -> i64 {
    i64::try_from(count).unwrap()
}
