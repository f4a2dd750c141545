//! Keyed hashes of callers' ids. The ids themselves are never stored.
//!
//! The secrets lie in a folder outside the warehouse, each in a file of mode 0600: the pepper for
//! the stable keys of `attempts`, and one secret per label epoch. An epoch's secret is independent of every
//! other, so destroying its file makes the epoch's user keys unlinkable for good.
//!
//! Whoever uses the pepper holds a shared lock on its file, so that no other is put in its place meanwhile.

mod place;
mod rotate;

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bellwether_warehouse::tables::label_cells::{epoch_of_day, week_of_day};
use bellwether_warehouse::{Moment, World};
use uuid::Uuid;
use zeroize::Zeroizing;

use place::Place;
pub use rotate::Rotation;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A secret that was destroyed is forgotten, and wiped from memory, so much later at most.
const LOOK_FOR_DESTROYED: Duration = Duration::from_secs(60);

type Secret = Zeroizing<[u8; 32]>;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("failed to read the secret `{path}`")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("failed to create the secret `{path}`; make its folder writable for this user")]
    Create {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("secret `{path}` has {size_bytes} bytes instead of 32; restore it from a backup")]
    Malformed { path: PathBuf, size_bytes: u64 },
    #[error("secret `{path}` can be read by others (mode {mode:04o}); run `chmod 600 {path}`")]
    Exposed { path: PathBuf, mode: u32 },
    #[error(
        "the pepper `{path}` has the fingerprint {own}, but the tables hold keys of the one with {standing}; copy \
         that file from a host that ingests into them"
    )]
    OtherPepper { path: PathBuf, own: String, standing: String },
    #[error(
        "there is no pepper `{path}`, and the tables hold keys of the one with the fingerprint {standing}; copy \
         that file from a host that ingests into them"
    )]
    NoPepper { path: PathBuf, standing: String },
    #[error(
        "the tables hold keys of the pepper in `{path}`, which a rotation that was cut off did not put in its \
         place; run `bellwether keys rotate` again to finish it"
    )]
    Unfinished { path: PathBuf },
    #[error("the pepper `{path}` is being rotated; start again when that is done")]
    Rotating { path: PathBuf },
    #[error(
        "another process on this host uses the pepper `{path}`; stop it, and all others that ingest into the \
         warehouse, on every host"
    )]
    InUse { path: PathBuf },
}

/// Hashes ids with the secrets of one host.
pub struct Identities {
    place: Place,
    pepper: Secret,
    /// With a shared lock, where the file system knows locks.
    _held: File,
    epochs: Mutex<Epochs>,
}

