//! Sums of stored sketches as aggregates want them, a group each.
//!
//! Where one groups by all keys, most groups get no second sketch: the first one is kept as it is stored and given back so,
//! because one sketch has exactly one form. From the second one on there is a counter for each bin from the lowest to the
//! highest, to which counts are added; where those lie too far apart, a list of the bins in use.

use arrow::array::BinaryBuilder;
use datafusion::common::{DataFusionError, Result};

use super::ledger::{EMPTY, append};
use super::{DecodeError, Limits, bin, bytes};
use crate::sketches::merging::{Merged, Merging};

pub(in crate::sketches) type Sums = Merging<Sum>;

/// Bins from the lowest to the highest that have a counter each, 16 KiB of them. Milliseconds of a day are 920. More: memory
/// for nothing where one value is far off; fewer: lists, which take longer to merge into.
const MOST: usize = 2_048;

/// (code, count) by ascending code, without the zero bin.
type List = Vec<(u16, u64)>;

#[derive(Debug, Default)]
pub(in crate::sketches) enum Sum {
    #[default]
    Nothing,
    Stored(Vec<u8>),
    Added(Added),
}

/// The sum of several sketches.
#[derive(Debug)]
pub(in crate::sketches) struct Added {
    limits: Limits,
    zeros: u64,
    bins: Bins,
}

#[derive(Debug)]
enum Bins {
    /// Those of neighbouring codes, and the first code.
    Counted(u16, Vec<u64>),
    Listed(List),
}

#[derive(Debug, Default)]
pub(in crate::sketches) struct Room {
    read: List,
    merged: List,
}

impl Merged for Sum {
    type Room = Room;

    fn add(&mut self, stored: &[u8], room: &mut Room) -> Result<()> {
        self.add_stored(stored, room).map_err(|error| DataFusionError::External(Box::new(error)))
    }

    fn held_bytes(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Stored(stored) => stored.capacity(),
            Self::Added(Added { bins: Bins::Counted(_, counts), .. }) => counts.capacity() * size_of::<u64>(),
            Self::Added(Added { bins: Bins::Listed(list), .. }) => list.capacity() * size_of::<(u16, u64)>(),
        }
    }

    fn append(&self, builder: &mut BinaryBuilder, sketch: &mut Vec<u8>) {
        match self {
            Self::Nothing => builder.append_null(),
            Self::Stored(stored) => builder.append_value(stored),
            Self::Added(Added { limits, zeros, bins }) => {
                let zero_bin = bin::code(None).map(|code| (code, *zeros)).filter(|_| *zeros > 0);
                let all: List = match bins {
                    Bins::Counted(first, counts) => {
                        zero_bin.into_iter().chain(used(*first, counts)).collect()
                    }
                    Bins::Listed(list) => zero_bin.into_iter().chain(list.iter().copied()).collect(),
                };
                append(builder, *limits, &all, sketch);
            }
        }
    }

    fn room_bytes(room: &Room) -> usize {
        (room.read.capacity() + room.merged.capacity()) * size_of::<(u16, u64)>()
    }
}

impl Sum {
    fn add_stored(&mut self, stored: &[u8], room: &mut Room) -> Result<(), DecodeError> {
        match self {
            Self::Nothing => {
                // Whatever comes of it, it is to be a sketch.
                if bytes::read(stored, |_, _| ())?.0.is_some() {
                    *self = Self::Stored(stored.to_vec());
                }
                Ok(())
            }
            Self::Stored(first) => {
                let mut added = Added::default();
                added.add(first, room)?;
                added.add(stored, room)?;
                *self = Self::Added(added);
                Ok(())
            }
            Self::Added(added) => added.add(stored, room),
        }
    }
}

impl Default for Added {
    fn default() -> Self {
        Self { limits: EMPTY, zeros: 0, bins: Bins::Counted(0, Vec::new()) }
    }
}

