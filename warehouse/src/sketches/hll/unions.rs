//! Unions of stored sketches as aggregates want them: what is merged is large more often than what is counted (`ledger`),
//! and then all registers of a group side by side take less room, and less time to merge into, than a list of those in use.

use arrow::array::BinaryBuilder;
use datafusion::common::{DataFusionError, Result};

use super::growing::{Growing, Room};
use crate::sketches::merging::{Merged, Merging};

pub(in crate::sketches) type Unions = Merging<Growing>;

impl Merged for Growing {
    type Room = Room;

    fn add(&mut self, stored: &[u8], room: &mut Room) -> Result<()> {
        Self::add(self, stored, room).map_err(|error| DataFusionError::External(Box::new(error)))
    }

    fn held_bytes(&self) -> usize {
        Self::held_bytes(self)
    }

    fn append(&self, builder: &mut BinaryBuilder, sketch: &mut Vec<u8>) {
        if self.is_nothing() {
            return builder.append_null();
        }
        sketch.clear();
        self.write(sketch);
        builder.append_value(sketch);
    }

    fn room_bytes(room: &Room) -> usize {
        room.size()
    }
}