/// Secrets that were used, until their files are gone.
#[derive(Default)]
struct Epochs {
    secrets: HashMap<i64, Secret>,
    looked_at: Option<Moment>,
    world: World,
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identities").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Identities {
    /// Opens the secrets at `path`, a folder or the file of the pepper in one, creating folder and pepper on first
    /// use.
    ///
    /// # Errors
    /// When a secret cannot be read or created, is damaged, or is readable by other users.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let place = Place::of(path);
        let absent = || ErrorKind::NotFound.into();
        read_or_create(&place.dir, &place.pepper)?;
        Self::open_existing(path)?.ok_or_else(|| Error::Read { path: place.pepper, source: absent() })
    }

    /// Opens the secrets at `path`, changing nothing. None: there is no pepper yet.
    ///
    /// # Errors
    /// When the pepper cannot be read, is damaged, or is readable by other users.
    pub fn open_existing(path: &Path) -> Result<Option<Self>, Error> {
        let place = Place::of(path);
        let path = place.pepper.clone();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::Read { path, source }),
        };
        if matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            return Err(Error::Rotating { path });
        }
        let pepper = read(&file, path)?;
        Ok(Some(Self { place, pepper, _held: file, epochs: Mutex::default() }))
    }

    /// The folder that has to be writable: of the pepper, until it is there, and of the secrets of label epochs.
    pub fn folder(path: &Path) -> PathBuf {
        Place::of(path).dir
    }

    /// What the warehouse keeps of the pepper, so that all who write keys into it have the same. It tells nothing
    /// about the pepper or the keys.
    pub fn check_value(&self) -> String {
        check_value(&self.pepper)
    }

    /// Refuses a pepper whose check value is not the one that the warehouse keeps.
    ///
    /// # Errors
    /// Names both by their fingerprints.
    pub fn compare(&self, standing: &str) -> Result<(), Error> {
        let own = self.check_value();
        if own == standing {
            return Ok(());
        }
        let unfinished = rotate::unfinished(&self.place, standing);
        Err(unfinished.unwrap_or_else(|| Error::OtherPepper {
            path: self.place.pepper.clone(),
            own: fingerprint(&own),
            standing: fingerprint(standing),
        }))
    }

    /// What an operator is told where the warehouse keeps a check value and there is no pepper at `path`.
    pub fn missing(path: &Path, standing: &str) -> Error {
        let place = Place::of(path);
        let unfinished = rotate::unfinished(&place, standing);
        unfinished.unwrap_or_else(|| Error::NoPepper { path: place.pepper, standing: fingerprint(standing) })
    }

    pub fn user(&self, id: &str) -> i64 {
        hash64(&self.pepper, "user", id.as_bytes())
    }

    pub fn api_key(&self, id: &str) -> i64 {
        hash64(&self.pepper, "api_key", id.as_bytes())
    }

    pub fn org(&self, id: &str) -> i64 {
        hash64(&self.pepper, "org", id.as_bytes())
    }

    /// The user's key inside one label epoch; `user_key` is the stable key that `user` gave.
    ///
    /// # Errors
    /// When the epoch's secret cannot be read or created.
    pub fn label_user(&self, epoch: i64, user_key: i64) -> Result<i64, Error> {
        self.with_epoch(epoch, |secret| {
            hash64(secret, &format!("label-user/{epoch}"), &user_key.to_le_bytes())
        })
    }

    /// A number that orders rows of an epoch without telling where they came from.
    ///
    /// # Errors
    /// As `label_user`.
    pub(crate) fn label_order(&self, epoch: i64, row: &[u8]) -> Result<i64, Error> {
        self.with_epoch(epoch, |secret| hash64(secret, &format!("label-order/{epoch}"), row))
    }

    fn with_epoch<T>(&self, epoch: i64, hash: impl FnOnce(&Secret) -> T) -> Result<T, Error> {
        let mut epochs = self.epochs.lock().unwrap_or_else(PoisonError::into_inner);
        if epochs.looked_at.is_none_or(|at| epochs.world.since(at) >= LOOK_FOR_DESTROYED) {
            epochs.looked_at = Some(epochs.world.now());
            epochs.secrets.retain(|epoch, _| self.place.dir.join(epoch_file(*epoch)).exists());
        }
        if let Some(secret) = epochs.secrets.get(&epoch) {
            return Ok(hash(secret));
        }
        let dir = &self.place.dir;
        let secret = read_or_create(dir, &dir.join(epoch_file(epoch)))?;
        Ok(hash(epochs.secrets.entry(epoch).or_insert(secret)))
    }
}

fn epoch_file(epoch: i64) -> String {
    format!("label-{epoch}.key")
}

/// Days since the Unix epoch of the Monday of an instant's ISO week (UTC).
pub fn week_of(micros: i64) -> i64 {
    week_of_day(micros.div_euclid(MICROS_PER_DAY))
}

/// Number of the label epoch that an instant lies in: 28 days each, from Monday 1970-01-05 on.
pub fn epoch_of(micros: i64) -> i64 {
    epoch_of_day(micros.div_euclid(MICROS_PER_DAY))
}

fn check_value(pepper: &Secret) -> String {
    blake3::keyed_hash(pepper, b"check").to_hex().to_string()
}

/// Enough of a check value to tell two apart by eye.
pub fn fingerprint(check_value: &str) -> String {
    check_value.chars().filter(char::is_ascii_hexdigit).take(12).collect()
}

fn hash64(secret: &Secret, domain: &str, message: &[u8]) -> i64 {
    let mut hasher = blake3::Hasher::new_keyed(secret);
    hasher.update(domain.as_bytes());
    hasher.update(&[0]);
    hasher.update(message);
    let mut first = [0; 8];
    hasher.finalize_xof().fill(&mut first);
    i64::from_le_bytes(first)
}

fn read_or_create(dir: &Path, path: &Path) -> Result<Secret, Error> {
    loop {
        match File::open(path) {
            Ok(file) => return read(&file, path.to_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(Error::Read { path: path.to_owned(), source }),
        }
        match create(dir, path) {
            Ok(()) => {}
            // Another process was first: its secret holds.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(source) => return Err(Error::Create { path: path.to_owned(), source }),
        }
    }
}

fn read(mut file: &File, path: PathBuf) -> Result<Secret, Error> {
    let metadata = match file.metadata() {
        Ok(metadata) => metadata,
        Err(source) => return Err(Error::Read { path, source }),
    };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Error::Exposed { path, mode });
    }
    if metadata.len() != 32 {
        return Err(Error::Malformed { path, size_bytes: metadata.len() });
    }
    let mut secret = Zeroizing::new([0; 32]);
    match file.read_exact(secret.as_mut_slice()) {
        Ok(()) => Ok(secret),
        Err(source) => Err(Error::Read { path, source }),
    }
}

