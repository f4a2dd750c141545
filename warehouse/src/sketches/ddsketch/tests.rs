use proptest::prelude::*;

use super::{DdSketch, bin};

fn sketch(values: &[f64]) -> DdSketch {
    let mut sketch = DdSketch::default();
    values.iter().for_each(|value| sketch.add(*value));
    sketch
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Log-normal by the sum of twelve uniforms from a fixed linear congruential generator.
fn lognormal(n: usize, sigma: f64) -> Vec<f64> {
    let mut state = 12_345_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..n).map(|_| (6.0 + sigma * ((0..12).map(|_| uniform()).sum::<f64>() - 6.0)).exp()).collect()
}

#[test]
fn quantiles_of_lognormal_values_lie_within_one_percent_of_the_exact_ones() {
    for (n, sigma) in [(1, 1.0), (2, 1.0), (10, 1.3), (1_000, 0.4), (100_000, 2.0)] {
        let mut values = lognormal(n, sigma);
        let sketch = sketch(&values);
        assert_eq!(sketch.count(), n as u64);
        values.sort_by(f64::total_cmp);
        for q in [0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0] {
            let exact = values[(q * (n - 1) as f64).floor() as usize];
            let found = sketch.quantile(q).unwrap();
            assert!((found - exact).abs() <= exact * (0.01 + 1e-12), "n {n}, q {q}: {found}, exact {exact}");
        }
        assert_eq!(sketch.quantile(0.0), Some(values[0]));
        assert_eq!(sketch.quantile(1.0), Some(values[n - 1]));
    }
}

#[test]
fn a_value_falls_into_the_bin_of_its_logarithm_over_the_whole_range() {
    let ln_gamma = (1.01_f64 / 0.99).ln();
    let mut value = 1.1e-9_f64;
    while value < 1e300 {
        let exact = value.ln() / ln_gamma;
        let found = f64::from(bin::index(value).unwrap());
        assert!(found >= exact - 1e-8 && found < exact + 1.0 + 1e-8, "{value}: {found}, exact {exact}");
        assert!((bin::middle(found as i32) - value).abs() <= value * 0.010_000_001, "{value}");
        value *= 1.003_7;
    }
    // γ^1 is 1.0202: 1 is the upper border of bin 0.
    assert_eq!([1.0, 1.000_001, 1.02, 1.021, 0.99].map(bin::index), [0, 1, 1, 2, 0].map(Some));
    assert_eq!([0.0, -3.0, 1e-9].map(bin::index), [None; 3]);
}

#[test]
fn every_bin_of_a_value_has_a_code_of_its_own() {
    let (lowest, highest) = (bin::index(bin::TINY * 1.000_001).unwrap(), bin::index(f64::MAX).unwrap());
    let codes: Vec<u16> = (lowest..=highest).map(|index| bin::code(Some(index)).unwrap()).collect();
    assert!(codes.is_sorted_by(|a, b| a < b));
    assert!(bin::code(None).unwrap() < codes[0]);
    assert_eq!(bin::of_code(bin::code(None).unwrap()), None);
    assert!(codes.iter().zip(lowest..).all(|(code, index)| bin::of_code(*code) == Some(index)));
    assert_eq!([i32::MIN, -2_048, i32::MAX].map(|index| bin::code(Some(index))), [None; 3]);
}

