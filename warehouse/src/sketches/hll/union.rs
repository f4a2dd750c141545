//! The union of many stored sketches, read straight into registers.

use super::register::REGISTERS;
use super::{DecodeError, bytes, estimate};

/// All registers, because a union of many is soon dense; one allocation however many are added.
#[derive(Clone, Debug)]
pub struct Union(Box<[u8; REGISTERS]>);

impl Default for Union {
    fn default() -> Self {
        Self(Box::new([0; REGISTERS]))
    }
}

impl Union {
    /// Adds a stored sketch. After an error, what could be read of it may be in the union.
    pub fn add(&mut self, stored: &[u8]) -> Result<(), DecodeError> {
        bytes::raise(stored, &mut self.0)
    }

    pub fn merge(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(other.0.iter()) {
            *own = (*own).max(*other);
        }
    }

    pub fn estimate(&self) -> f64 {
        estimate::of_registers(&self.0)
    }
}
