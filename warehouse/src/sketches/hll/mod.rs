//! HyperLogLog, p = 12: distinct counts with standard error 1.6 %.

mod bytes;
mod estimate;
mod few;
mod growing;
mod ledger;
mod ordered;
mod register;
#[cfg(test)]
mod tests;
mod union;
mod unions;
mod windows;

pub(super) use few::FewOrMany;
pub use ledger::Ledger;
pub use ordered::Ordered;
use register::{REGISTERS, SPARSE_LIMIT};
pub use union::Union;
pub(super) use unions::Unions;
pub use windows::{Window, Windows};

/// The registers that are not 0, sorted while few, all of them when many. Which it is follows from their
/// number alone, so equal sketches are equal whatever their history.
#[derive(Clone, Debug, PartialEq)]
pub struct Hll(Registers);

#[derive(Clone, Debug, PartialEq)]
enum Registers {
    /// (register, rank) by ascending register, at most `SPARSE_LIMIT`, no rank 0.
    Sparse(Vec<(u16, u8)>),
    Dense(Box<[u8; REGISTERS]>),
}

#[derive(Debug, thiserror::Error)]
#[error("not an HLL sketch: {0}")]
pub struct DecodeError(pub &'static str);

impl Default for Hll {
    fn default() -> Self {
        Self(Registers::Sparse(Vec::new()))
    }
}

/// Of many keys at once: each is one store, whatever their number.
impl FromIterator<i64> for Hll {
    fn from_iter<I: IntoIterator<Item = i64>>(keys: I) -> Self {
        let mut ranks = Box::new([0; REGISTERS]);
        for key in keys {
            let (register, rank) = register::of(key);
            let own = &mut ranks[usize::from(register) % REGISTERS];
            *own = rank.max(*own);
        }
        let used = ranks.iter().filter(|rank| **rank > 0).count();
        if used > SPARSE_LIMIT {
            return Self(Registers::Dense(ranks));
        }
        let entries = (0..).zip(ranks.iter().copied()).filter(|entry| entry.1 > 0);
        Self(Registers::Sparse(entries.collect()))
    }
}

impl Hll {
    /// Adds one key (already a keyed hash; it is mixed again).
    pub fn add(&mut self, key: i64) {
        let (register, rank) = register::of(key);
        self.raise(register, rank);
    }

    pub fn merge(&mut self, other: &Self) {
        match &other.0 {
            Registers::Sparse(entries) => entries.iter().for_each(|(reg, rank)| self.raise(*reg, *rank)),
            Registers::Dense(ranks) => {
                let own = self.make_dense();
                for (own, other) in own.iter_mut().zip(ranks.iter()) {
                    *own = (*own).max(*other);
                }
            }
        }
    }

    pub fn estimate(&self) -> f64 {
        match &self.0 {
            Registers::Sparse(entries) => estimate::distinct(entries.iter().map(|entry| entry.1)),
            Registers::Dense(ranks) => estimate::distinct(ranks.iter().copied().filter(|rank| *rank > 0)),
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match &self.0 {
            Registers::Sparse(entries) => bytes::write(&mut out, entries),
            Registers::Dense(ranks) => {
                let entries: Vec<(u16, u8)> = (0..).zip(ranks.iter().copied()).filter(|e| e.1 > 0).collect();
                bytes::write(&mut out, &entries);
            }
        }
        out
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut entries = Vec::new();
        bytes::read(bytes, |register, rank| entries.push((register, rank)))?;
        let mut sketch = Self(Registers::Sparse(entries));
        sketch.make_dense_if_many();
        Ok(sketch)
    }

    /// What the sketch of these bytes estimates.
    ///
    /// # Errors
    /// They are no sketch.
    pub fn estimate_stored(bytes: &[u8]) -> Result<f64, DecodeError> {
        if bytes::is_dense(bytes) {
            let mut ranks = [0; REGISTERS];
            bytes::raise(bytes, &mut ranks)?;
            return Ok(estimate::of_registers(&ranks));
        }
        let mut ranks = Vec::new();
        bytes::read(bytes, |_, rank| ranks.push(rank))?;
        Ok(estimate::distinct(ranks.into_iter()))
    }

    fn raise(&mut self, register: u16, rank: u8) {
        match &mut self.0 {
            Registers::Sparse(entries) => {
                match entries.binary_search_by_key(&register, |entry| entry.0) {
                    Ok(at) => entries[at].1 = entries[at].1.max(rank),
                    Err(at) => entries.insert(at, (register, rank)),
                }
                self.make_dense_if_many();
            }
            Registers::Dense(ranks) => {
                let own = &mut ranks[usize::from(register) % REGISTERS];
                *own = (*own).max(rank);
            }
        }
    }

    fn make_dense_if_many(&mut self) {
        if matches!(&self.0, Registers::Sparse(entries) if entries.len() > SPARSE_LIMIT) {
            self.make_dense();
        }
    }

    fn make_dense(&mut self) -> &mut [u8; REGISTERS] {
        if let Registers::Sparse(entries) = &self.0 {
            let mut ranks = Box::new([0; REGISTERS]);
            for (register, rank) in entries {
                ranks[usize::from(*register) % REGISTERS] = *rank;
            }
            self.0 = Registers::Dense(ranks);
        }
        match &mut self.0 {
            Registers::Dense(ranks) => ranks,
            Registers::Sparse(_) => unreachable!("just made dense"),
        }
    }
}
