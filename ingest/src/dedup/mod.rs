//! Recognises events that were sent twice: a window of fingerprints per partition.
//!
//! The window after offset T is a function of the rows below T alone: the ids of as many of the newest offsets
//! as fit. So it can be rebuilt from the table, and a replay decides like the first run did. The running batch's
//! ids are in it too; when that batch is not committed, the window is dropped with it and rebuilt.
//!
//! A fingerprint is 64 bits of BLAKE3. With 2 M of them in the window, a new event is mistaken for an old one
//! with a probability of 2 M / 2⁶⁴ ≈ 10⁻¹³.

mod dates;
mod mark;
mod newest;
mod reach;
mod rebuild;

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

pub use dates::{Dates, Error as DatesError};
pub use mark::Mark;
pub use reach::Wanted;
pub use rebuild::{Error as RebuildError, rebuild};

use mark::Former;

/// First 64 bits of the BLAKE3 hash of an event id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    pub fn of(event_id: &str) -> Self {
        let mut short = [0; 8];
        short.copy_from_slice(&blake3::hash(event_id.as_bytes()).as_bytes()[..8]);
        Self(u64::from_le_bytes(short))
    }
}

/// A fingerprint is a hash already.
#[derive(Debug, Default)]
pub struct AsIs(u64);

impl Hasher for AsIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

pub type Fingerprints = HashSet<Fingerprint, BuildHasherDefault<AsIs>>;

/// What a stream knows of the past.
#[derive(Debug)]
pub enum Seen {
    /// A log whose duplicates come soon after their first copy.
    Window(Window),
    /// Imported files: everything the table holds of the dates they touch.
    Dates(Dates),
}

impl Seen {
    /// Adds a row of `offset` that began at `started_at_us`. False: it was there.
    pub fn insert(&mut self, offset: i64, started_at_us: i64, mark: Mark) -> bool {
        match self {
            Self::Window(window) => window.insert(offset, mark),
            Self::Dates(dates) => dates.insert(started_at_us, mark),
        }
    }

    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Window(window) => window.size_bytes(),
            Self::Dates(dates) => dates.size_bytes(),
        }
    }
}

impl From<Window> for Seen {
    fn from(window: Window) -> Self {
        Self::Window(window)
    }
}

/// The ids of the newest offsets of one partition, at most `limit` of them.
#[derive(Debug, Default)]
pub struct Window {
    limit: usize,
    seen: Fingerprints,
    /// Oldest first.
    order: VecDeque<Fingerprint>,
    /// Beside `order`: whether this id is the first of its offset.
    begins_offset: VecDeque<bool>,
    newest_offset: Option<i64>,
}

impl Window {
    pub fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    pub fn contains(&self, id: Fingerprint) -> bool {
        self.seen.contains(&id)
    }

    /// Adds a row of `offset`, which is not below any offset added before. False: it was there.
    pub fn insert(&mut self, offset: i64, mark: impl Into<Mark>) -> bool {
        let Mark { id, former } = mark.into();
        if former.is_some_and(|former| matches!(former, Former::Asks(id) if self.contains(id))) {
            return false;
        }
        let is_new = self.insert_one(offset, id);
        if is_new && let Some(Former::Bears(id)) = former {
            self.insert_one(offset, id);
        }
        is_new
    }

    fn insert_one(&mut self, offset: i64, id: Fingerprint) -> bool {
        let begins = self.newest_offset != Some(offset);
        if !self.push(id, begins) {
            return false;
        }
        self.newest_offset = Some(offset);
        true
    }

    fn push(&mut self, id: Fingerprint, begins_offset: bool) -> bool {
        if !self.seen.insert(id) {
            return false;
        }
        self.order.push_back(id);
        self.begins_offset.push_back(begins_offset);
        while self.order.len() > self.limit && self.forget_oldest() {}
        true
    }

    /// These ids as the newer ones behind those of an earlier log, at most `limit` in all. Offsets go on as here.
    pub fn behind(self, mut earlier: Self, limit: usize) -> Self {
        earlier.limit = limit;
        for (id, begins) in self.order.into_iter().zip(self.begins_offset) {
            earlier.push(id, begins);
        }
        earlier.newest_offset = self.newest_offset;
        earlier
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Bytes held, for the memory budget.
    pub fn size_bytes(&self) -> usize {
        set_bytes(&self.seen) + self.order.capacity() * 8 + self.begins_offset.capacity()
    }

    /// Removes all ids of the oldest offset. False: the newest is the only one, and it stays.
    fn forget_oldest(&mut self) -> bool {
        let ids = 1 + self.begins_offset.iter().skip(1).take_while(|begins| !**begins).count();
        if ids >= self.order.len() {
            return false;
        }
        for id in self.order.drain(..ids) {
            self.seen.remove(&id);
        }
        self.begins_offset.drain(..ids);
        true
    }
}

fn set_bytes(set: &Fingerprints) -> usize {
    // A fingerprint and a control byte for each slot, of which seven in eight may be used.
    set.capacity() * 8 / 7 * 9
}

#[cfg(test)]
mod tests;
