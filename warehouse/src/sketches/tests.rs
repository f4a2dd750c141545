//! Sketches of a loop of one's own: many groups at once, brought into an order, merged by runs.

use std::ops::Range;

use arrow::array::Array;

use super::ddsketch::{self, DdSketch};
use super::hll::{self, Hll};
use super::{Runs, radix};

const GROUPS: usize = 700;

/// (group, value); some groups have none, some zeros.
fn rows(count: usize) -> impl Iterator<Item = (usize, i64)> {
    let group = |row: usize| (row * 31 + row / 977) % GROUPS;
    (0..count).map(move |row| (group(row), (row * row % 9_973) as i64)).filter(|row| row.0 % 13 != 0)
}

/// The place of each group, and the group at each place.
fn places() -> (Vec<u32>, Vec<usize>) {
    let places: Vec<u32> = (0..GROUPS).map(|group| (group * 461 % GROUPS) as u32).collect();
    let mut groups = vec![0; GROUPS];
    for (group, place) in places.iter().enumerate() {
        groups[*place as usize] = group;
    }
    (places, groups)
}

const RUNS: [Range<usize>; 6] = [0..1, 1..2, 2..30, 30..31, 31..32, 32..GROUPS];

#[test]
fn runs_of_ordered_groups_merge_to_the_plain_sketch_of_their_values() {
    // Once sorted by comparison, once by digits, and once in several pieces.
    for count in [3_000, 60_000, 2_500_000] {
        let (places, groups) = places();
        let (mut speeds, mut users) = (ddsketch::Ledger::default(), hll::Ledger::default());
        let mut plain: Vec<(DdSketch, Hll)> = vec![Default::default(); GROUPS];
        let mut filled = vec![false; GROUPS];
        for (at, (group, value)) in rows(count).enumerate() {
            if at % 8_192 == 0 {
                speeds.grow(GROUPS).unwrap();
                users.grow(GROUPS).unwrap();
            }
            filled[group] = true;
            speeds.add_one(group, value as f64 / 7.0);
            users.add_one(group, value);
            plain[group].0.add(value as f64 / 7.0);
            plain[group].1.add(value);
        }
        let speeds = speeds.in_order(&places).merged(&RUNS);
        let users = users.in_order(&places).merged(&RUNS);
        for (at, run) in RUNS.into_iter().enumerate() {
            let (mut speed, mut user) = (DdSketch::default(), Hll::default());
            for group in &groups[run.clone()] {
                speed.merge(&plain[*group].0);
                user.merge(&plain[*group].1);
            }
            let any = groups[run.clone()].iter().any(|group| filled[*group]);
            let expected = any.then(|| (speed.to_bytes(), user.to_bytes()));
            let of = |array: &arrow::array::BinaryArray| array.is_valid(at).then(|| array.value(at).to_vec());
            assert_eq!(of(&speeds).zip(of(&users)), expected, "{count} rows, groups {run:?}");
        }
    }
}

#[test]
fn a_ledger_without_groups_has_no_sketch() {
    assert_eq!(ddsketch::Ledger::default().in_order(&[]).merged(&[]).len(), 0);
    assert_eq!(hll::Ledger::default().in_order(&[]).merged(&[]).len(), 0);
    let mut none: Vec<u64> = Vec::new();
    radix::sort(&mut none, &mut Vec::new());
    assert!(none.is_empty());
}
