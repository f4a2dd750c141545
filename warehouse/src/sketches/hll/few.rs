//! Sketches of single values, of few groups or of many. Of few, each has all of its registers, and a value raises one; of many there
//! would be no room for that, and values are sorted (`Ledger`).

use arrow::array::{ArrayRef, BinaryArray, BinaryBuilder, BooleanArray};
use datafusion::common::cast::as_int64_array;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::EmitTo;

use super::register::{self, REGISTERS};
use super::{Ledger, bytes};
use crate::sketches::many;

/// Groups up to this many are few: 4 MiB of registers. Days of a year are; more would no longer stay in the processor's cache.
const FEW: usize = 1_024;

type Ranks = [u8; REGISTERS];

#[derive(Debug, Default)]
pub struct FewOrMany {
    few: Vec<Ranks>,
    many: Option<Ledger>,
}

impl FewOrMany {
    /// Makes room for groups up to this many. None: they are few.
    fn grow(&mut self, groups: usize) -> Result<Option<&mut Ledger>> {
        if self.many.is_none() && groups <= FEW {
            self.few.resize(self.few.len().max(groups), [0; REGISTERS]);
            return Ok(None);
        }
        let Self { few, many } = self;
        let ledger = match many {
            Some(ledger) => ledger,
            none => {
                let mut ledger = Ledger::default();
                ledger.grow(few.len())?;
                for (group, ranks) in few.drain(..).enumerate() {
                    ledger.add_ranks(group, &ranks);
                }
                few.shrink_to_fit();
                none.insert(ledger)
            }
        };
        ledger.grow(groups)?;
        Ok(Some(ledger))
    }
}

impl many::Ledger for FewOrMany {
    fn add(
        &mut self,
        values: &ArrayRef,
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        if let Some(ledger) = self.grow(groups)? {
            return ledger.add(values, group_indices, filter, groups);
        }
        let keys = as_int64_array(values)?;
        many::each_row(keys, group_indices, filter, |group, row| {
            let (register, rank) = register::of(keys.value(row));
            let own = &mut self.few[group][usize::from(register)];
            *own = rank.max(*own);
            Ok(())
        })
    }

    fn merge(
        &mut self,
        sketches: &BinaryArray,
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        if let Some(ledger) = self.grow(groups)? {
            return ledger.merge(sketches, group_indices, filter, groups);
        }
        many::each(sketches, group_indices, filter, |group, sketch| {
            let raised = bytes::raise(sketch, &mut self.few[group]);
            raised.map_err(|error| DataFusionError::External(Box::new(error)))
        })
    }

    fn take(&mut self, emit_to: EmitTo) -> BinaryArray {
        if let Some(ledger) = &mut self.many {
            return ledger.take(emit_to);
        }
        let taken = emit_to.take_needed(&mut self.few);
        let mut builder = BinaryBuilder::with_capacity(taken.len(), taken.len() * 16);
        let mut sketch = Vec::new();
        for ranks in taken {
            if ranks.iter().all(|rank| *rank == 0) {
                builder.append_null();
                continue;
            }
            sketch.clear();
            bytes::write_ranks(&mut sketch, &ranks);
            builder.append_value(&sketch);
        }
        builder.finish()
    }

    fn size(&self) -> usize {
        self.few.capacity() * size_of::<Ranks>() + self.many.as_ref().map_or(0, many::Ledger::size)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;

    use super::*;
    use crate::sketches::hll::Hll;
    use crate::sketches::many::Ledger as _;

    /// As it is told of groups one batch after the other, so many of them.
    fn check(groups: usize) {
        let mut own = FewOrMany::default();
        let mut expected: Vec<Hll> = (0..groups).map(|_| Hll::default()).collect();
        let (mut known, mut at) = (0, 0_i64);
        while known < groups {
            known = (known + 700).min(groups);
            // The last group of each batch has no value.
            let indices: Vec<usize> = (0..known - 1).chain(0..known / 2).collect();
            let keys: Vec<i64> = indices.iter().map(|group| *group as i64 % 5 + at).collect();
            at += 1;
            let (singles, stored) = indices.split_at(known / 3);
            for (group, key) in indices.iter().zip(&keys) {
                expected[*group].add(*key);
            }
            let values: ArrayRef = Arc::new(Int64Array::from(keys[..known / 3].to_vec()));
            own.add(&values, singles, None, known).unwrap();
            let sketches = BinaryArray::from_iter_values(keys[known / 3..].iter().map(|key| {
                let mut one = Hll::default();
                one.add(*key);
                one.to_bytes()
            }));
            own.merge(&sketches, stored, None, known).unwrap();
        }
        let first = own.take(EmitTo::First(3));
        let rest = own.take(EmitTo::All);
        let found: Vec<_> = first.iter().chain(&rest).map(|sketch| sketch.map(<[u8]>::to_vec)).collect();
        let expected: Vec<_> =
            expected.iter().map(|sketch| (*sketch != Hll::default()).then(|| sketch.to_bytes())).collect();
        assert_eq!(found, expected);
        assert_eq!(found.iter().filter(|sketch| sketch.is_none()).count(), 1, "{groups}");
    }

    #[test]
    fn sketches_are_those_of_their_values_however_many_groups_there_are() {
        for groups in [4, 700, FEW, FEW + 1, 3_000] {
            check(groups);
        }
    }

    #[test]
    fn a_register_keeps_the_highest_rank_of_its_values() {
        let keys: Vec<i64> = (0..20_000).collect();
        let mut own = FewOrMany::default();
        let values: ArrayRef = Arc::new(Int64Array::from(keys.clone()));
        own.add(&values, &vec![0; keys.len()], None, 1).unwrap();
        let expected: Hll = keys.into_iter().collect();
        assert_eq!(own.take(EmitTo::All).value(0), expected.to_bytes());
    }

    #[test]
    fn only_what_passes_the_filter_and_is_there_counts() {
        let mut own = FewOrMany::default();
        let values: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3), Some(4)]));
        let filter = BooleanArray::from(vec![Some(true), Some(true), None, Some(false)]);
        own.add(&values, &[0, 0, 1, 0], Some(&filter), 2).unwrap();
        let mut one = Hll::default();
        one.add(1);
        let found = own.take(EmitTo::All);
        assert_eq!(found.iter().collect::<Vec<_>>(), [Some(one.to_bytes().as_slice()), None]);
    }
}
