//! A union that begins small: a list of the registers in use while they are few, all of them from then on.

use super::register::REGISTERS;
use super::{DecodeError, bytes};

/// Registers in use from which on all are kept. More: a list that takes longer to merge into; fewer: more memory for
/// small unions, 4 KiB each.
const MANY: usize = 512;

/// (register, rank) by ascending register.
type Entries = Vec<(u16, u8)>;

#[derive(Debug, Default)]
pub(in crate::sketches) enum Growing {
    #[default]
    Nothing,
    Few(Entries),
    Many(Box<[u8; REGISTERS]>),
}

/// Room to read and to merge in, empty of meaning.
#[derive(Debug, Default)]
pub(in crate::sketches) struct Room {
    read: Entries,
    merged: Entries,
}

impl Growing {
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// Of what it points to.
    pub(super) fn held_bytes(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Few(entries) => entries.capacity() * size_of::<(u16, u8)>(),
            Self::Many(_) => REGISTERS,
        }
    }

    /// Adds a stored sketch.
    pub(super) fn add(&mut self, stored: &[u8], room: &mut Room) -> Result<(), DecodeError> {
        if let Self::Many(ranks) = self {
            return bytes::raise(stored, ranks);
        }
        if bytes::is_dense(stored) {
            let mut ranks = self.ranks();
            bytes::raise(stored, &mut ranks)?;
            *self = Self::Many(ranks);
            return Ok(());
        }
        let Room { read, merged } = room;
        read.clear();
        bytes::read(stored, |register, rank| read.push((register, rank)))?;
        match self {
            _ if read.is_empty() => {}
            Self::Few(entries) => {
                merge(entries, read, merged);
                entries.clear();
                entries.extend_from_slice(merged);
            }
            _ => *self = Self::Few(read.as_slice().to_vec()),
        }
        if matches!(self, Self::Few(entries) if entries.len() >= MANY) {
            *self = Self::Many(self.ranks());
        }
        Ok(())
    }

    /// Brings each rank to that of the union, where this is higher.
    pub(super) fn raise(&self, ranks: &mut [u8; REGISTERS]) {
        match self {
            Self::Nothing => {}
            Self::Few(entries) => {
                for (register, rank) in entries {
                    let own = &mut ranks[usize::from(*register) % REGISTERS];
                    *own = (*own).max(*rank);
                }
            }
            Self::Many(all) => {
                for (own, rank) in ranks.iter_mut().zip(all.iter()) {
                    *own = (*own).max(*rank);
                }
            }
        }
    }

    /// Of nothing, the sketch of nobody.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Nothing => bytes::write(out, &[]),
            Self::Few(entries) => bytes::write(out, entries),
            Self::Many(ranks) => bytes::write_ranks(out, ranks),
        }
    }

    fn ranks(&self) -> Box<[u8; REGISTERS]> {
        let mut ranks = Box::new([0; REGISTERS]);
        self.raise(&mut ranks);
        ranks
    }
}

impl Room {
    pub(super) fn size(&self) -> usize {
        (self.read.capacity() + self.merged.capacity()) * size_of::<(u16, u8)>()
    }
}

/// Of one register the higher rank.
fn merge(one: &[(u16, u8)], other: &[(u16, u8)], merged: &mut Entries) {
    merged.clear();
    let (mut a, mut b) = (0, 0);
    while let (Some(x), Some(y)) = (one.get(a), other.get(b)) {
        merged.push(match x.0.cmp(&y.0) {
            std::cmp::Ordering::Less => *x,
            std::cmp::Ordering::Equal => (x.0, x.1.max(y.1)),
            std::cmp::Ordering::Greater => *y,
        });
        a += usize::from(x.0 <= y.0);
        b += usize::from(y.0 <= x.0);
    }
    merged.extend_from_slice(&one[a..]);
    merged.extend_from_slice(&other[b..]);
}
