//! A new pepper on purpose.
//!
//! The new one is written beside the old, the warehouse takes its check value, and only then does it take the
//! old one's name. Wherever that is cut off, the one that the warehouse expects is there, and the next rotation
//! goes on with it.

#[cfg(test)]
mod tests;

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::place::Place;
use super::{Error, check_value, fingerprint, read, read_or_create};

/// Of the name of the new pepper until it is in its place.
const NEXT: &str = "next";

/// Keeps every other process of this host from using the pepper.
#[derive(Debug)]
pub struct Rotation {
    place: Place,
    /// The pepper with its lock. None: there is none.
    own: Option<Held>,
    next: Option<String>,
}

#[derive(Debug)]
struct Held {
    check: String,
    _file: File,
}

impl Rotation {
    /// # Errors
    /// Another process uses the pepper, or it cannot be read.
    pub fn begin(path: &Path) -> Result<Self, Error> {
        let place = Place::of(path);
        let own = match open(&place.pepper)? {
            None => None,
            Some(file) => {
                if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
                    return Err(Error::InUse { path: place.pepper });
                }
                let check = check_value(&read(&file, place.pepper.clone())?);
                Some(Held { check, _file: file })
            }
        };
        let next = check_of_next(&place)?;
        Ok(Self { place, own, next })
    }

    /// The file that the other hosts need.
    pub fn pepper(&self) -> &Path {
        &self.place.pepper
    }

    /// Check value of the pepper that is in its place.
    pub fn own(&self) -> Option<&str> {
        self.own.as_ref().map(|own| own.check.as_str())
    }

    /// Check value of the new pepper that a rotation which was cut off has left.
    pub fn left(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// What an operator is told where the pepper is not the one that the warehouse keeps.
    pub fn refusal(&self, standing: &str) -> Error {
        let (path, standing) = (self.place.pepper.clone(), fingerprint(standing));
        match self.own() {
            Some(own) => Error::OtherPepper { path, own: fingerprint(own), standing },
            None => Error::NoPepper { path, standing },
        }
    }

    /// Where the pepper of before is kept.
    pub fn kept(&self, now: DateTime<Utc>) -> Option<PathBuf> {
        self.own.as_ref().map(|_| self.place.other_pepper(&now.format("%Y%m%dT%H%M%SZ").to_string()))
    }

    /// Makes the new pepper, or takes the one that was left: a warehouse that did not answer may have taken it
    /// over. Returns its check value, which the warehouse has to hold before the pepper is put in its place.
    ///
    /// # Errors
    /// It can be neither created nor read.
    pub fn prepare(&self) -> Result<String, Error> {
        let next = self.place.other_pepper(NEXT);
        Ok(check_value(&read_or_create(&self.place.dir, &next)?))
    }

    /// Puts the new pepper in its place and keeps the old one beside it. Returns where.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn finish(self, now: DateTime<Utc>) -> Result<Option<PathBuf>, Error> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Create { path, source }
        };
        let kept = self.kept(now);
        if let Some(kept) = &kept {
            fs::hard_link(&self.place.pepper, kept).map_err(failed(kept))?;
        }
        let pepper = &self.place.pepper;
        fs::rename(self.place.other_pepper(NEXT), pepper).map_err(failed(pepper))?;
        File::open(&self.place.dir).and_then(|dir| dir.sync_all()).map_err(failed(pepper))?;
        Ok(kept)
    }

    /// Takes back what was prepared: the warehouse has another one.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn discard(self) -> Result<(), Error> {
        let path = self.place.other_pepper(NEXT);
        fs::remove_file(&path).map_err(|source| Error::Create { path, source })
    }
}

/// Where the warehouse expects the new pepper of a rotation that was cut off.
pub(super) fn unfinished(place: &Place, standing: &str) -> Option<Error> {
    let is_next = check_of_next(place).ok().flatten().is_some_and(|next| next == standing);
    is_next.then(|| Error::Unfinished { path: place.other_pepper(NEXT) })
}

fn check_of_next(place: &Place) -> Result<Option<String>, Error> {
    let path = place.other_pepper(NEXT);
    let file = open(&path)?;
    file.map(|file| read(&file, path).map(|secret| check_value(&secret))).transpose()
}

fn open(path: &Path) -> Result<Option<File>, Error> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read { path: path.to_owned(), source }),
    }
}
