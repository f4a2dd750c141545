//! Tuples of names as numbers.
//!
//! Texts come by number already, with a list of those that occur. So a text is looked at once a list, and from then on a tuple is
//! numbers: of its first two names, of that pair and the third, and so on. Comparing and sorting tuples is the same with numbers.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayData, ArrayRef, AsArray, DictionaryArray, Int64Array, StringArray, UInt32Array,
};
use arrow::compute::take;
use arrow::datatypes::{Int32Type, Int64Type};
use bellwether_warehouse::tables::rollup::{Key as Column, KeyType};
use datafusion::common::{Result, internal_datafusion_err};

use crate::keys::{Mixer, Names, Rank};

/// Of nothing, in every column.
const UNKNOWN: u32 = 0;

/// Numbers tuples as they come.
pub(super) struct NameNumbers {
    columns: &'static [Column],
    values: Vec<Values>,
    /// Of all columns but the first.
    pairs: Vec<Pairs>,
}

/// The values of one column, in the order in which they came.
enum Values {
    Texts(Texts),
    Numbers(Numbers),
}

#[derive(Default)]
struct Texts {
    known: Known,
    /// The list of the last batch, and what each of it is here.
    list: Option<ArrayData>,
    listed: Vec<u32>,
}

#[derive(Default)]
struct Known {
    numbers: HashMap<String, u32>,
    texts: Vec<String>,
}

#[derive(Default)]
struct Numbers {
    numbers: HashMap<i64, u32, BuildHasherDefault<Mixer>>,
    values: Vec<i64>,
}

/// What a tuple was before a column, and the value of the column.
type Pair = (u32, u32);

#[derive(Default)]
struct Pairs {
    numbers: HashMap<Pair, u32, BuildHasherDefault<Mixer>>,
    pairs: Vec<Pair>,
}

impl NameNumbers {
    /// `columns` of the tuple.
    pub(super) fn new(columns: &'static [Column]) -> Self {
        let values = columns.iter().map(|column| match column.of {
            KeyType::Text => Values::Texts(Texts::default()),
            KeyType::Number => Values::Numbers(Numbers::default()),
        });
        let pairs = columns.iter().skip(1).map(|_| Pairs::default());
        Self { columns, values: values.collect(), pairs: pairs.collect() }
    }

    /// Puts the number of each of these rows into `numbers`. `names`: the columns of a batch, texts as a dictionary.
    pub(super) fn number(&mut self, names: &[ArrayRef], rows: &[u32], numbers: &mut Vec<u32>) -> Result<()> {
        numbers.clear();
        numbers.resize(rows.len(), UNKNOWN);
        for (at, (values, column)) in self.values.iter_mut().zip(names).enumerate() {
            let pairs = at.checked_sub(1).and_then(|at| self.pairs.get_mut(at));
            match values {
                Values::Texts(texts) => {
                    let column = dictionary(column)?;
                    let (listed, codes) = (texts.listed(column)?, column.keys());
                    pair(pairs, rows, numbers, |row| match codes.is_valid(row) {
                        true => listed.get(codes.value(row) as usize).copied().unwrap_or(UNKNOWN),
                        false => UNKNOWN,
                    });
                }
                Values::Numbers(own) => {
                    let column = column.as_primitive_opt::<Int64Type>().ok_or_else(wrong_type)?;
                    pair(pairs, rows, numbers, |row| match column.is_valid(row) {
                        true => own.number(column.value(row)),
                        false => UNKNOWN,
                    });
                }
            }
        }
        Ok(())
    }

    /// The names by rank, and the rank of each number.
    pub(super) fn finish(self) -> Result<(Names, Vec<Rank>)> {
        let mut values = self.values.iter();
        let mut rank_of = values.next().map(Values::ranks).unwrap_or_default();
        // The number at each rank.
        let mut sorted = by_rank(&rank_of);
        for (values, pairs) in values.zip(&self.pairs) {
            let own = values.ranks();
            let of_pair = |pair: &Pair| (rank_of[pair.0 as usize], own[pair.1 as usize]);
            let mut ordered: Vec<((Rank, Rank), u32)> = pairs.pairs.iter().map(of_pair).zip(0..).collect();
            ordered.sort_unstable();
            sorted = ordered.iter().map(|entry| entry.1).collect();
            rank_of = by_rank(&sorted);
        }
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        for (values, pairs) in self.values.iter().skip(1).zip(&self.pairs).rev() {
            let (before, own): (Vec<u32>, Vec<u32>) =
                sorted.iter().map(|number| pairs.pairs[*number as usize]).unzip();
            columns.push(values.column(own)?);
            sorted = before;
        }
        if let Some(first) = self.values.first() {
            columns.push(first.column(sorted)?);
        }
        columns.reverse();
        Ok((Names::sorted(self.columns, columns), rank_of))
    }
}