impl Added {
    fn add(&mut self, stored: &[u8], Room { read, merged }: &mut Room) -> Result<(), DecodeError> {
        read.clear();
        let (limits, zeros) = bytes::read(stored, |index, count| {
            // What was read has a code.
            read.extend(bin::code(Some(index)).map(|code| (code, count)));
        })?;
        let Some(Limits { min, max }) = limits else { return Ok(()) };
        self.limits = Limits { min: self.limits.min.min(min), max: self.limits.max.max(max) };
        self.zeros = self.zeros.saturating_add(zeros);
        self.bins.add(read, merged);
        Ok(())
    }
}

impl Bins {
    fn add(&mut self, read: &[(u16, u64)], merged: &mut List) {
        let [(lowest, _), ..] = read else { return };
        let highest = read.last().map_or(*lowest, |bin| bin.0);
        if let Self::Counted(first, counts) = self {
            if counts.is_empty() {
                *first = *lowest;
            }
            let from = (*first).min(*lowest);
            let length =
                (usize::from(*first) + counts.len()).max(usize::from(highest) + 1) - usize::from(from);
            if length <= MOST {
                counts.splice(0..0, std::iter::repeat_n(0, usize::from(*first - from)));
                counts.resize(length, 0);
                *first = from;
                for (code, count) in read {
                    let own = &mut counts[usize::from(code - from)];
                    *own = own.saturating_add(*count);
                }
                return;
            }
            *self = Self::Listed(used(*first, counts).collect());
        }
        if let Self::Listed(list) = self {
            merged.clear();
            bin::merge(list, read, merged);
            list.clear();
            list.extend_from_slice(merged);
        }
    }
}

fn used(first: u16, counts: &[u64]) -> impl Iterator<Item = (u16, u64)> {
    (first..=u16::MAX).zip(counts).filter(|(_, count)| **count > 0).map(|(code, count)| (code, *count))
}

#[cfg(test)]
mod tests {
    use arrow::array::BinaryArray;

    use super::*;
    use crate::sketches::ddsketch::DdSketch;
    use crate::sketches::many::Ledger;

    fn sketch(values: &[f64]) -> DdSketch {
        let mut sketch = DdSketch::default();
        values.iter().for_each(|value| sketch.add(*value));
        sketch
    }

    /// Sums of some sketches of one group.
    fn sum(sketches: &[DdSketch]) -> Option<Vec<u8>> {
        let mut sums = Sums::default();
        let stored = BinaryArray::from_iter_values(sketches.iter().map(DdSketch::to_bytes));
        sums.merge(&stored, &vec![0; sketches.len()], None, 1).unwrap();
        let taken = sums.take(datafusion::logical_expr::EmitTo::All);
        taken.iter().next().flatten().map(<[u8]>::to_vec)
    }

    #[test]
    fn sums_are_the_sketch_of_all_values_however_far_apart_they_lie() {
        let near: Vec<f64> = (1..400).map(|at| f64::from(at * at % 977) / 3.0).collect();
        let lower = [0.0, -4.0, 1e-3, 2e-3, 5.0];
        let far = [1e-8, 1e12, 1e12, 1e300];
        let parts = [&near[..100], &near[100..], &lower, &[], &far, &near, &lower];
        for length in 1..=parts.len() {
            let parts = &parts[..length];
            let sketches: Vec<DdSketch> = parts.iter().map(|part| sketch(part)).collect();
            assert_eq!(sum(&sketches), Some(sketch(&parts.concat()).to_bytes()), "{length}");
            // Whatever comes first.
            let turned: Vec<DdSketch> = sketches.into_iter().rev().collect();
            assert_eq!(sum(&turned), Some(sketch(&parts.concat()).to_bytes()), "{length}, turned");
        }
    }

    #[test]
    fn one_sketch_is_given_back_as_it_was_stored_and_none_or_an_empty_one_is_nothing() {
        let one = sketch(&[1.0, 2.5, 0.0]);
        assert_eq!(sum(std::slice::from_ref(&one)), Some(one.to_bytes()));
        assert_eq!(sum(&[DdSketch::default(), one.clone(), DdSketch::default()]), Some(one.to_bytes()));
        assert_eq!(sum(&[]), None);
        assert_eq!(sum(&[DdSketch::default()]), None);
    }
}