/// Writes a new secret so that the final name only ever shows a whole one.
#[expect(clippy::disallowed_methods, reason = "a seed that is given must not decide a secret")]
fn create(dir: &Path, path: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let temporary = path.with_extension(format!("{}.tmp", Uuid::new_v4().simple()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(random_secret().as_slice())?;
            file.sync_all()
        })
        .and_then(|()| fs::hard_link(&temporary, path))
        .and_then(|()| File::open(dir)?.sync_all());
    let removed = fs::remove_file(&temporary);
    written.and(removed)
}

/// Four random UUIDs hold 488 random bits of the operating system.
#[expect(clippy::disallowed_methods, reason = "a seed that is given must not decide a secret")]
fn random_secret() -> Secret {
    let mut hasher = blake3::Hasher::new();
    for _ in 0..4 {
        hasher.update(Uuid::new_v4().as_bytes());
    }
    Zeroizing::new(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_last_over_restarts_and_differ_by_domain_and_epoch() {
        let dir = tempfile::tempdir().unwrap();
        let secrets = dir.path().join("secrets");
        let first = Identities::open(&secrets).unwrap();
        let keys = |ids: &Identities| {
            [
                ids.user("alice"),
                ids.api_key("alice"),
                ids.org("alice"),
                ids.user("bob"),
                ids.label_user(740, 7).unwrap(),
                ids.label_user(741, 7).unwrap(),
                ids.label_user(740, 8).unwrap(),
            ]
        };
        let before = keys(&first);
        let mut distinct = before.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), before.len());
        assert_eq!(keys(&Identities::open(&secrets).unwrap()), before);
        fs::remove_file(secrets.join("label-740.key")).unwrap();
        let later = keys(&Identities::open(&secrets).unwrap());
        assert_eq!(later[..4], before[..4]);
        assert_ne!(later[4], before[4]);
        assert_eq!(later[5], before[5]);
    }

    #[test]
    fn secrets_of_others_and_damaged_ones_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        Identities::open(dir.path()).unwrap();
        let path = dir.path().join("pepper.key");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file stays");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Identities::open(dir.path()), Err(Error::Exposed { mode: 0o644, .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, b"short").unwrap();
        assert!(matches!(Identities::open(dir.path()), Err(Error::Malformed { size_bytes: 5, .. })));
    }

    #[test]
    fn another_pepper_is_told_by_both_fingerprints_and_looking_makes_none() {
        let dir = tempfile::tempdir().unwrap();
        let [one, two, none] = ["one", "two", "none"].map(|name| dir.path().join(name));
        let (first, second) = (Identities::open(&one).unwrap(), Identities::open(&two).unwrap());
        let standing = first.check_value();
        assert_eq!(standing.len(), 64);
        Identities::open_existing(&one).unwrap().unwrap().compare(&standing).unwrap();
        let error = second.compare(&standing).unwrap_err().to_string();
        let own = second.check_value();
        assert!(error.contains(&standing[..12]) && error.contains(&own[..12]), "{error}");
        assert!(!error.contains(&standing[..13]) && !error.contains(&own[..13]), "{error}");
        assert!(Identities::open_existing(&none).unwrap().is_none());
        assert!(!none.exists());
        assert!(Identities::missing(&none, &standing).to_string().contains(&standing[..12]));
    }

    #[test]
    fn weeks_start_on_monday_and_epochs_hold_four() {
        // 2026-11-25 is a Wednesday, 20,782 days after 1970-01-01; its Monday is 2026-11-23.
        let wednesday = 20_782 * MICROS_PER_DAY + 5;
        assert_eq!(week_of(wednesday), 20_780);
        assert_eq!(week_of(20_780 * MICROS_PER_DAY), 20_780);
        assert_eq!(week_of(20_780 * MICROS_PER_DAY - 1), 20_773);
        assert_eq!(epoch_of(4 * MICROS_PER_DAY), 0);
        assert_eq!(epoch_of(4 * MICROS_PER_DAY - 1), -1);
        assert_eq!(epoch_of(32 * MICROS_PER_DAY), 1);
    }
}
