use proptest::prelude::*;

use super::growing::{Growing, Room};
use super::register::{self, REGISTERS, SPARSE_LIMIT};
use super::{Hll, Registers, Union, Windows};

fn sketch(keys: impl IntoIterator<Item = i64>) -> Hll {
    let mut sketch = Hll::default();
    keys.into_iter().for_each(|key| sketch.add(key));
    sketch
}

#[test]
fn estimates_lie_within_three_standard_errors() {
    assert_eq!(Hll::default().estimate(), 0.0);
    // Few keys hardly collide: 100 of them in 4,096 registers are told apart but for one or two.
    for (n, tolerance) in
        [(1, 0.001), (10, 0.02), (100, 0.03), (1_000, 0.048), (10_000, 0.048), (1_000_000, 0.048)]
    {
        for offset in [0, 1 << 40, -(1 << 50)] {
            let estimate = sketch((0..n).map(|key| key + offset)).estimate();
            let error = (estimate / n as f64 - 1.0).abs();
            assert!(error <= tolerance, "{n} keys from {offset}: {estimate}");
        }
    }
}

#[test]
fn mean_error_over_many_sets_is_small() {
    for n in [50, 2_000, 10_000, 40_000] {
        let sets = 60_i64;
        let sum: f64 = (0..sets).map(|set| sketch((0..n).map(|key| (set << 32) + key)).estimate()).sum();
        let bias = sum / (sets as f64 * n as f64) - 1.0;
        // Standard error of the mean of 60 is 1.6 % / √60 = 0.21 %.
        assert!(bias.abs() < 0.007, "{n} keys: bias {bias}");
    }
}

#[test]
fn union_of_stored_sketches_estimates_as_one_sketch_of_all_keys() {
    for parts in [[0..40, 30..900, 20..21], [0..3_000, 2_500..9_000, 5..6]] {
        let mut union = Union::default();
        let mut other = Union::default();
        union.add(&sketch(parts[0].clone()).to_bytes()).unwrap();
        union.add(&sketch(parts[2].clone()).to_bytes()).unwrap();
        other.add(&sketch(parts[1].clone()).to_bytes()).unwrap();
        union.merge(&other);
        assert_eq!(union.estimate(), sketch(parts.into_iter().flatten()).estimate());
    }
    assert_eq!(Union::default().estimate(), 0.0);
    assert!(Union::default().add(&[1, 0, 1]).is_err());
}

#[test]
fn a_key_twice_counts_once() {
    let twice = sketch((0..500).chain(0..500));
    assert_eq!(twice.to_bytes(), sketch(0..500).to_bytes());
}

/// SplitMix64 of state 0 and 1 begins with e220a8397b1dcdaf and 910a2dec89025cc1 (its published first
/// outputs). 0xe22 = 3618, then 0000 1010…: rank 5. 0x910 = 2320, then 1010…: rank 1.
#[test]
fn register_and_rank_are_those_of_the_hash() {
    assert_eq!(register::of(0), (3618, 5));
    assert_eq!(register::of(1), (2320, 1));
}

/// By hand from the table in `bytes.rs`: register 2320 rank 1 is 2320 · 64 + 1 = 148481 = 0x81 0x88 0x09;
/// 3618 comes 1297 registers after its successor, 1297 · 64 + 5 = 83013 = 0xc5 0x88 0x05.
#[test]
fn sparse_bytes_are_the_reference_bytes() {
    let reference = [1, 0, 2, 0x81, 0x88, 0x09, 0xc5, 0x88, 0x05];
    assert_eq!(sketch([1, 0]).to_bytes(), reference);
    assert_eq!(Hll::from_bytes(&reference).unwrap(), sketch([0, 1]));
    assert_eq!(Hll::default().to_bytes(), [1, 0, 0]);
}