#[test]
fn empty_single_zero_negative_and_unusable_values_are_told_apart() {
    let empty = sketch(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
    assert_eq!((empty.count(), empty.quantile(0.5)), (0, None));
    assert_eq!(empty, DdSketch::default());
    assert_eq!(sketch(&[1234.5]).quantile(0.5), Some(1234.5));
    let mixed = sketch(&[0.0, -0.0, 100.0, -2.0, 0.0]);
    assert_eq!(mixed.count(), 5);
    assert_eq!([0.0, 0.5, 1.0].map(|q| mixed.quantile(q)), [Some(-2.0), Some(0.0), Some(100.0)]);
    assert_eq!([-0.1, 1.1, f64::NAN].map(|q| mixed.quantile(q)), [None; 3]);
    assert_eq!(sketch(&[0.0, -0.0]).to_bytes(), sketch(&[-0.0, 0.0]).to_bytes());
}

/// By hand from the table in `bytes.rs`. ln 2 / ln γ = 34.66, so 2 falls into bin 35, whose zigzag form is
/// 70 = 0x46; ln 1000 / ln γ = 345.4 gives bin 346, a distance of 311, less 1 is 310 = 0xb6 0x02;
/// ln 0.5 / ln γ = −34.66 gives bin −34, zigzag 67 = 0x43. 0.5 as IEEE is 0x3fe0_0000_0000_0000.
#[test]
fn bytes_are_the_reference_bytes() {
    for (values, reference) in [
        (&[][..], "01"),
        (&[2.0], "010502014601"),
        (&[2.0, 1000.0, 2.0], "010302e80702460 2b60201"),
        (&[0.5], "0104000000000000e03f014301"),
        (&[0.0, 0.0], "010d000200"),
        (&[2.0, 0.0], "010b000201014601"),
    ] {
        let reference = reference.replace(' ', "");
        let sketch = sketch(values);
        assert_eq!(hex(&sketch.to_bytes()), reference, "{values:?}");
        assert_eq!(DdSketch::from_bytes(&unhex(&reference)).unwrap(), sketch);
    }
}

#[test]
fn bytes_in_any_other_form_are_refused() {
    for (bytes, what) in [
        ("", "nothing"),
        ("02", "another version"),
        ("0105", "no minimum"),
        ("01050201460100", "a byte too many"),
        ("0115020146 01", "an unknown flag"),
        ("010502014600", "a count of 0"),
        ("0105020148 01", "a bin without its value"),
        ("0105820001 4601", "a number in a long form"),
        ("0104000000000000004001 4601", "a whole number as a float"),
        ("0103020201 4601", "an equal maximum written out"),
        ("0103e80702 02460 2b60201", "minimum and maximum swapped"),
        ("010d0000 00", "an empty zero bin that is flagged"),
        ("0105020246 01ffffffff0f01", "a bin over 32 bits"),
        ("010b000201 02bf9a0c01 c28d0601", "a bin −100,000, below all values"),
        ("0107020146 01", "a flag for a maximum that is left out"),
    ] {
        let bytes = unhex(&bytes.replace(' ', ""));
        assert!(DdSketch::from_bytes(&bytes).is_err(), "{what}");
    }
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        8 => 0.001..1e6_f64,
        4 => (0..5000_u32).prop_map(f64::from),
        1 => Just(0.0),
        1 => -5.0..0.0_f64,
        1 => any::<f64>(),
    ];
    prop::collection::vec(value, 0..60)
}

proptest! {
    #[test]
    fn bytes_do_not_depend_on_the_order_of_updates_or_merges(
        parts in prop::collection::vec(values(), 1..6),
        seed in any::<u64>(),
    ) {
        let all: Vec<f64> = parts.concat();
        let reference = sketch(&all).to_bytes();
        let mut shuffled = all.clone();
        shuffled.sort_by_key(|value| value.to_bits().wrapping_mul(seed | 1));
        prop_assert_eq!(&sketch(&shuffled).to_bytes(), &reference);
        for order in [parts.clone(), parts.iter().rev().cloned().collect()] {
            let mut merged = DdSketch::default();
            for part in &order {
                let part = DdSketch::from_bytes(&sketch(part).to_bytes()).unwrap();
                merged.merge(&part);
            }
            prop_assert_eq!(&merged.to_bytes(), &reference);
        }
    }

    #[test]
    fn bytes_that_are_accepted_are_those_that_would_be_written(
        bytes in prop::collection::vec(any::<u8>(), 0..40),
        values in values(),
        at in any::<prop::sample::Index>(),
        to in any::<u8>(),
    ) {
        let mut damaged = sketch(&values).to_bytes();
        let at = at.index(damaged.len());
        damaged[at] = to;
        for bytes in [bytes, damaged] {
            if let Ok(sketch) = DdSketch::from_bytes(&bytes) {
                prop_assert_eq!(sketch.to_bytes(), bytes);
                sketch.quantile(0.5);
            }
        }
    }
}

#[test]
fn a_value_added_many_times_is_that_many_values() {
    let (mut at_once, mut one_by_one) = (DdSketch::default(), DdSketch::default());
    for (value, times) in [(0.0, 2), (12.5, 3), (12.6, 1), (7.0, 0), (f64::NAN, 4)] {
        at_once.add_times(value, times);
        (0..times).for_each(|_| one_by_one.add(value));
    }
    assert_eq!(at_once, one_by_one);
    assert_eq!(at_once.count(), 6);
}
