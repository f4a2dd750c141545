//! Whether the store can do what everything rests on: of writers that create one file, exactly one succeeds; and what
//! is deleted is gone.

use bytes::Bytes;
use object_store::{Error as StoreError, GetOptions, ObjectStoreExt, PutMode, PutPayload};

use super::Root;
use super::trouble::Access;
use crate::error::Error;

/// Keys that are tried when a store gave no clear answer: it may refuse both of two writers that meet.
const TRIES: u32 = 4;
/// What S3 calls the version of a file in a bucket that has stopped to keep them.
const NO_VERSION: &str = "null";

enum Verdict {
    Sound,
    /// Two writers were told that they had created the file, or another's bytes stand in it.
    Unsound(String),
    Unclear,
}

impl Root {
    /// Creates a file under a random name from two sides at once, and a third time; reads and deletes it.
    ///
    /// # Errors
    /// The store cannot be read or written, or it does not refuse what is there already.
    pub(crate) async fn probe(&self) -> Result<(), Error> {
        for _ in 0..TRIES {
            let name = format!("_bellwether/probe/{}", self.world().uuid());
            let verdict = self.probe_once(&name).await;
            // What cannot be deleted is told only when nothing else is wrong.
            let deleted = self.delete(&name).await;
            match verdict? {
                Verdict::Sound => return deleted,
                Verdict::Unsound(detail) => {
                    return Err(Error::NoCompareAndSet { location: self.location().to_string(), detail });
                }
                Verdict::Unclear => {}
            }
        }
        let detail = "it refused to create a file that nobody had created".to_owned();
        Err(Error::NoCompareAndSet { location: self.location().to_string(), detail })
    }

    /// Writes a file under a random name, deletes it, and asks for it by the version that the store gave it. Rows of
    /// labels must be gone by their day, so a store that brings them back is told.
    ///
    /// # Errors
    /// The store keeps what is deleted, or it cannot be written.
    pub(crate) async fn probe_deletion(&self) -> Result<(), Error> {
        if self.location().folder().is_some() {
            return Ok(());
        }
        let name = format!("_bellwether/probe/{}", self.world().uuid());
        let payload = PutPayload::from_static(b"to be deleted");
        let written = async { self.store().put(&self.path(&name)?, payload).await };
        let written =
            self.note(("", Access::Write), written.await).map_err(|source| self.unwritable(source))?;
        self.delete(&name).await?;
        let Some(version) = written.version.filter(|version| version != NO_VERSION) else {
            return Ok(());
        };
        let options = GetOptions { version: Some(version), head: true, ..GetOptions::default() };
        let found = async { self.store().get_opts(&self.path(&name)?, options).await };
        match found.await {
            // Old versions may need a right of their own, which is no trouble of the warehouse.
            Ok(_) | Err(StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. }) => {
                Err(Error::KeepsDeleted { location: self.location().to_string() })
            }
            // Google numbers every file, whether or not it keeps it.
            Err(_) => Ok(()),
        }
    }

    async fn probe_once(&self, name: &str) -> Result<Verdict, Error> {
        let bodies = ["one", "other", "third"].map(|writer| format!("{writer} {name}"));
        let [one, other, third] = &bodies;
        let (one_won, other_won) = tokio::join!(self.create(name, one), self.create(name, other));
        let winners = [(one, one_won?), (other, other_won?)];
        let won: Vec<&str> = winners.iter().filter(|(_, won)| *won).map(|(body, _)| body.as_str()).collect();
        if won.len() > 1 {
            return Ok(Verdict::Unsound("two writers at once both created one file".to_owned()));
        }
        let stands = self.content(name).await?;
        if self.create(name, third).await? {
            return Ok(match stands {
                None => Verdict::Unclear,
                Some(_) => Verdict::Unsound("it created a file that was there already".to_owned()),
            });
        }
        let after = self.content(name).await?;
        // A writer whose answer was lost and asked again is refused by its own file.
        let is_of_a_writer = |stands: &str| stands == one || stands == other;
        Ok(match (stands.as_deref(), after.as_deref(), won.first()) {
            (Some(stands), Some(after), Some(won)) if stands == *won && after == *won => Verdict::Sound,
            (Some(stands), Some(after), None) if stands == after && is_of_a_writer(stands) => Verdict::Sound,
            (None, None, None) => Verdict::Unclear,
            _ => Verdict::Unsound("the file does not hold what its one creator wrote".to_owned()),
        })
    }

    async fn create(&self, name: &str, body: &str) -> Result<bool, Error> {
        let payload = PutPayload::from_bytes(Bytes::from(body.to_owned()));
        let written =
            async { self.store().put_opts(&self.path(name)?, payload, PutMode::Create.into()).await };
        match self.note(("", Access::Write), written.await) {
            Ok(_) => Ok(true),
            Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => Ok(false),
            Err(source) => Err(self.unwritable(source)),
        }
    }

    fn unwritable(&self, source: StoreError) -> Error {
        Error::Unwritable { path: self.location().to_string(), source: Box::new(source) }
    }

    async fn content(&self, name: &str) -> Result<Option<String>, Error> {
        let found = self.get(name).await?;
        Ok(found.map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned()))
    }
}