/// Of a column that Input made a dictionary.
fn dictionary(column: &ArrayRef) -> Result<&DictionaryArray<Int32Type>> {
    column.as_dictionary_opt::<Int32Type>().ok_or_else(wrong_type)
}

fn wrong_type() -> datafusion::common::DataFusionError {
    internal_datafusion_err!("a name in `attempts` has another type")
}

/// Goes on from the number of each row with the value of the next column.
#[inline]
fn pair(pairs: Option<&mut Pairs>, rows: &[u32], numbers: &mut [u32], mut value: impl FnMut(usize) -> u32) {
    let rows = numbers.iter_mut().zip(rows);
    match pairs {
        None => rows.for_each(|(number, row)| *number = value(*row as usize)),
        Some(pairs) => {
            rows.for_each(|(number, row)| *number = pairs.number((*number, value(*row as usize))));
        }
    }
}

/// Turns what stands at each place into the place of each.
fn by_rank(sorted: &[u32]) -> Vec<u32> {
    let mut places = vec![0; sorted.len()];
    for (place, number) in (0..).zip(sorted) {
        places[*number as usize] = place;
    }
    places
}

impl Pairs {
    #[inline]
    fn number(&mut self, pair: Pair) -> u32 {
        let next = self.pairs.len() as u32;
        let number = *self.numbers.entry(pair).or_insert(next);
        if number == next {
            self.pairs.push(pair);
        }
        number
    }
}

impl Numbers {
    #[inline]
    fn number(&mut self, value: i64) -> u32 {
        let next = self.values.len() as u32 + 1;
        let number = *self.numbers.entry(value).or_insert(next);
        if number == next {
            self.values.push(value);
        }
        number
    }
}

impl Texts {
    /// What each text of a column's list is here.
    fn listed(&mut self, column: &DictionaryArray<Int32Type>) -> Result<&[u32]> {
        let list = column.values().to_data();
        // Batches of one file have one list.
        if !self.list.as_ref().is_some_and(|last| last.ptr_eq(&list)) {
            let texts = column.values().as_string_opt::<i32>().ok_or_else(wrong_type)?;
            self.listed.clear();
            self.listed.extend(texts.iter().map(|text| text.map_or(UNKNOWN, |text| self.known.number(text))));
            self.list = Some(list);
        }
        Ok(&self.listed)
    }
}

impl Known {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        self.texts.push(text.to_owned());
        let number = self.texts.len() as u32;
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

impl Values {
    /// The rank of each number: texts by their bytes, and what is unknown last, as tables are sorted.
    fn ranks(&self) -> Vec<Rank> {
        fn ranks<T: Ord>(values: &[T]) -> Vec<Rank> {
            let mut sorted: Vec<u32> = (1..).take(values.len()).collect();
            sorted.sort_unstable_by_key(|number| &values[*number as usize - 1]);
            sorted.push(UNKNOWN);
            by_rank(&sorted)
        }
        match self {
            Self::Texts(texts) => ranks(&texts.known.texts),
            Self::Numbers(numbers) => ranks(&numbers.values),
        }
    }

    fn column(&self, numbers: Vec<u32>) -> Result<ArrayRef> {
        let values: ArrayRef = match self {
            Self::Texts(texts) => {
                let texts = texts.known.texts.iter().map(|text| Some(text.as_str()));
                Arc::new([None].into_iter().chain(texts).collect::<StringArray>())
            }
            Self::Numbers(numbers) => {
                let values = numbers.values.iter().map(|value| Some(*value));
                Arc::new([None].into_iter().chain(values).collect::<Int64Array>())
            }
        };
        Ok(take(&values, &UInt32Array::from(numbers), None)?)
    }
}