#[test]
fn dense_bytes_pack_four_ranks_into_three() {
    // Register i has rank i mod 4: 0 | 1 << 6 | 2 << 12 | 3 << 18 = 0x0c2040.
    let entries: Vec<(u16, u8)> =
        (0..REGISTERS as u16).map(|register| (register, (register % 4) as u8)).filter(|e| e.1 > 0).collect();
    let mut bytes = Vec::new();
    super::bytes::write(&mut bytes, &entries);
    let mut reference = vec![1, 1];
    reference.extend([0x40, 0x20, 0x0c].repeat(REGISTERS / 4));
    assert_eq!(bytes, reference);
    assert_eq!(Hll::from_bytes(&bytes).unwrap().to_bytes(), reference);
}

#[test]
fn the_layout_follows_from_the_number_of_registers_alone() {
    let mut sketch = Hll::default();
    let mut key = 0;
    loop {
        sketch.add(key);
        key += 1;
        let used = match &sketch.0 {
            Registers::Sparse(entries) => entries.len(),
            Registers::Dense(ranks) => ranks.iter().filter(|rank| **rank > 0).count(),
        };
        let bytes = sketch.to_bytes();
        assert_eq!(bytes[1] == 1, used > SPARSE_LIMIT);
        assert_eq!(matches!(sketch.0, Registers::Dense(_)), used > SPARSE_LIMIT);
        if used > SPARSE_LIMIT + 5 {
            assert_eq!(bytes.len(), 3074);
            break;
        }
    }
}

