//! Sums of stored sketches as aggregates want them: a list of bins a group.

use arrow::array::BinaryBuilder;
use datafusion::common::{DataFusionError, Result};

use super::ledger::{EMPTY, append};
use super::{Limits, bin, bytes};
use crate::sketches::merging::{Merged, Merging};

pub(in crate::sketches) type Sums = Merging<Sum>;

/// (code, count) by ascending code.
type Bins = Vec<(u16, u64)>;

#[derive(Debug)]
pub(in crate::sketches) struct Sum {
    limits: Limits,
    bins: Bins,
}

#[derive(Debug, Default)]
pub(in crate::sketches) struct Room {
    read: Bins,
    merged: Bins,
}

impl Default for Sum {
    fn default() -> Self {
        Self { limits: EMPTY, bins: Bins::new() }
    }
}

impl Merged for Sum {
    type Room = Room;

    fn add(&mut self, stored: &[u8], Room { read, merged }: &mut Room) -> Result<()> {
        read.clear();
        // The zero bin is the lowest, but its count is told last.
        read.extend(bin::code(None).map(|code| (code, 0)));
        let (limits, zeros) = bytes::read(stored, |index, count| {
            // What was read has a code.
            read.extend(bin::code(Some(index)).map(|code| (code, count)));
        })
        .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let Some(Limits { min, max }) = limits else { return Ok(()) };
        let own = match read.as_mut_slice() {
            [first, ..] if zeros > 0 => {
                first.1 = zeros;
                &read[..]
            }
            [_, bins @ ..] => &*bins,
            [] => &[],
        };
        self.limits = Limits { min: self.limits.min.min(min), max: self.limits.max.max(max) };
        if self.bins.is_empty() {
            self.bins = own.to_vec();
        } else {
            merged.clear();
            bin::merge(&self.bins, own, merged);
            self.bins.clear();
            self.bins.extend_from_slice(merged);
        }
        Ok(())
    }

    fn held_bytes(&self) -> usize {
        self.bins.capacity() * size_of::<(u16, u64)>()
    }

    fn append(&self, builder: &mut BinaryBuilder, sketch: &mut Vec<u8>) {
        append(builder, self.limits, &self.bins, sketch);
    }

    fn room_bytes(room: &Room) -> usize {
        (room.read.capacity() + room.merged.capacity()) * size_of::<(u16, u64)>()
    }
}
