//! Tuples numbered over several batches, against the same tuples sorted as texts.

use std::collections::BTreeSet;

use arrow::array::{DictionaryArray, Int32Array};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::*;

const COLUMNS: &[Column] = &[Column::text("a"), Column::text("b"), Column::number("c"), Column::text("d")];

/// Unknown sorts last, as in the tables.
type Tuple =
    (bool, Option<&'static str>, bool, Option<&'static str>, bool, Option<i64>, bool, Option<&'static str>);

fn tuple(a: Option<&'static str>, b: Option<&'static str>, c: Option<i64>, d: Option<&'static str>) -> Tuple {
    (a.is_none(), a, b.is_none(), b, c.is_none(), c, d.is_none(), d)
}

fn texts(values: impl Iterator<Item = Option<&'static str>>) -> ArrayRef {
    let list = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    cast(&values.collect::<StringArray>(), &list).unwrap()
}

fn columns(tuples: &[Tuple]) -> Vec<ArrayRef> {
    vec![
        texts(tuples.iter().map(|tuple| tuple.1)),
        texts(tuples.iter().map(|tuple| tuple.3)),
        Arc::new(tuples.iter().map(|tuple| tuple.5).collect::<Int64Array>()),
        texts(tuples.iter().map(|tuple| tuple.7)),
    ]
}

#[test]
fn tuples_of_several_batches_come_out_sorted_and_each_row_finds_its_own() {
    let (a, b, d) = ([Some("m"), None, Some("é"), Some("Z")], [None, Some("x")], [Some("y"), Some(""), None]);
    let c = [Some(7), Some(-7), None, Some(i64::MIN)];
    let all: Vec<Tuple> = (0..2_000_usize)
        .map(|row| (row * row + row / 3) % 96)
        .map(|of| tuple(a[of % 4], b[of / 4 % 2], c[of / 8 % 4], d[of / 32]))
        .collect();
    let mut numbers = NameNumbers::new(COLUMNS);
    let mut numbered: Vec<(u32, Tuple)> = Vec::new();
    let mut of_batch = Vec::new();
    for (at, batch) in all.chunks(700).enumerate() {
        // Of the last batch every other row: a list may hold what no row has that is wanted.
        let rows: Vec<u32> = (0..batch.len() as u32).step_by(1 + at / 2).collect();
        numbers.number(&columns(batch), &rows, &mut of_batch).unwrap();
        numbered.extend(of_batch.iter().zip(&rows).map(|(number, row)| (*number, batch[*row as usize])));
    }
    let (names, rank_of) = numbers.finish().unwrap();

    let expected: Vec<Tuple> =
        numbered.iter().map(|row| row.1).collect::<BTreeSet<_>>().into_iter().collect();
    assert!(expected.len() > 40, "{}", expected.len());
    let ranks = UInt32Array::from_iter_values(0..expected.len() as u32);
    let found = |name: &str| names.column(name, &ranks).unwrap().unwrap();
    let text = |name: &str| -> Vec<Option<String>> {
        found(name).as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
    };
    let wanted = |of: fn(&Tuple) -> Option<&'static str>| -> Vec<Option<String>> {
        expected.iter().map(|tuple| of(tuple).map(str::to_owned)).collect()
    };
    assert_eq!(text("a"), wanted(|tuple| tuple.1));
    assert_eq!(text("b"), wanted(|tuple| tuple.3));
    assert_eq!(text("d"), wanted(|tuple| tuple.7));
    let own: Vec<Option<i64>> = found("c").as_primitive::<Int64Type>().iter().collect();
    assert_eq!(own, expected.iter().map(|tuple| tuple.5).collect::<Vec<_>>());
    for (number, tuple) in numbered {
        assert_eq!(expected[rank_of[number as usize] as usize], tuple);
    }
}

#[test]
fn a_list_with_an_unknown_text_and_one_that_no_row_has_gives_the_same_numbers() {
    const ONE: &[Column] = &[Column::text("a"), Column::text("b")];
    let list: ArrayRef = Arc::new(StringArray::from(vec![Some("never"), None, Some("x")]));
    let keys = Int32Array::from(vec![Some(2), Some(1), None, Some(2)]);
    let column: ArrayRef = Arc::new(DictionaryArray::new(keys, list));
    let mut names = NameNumbers::new(ONE);
    let mut numbers = Vec::new();
    names.number(&[Arc::clone(&column), column], &[0, 1, 2, 3], &mut numbers).unwrap();
    assert_eq!((numbers[0], numbers[1]), (numbers[3], numbers[2]));
    let (names, rank_of) = names.finish().unwrap();
    assert_eq!(rank_of.len(), 2);
    let first = names.column("a", &UInt32Array::from(vec![0, 1])).unwrap().unwrap();
    let first = first.as_string::<i32>();
    assert_eq!((first.value(0), first.is_valid(1)), ("x", false));
}
