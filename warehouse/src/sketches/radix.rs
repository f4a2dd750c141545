//! Sorting many numbers that differ in few of their bits: a group and a bin, side by side.

const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;
/// With fewer numbers than this, counting digits costs more than comparing.
const FEW: usize = 4 * DIGITS;

/// Sorts by digits, lowest first, and passes over bits that are the same in all. `spare` is room for as many.
pub(super) fn sort(numbers: &mut Vec<u64>, spare: &mut Vec<u64>) {
    if numbers.len() < FEW {
        numbers.sort_unstable();
        return;
    }
    let (all, any) = numbers.iter().fold((u64::MAX, 0), |(all, any), number| (all & number, any | number));
    let differing = all ^ any;
    spare.resize(numbers.len(), 0);
    let mut shift = 0;
    while shift < u64::BITS && differing >> shift != 0 {
        shift += (differing >> shift).trailing_zeros();
        by_digit(numbers, spare, shift);
        std::mem::swap(numbers, spare);
        shift += DIGIT_BITS;
    }
    spare.clear();
}

/// Puts `from` into `to`, by the digit at `shift`, otherwise in the order that they have.
fn by_digit(from: &[u64], to: &mut [u64], shift: u32) {
    let digit = |number: u64| (number >> shift) as usize % DIGITS;
    let mut places = [0_usize; DIGITS];
    for number in from {
        places[digit(*number)] += 1;
    }
    let mut before = 0;
    for place in &mut places {
        before += std::mem::replace(place, before);
    }
    for number in from {
        let place = &mut places[digit(*number)];
        to[*place] = *number;
        *place += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_sorted_whichever_bits_differ() {
        let spread = |at: u64| at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for mask in [u64::MAX, 0xff, 0xfff << 30, 0x8000_0000_0000_0001, 1 << 63, 0xffff_0000_0007] {
            for count in [0, 1, FEW as u64 - 1, FEW as u64, 30_000] {
                let mut numbers: Vec<u64> = (0..count).map(|at| spread(at) & mask | 1 << 40).collect();
                let mut expected = numbers.clone();
                expected.sort_unstable();
                sort(&mut numbers, &mut Vec::new());
                assert!(numbers == expected, "{count} numbers of the bits {mask:x}");
            }
        }
    }
}