#[test]
fn bytes_in_any_other_form_are_refused() {
    let dense_but_few = [vec![1, 1], vec![0; 3072]].concat();
    let mut rank_too_high = [vec![1, 1], vec![0xff; 3072]].concat();
    rank_too_high[5] = 0x3e;
    for (bytes, what) in [
        (&[][..], "nothing"),
        (&[2, 0, 0], "another version"),
        (&[1, 2, 0], "another layout"),
        (&[1, 0, 1], "a missing register"),
        (&[1, 0, 1, 0], "a rank of 0"),
        (&[1, 0, 1, 54], "a rank over the bits of the hash"),
        (&[1, 0, 1, 0x81, 0x80, 0x10], "register 4096"),
        (&[1, 0, 0, 0], "a byte too many"),
        (&[1, 0, 0x81, 0x0c], "too many for sparse"),
        (&dense_but_few, "too few for dense"),
        (&rank_too_high, "a dense rank too high"),
        (&dense_but_few[..3000], "a torn dense sketch"),
    ] {
        assert!(Hll::from_bytes(bytes).is_err(), "{what}");
        assert!(Hll::estimate_stored(bytes).is_err(), "{what}");
        assert!(Union::default().add(bytes).is_err(), "{what}");
        for before in [0, 10, 5_000] {
            let mut union = Growing::default();
            union.add(&sketch(0..before).to_bytes(), &mut Room::default()).unwrap();
            assert!(union.add(bytes, &mut Room::default()).is_err(), "{what} after {before} keys");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_do_not_depend_on_the_order_of_updates_or_merges(
        sizes in prop::collection::vec(prop_oneof![Just(0_i64), 1..40_i64, 1_000..4_000_i64], 1..5),
        start in any::<i32>(),
    ) {
        // The sets overlap, and together cross the border between the layouts or not.
        let sets: Vec<Vec<i64>> = sizes
            .iter()
            .zip(0..)
            .map(|(size, set)| (0..*size).map(|key| i64::from(start) + key + set * 700).collect())
            .collect();
        let reference = sketch(sets.concat()).to_bytes();
        prop_assert_eq!(&sketch(sets.concat().into_iter().rev()).to_bytes(), &reference);
        for order in [sets.clone(), sets.iter().rev().cloned().collect()] {
            let mut merged = Hll::default();
            for set in order {
                merged.merge(&Hll::from_bytes(&sketch(set).to_bytes()).unwrap());
            }
            prop_assert_eq!(&merged.to_bytes(), &reference);
        }
        let (mut growing, mut room) = (Growing::default(), Room::default());
        for set in &sets {
            growing.add(&sketch(set.iter().copied()).to_bytes(), &mut room).unwrap();
        }
        prop_assert_eq!(growing.is_nothing(), sets.concat().is_empty());
        let mut grown = Vec::new();
        growing.write(&mut grown);
        prop_assert_eq!(&grown, &reference);
        prop_assert_eq!(Hll::estimate_stored(&reference).unwrap(), sketch(sets.concat()).estimate());
    }

    #[test]
    fn windows_estimate_what_a_sketch_of_all_their_days_does(
        days in prop::collection::vec((0..40_i32, prop_oneof![1..30_i64, 400..700_i64, 1_500..3_000_i64]), 0..12),
        ends in prop::collection::vec(0..45_i32, 1..6),
        lengths in prop::collection::vec(1..20_i32, 1..4),
        steps in 1..4_i64,
    ) {
        // A day may come several times, and people come back.
        let people = |at: usize, count: i64| (0..count).map(move |key| at as i64 * 300 + key);
        let mut windows = Windows::new(&ends, &lengths, steps);
        for (at, (day, count)) in days.iter().enumerate() {
            windows.add(*day, &sketch(people(at, *count)).to_bytes()).unwrap();
        }
        // As a second half of an aggregation sees it.
        let mut merged = Windows::new(&ends, &lengths, steps);
        for (day, sketch) in windows.sketches() {
            merged.add(day, &sketch).unwrap();
        }
        let mut expected = Vec::new();
        for end in &ends {
            for length in &lengths {
                for step in 0..steps {
                    let last = end - step as i32 * length;
                    let mut all = Hll::default();
                    for (at, (day, count)) in days.iter().enumerate() {
                        if *day <= last && *day > last - length {
                            people(at, *count).for_each(|key| all.add(key));
                        }
                    }
                    if all != Hll::default() {
                        expected.push((*end, *length, step, all.estimate()));
                    }
                }
            }
        }
        for windows in [windows, merged] {
            let found: Vec<_> = windows
                .estimates()
                .map(|(window, users)| (window.asked_end, window.days, window.step, users))
                .collect();
            prop_assert_eq!(&found, &expected);
        }
    }

    #[test]
    fn bytes_that_are_accepted_are_those_that_would_be_written(
        bytes in prop::collection::vec(any::<u8>(), 0..40),
        size in prop_oneof![0..40_i64, 1_000..4_000_i64],
        at in any::<prop::sample::Index>(),
        to in any::<u8>(),
    ) {
        let mut damaged = sketch(0..size).to_bytes();
        let at = at.index(damaged.len());
        damaged[at] = to;
        for bytes in [bytes, damaged] {
            if let Ok(sketch) = Hll::from_bytes(&bytes) {
                prop_assert_eq!(sketch.to_bytes(), bytes);
                prop_assert!(sketch.estimate() >= 0.0);
            }
        }
    }
}

#[test]
fn keys_collected_at_once_make_the_sketch_of_keys_added_one_by_one() {
    for n in [0, 1, 1_500, 2_500, 100_000] {
        assert_eq!((0..n).collect::<Hll>(), sketch(0..n), "{n} keys");
    }
}

#[test]
fn windows_that_no_calendar_has_are_left_out() {
    assert_eq!(Windows::new(&[5], &[0, -3], 2).estimates().count(), 0);
    for (end, length, steps) in [(i32::MIN, 1, 1), (i32::MAX, 1, 1), (0, i32::MAX, 3), (5, 7, 0)] {
        let mut windows = Windows::new(&[end], &[length], steps);
        windows.add(0, &sketch(0..9).to_bytes()).unwrap();
        windows.add(i32::MIN, &sketch(0..9).to_bytes()).unwrap();
        windows.add(i32::MAX, &sketch(0..9).to_bytes()).unwrap();
        assert!(windows.estimates().count() <= 1, "{end} {length}");
    }
}
