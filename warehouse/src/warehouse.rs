//! The warehouse folder: created, checked for its layout version, opened table by table.

use std::io;
use std::path::Path;
use std::sync::Arc;

use object_store::{DynObjectStore, Error as StoreError, ObjectStoreExt, PutMode, PutPayload};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::location::Location;
use crate::log::Log;
use crate::store::{DurableLocal, Storage, create_folder};
use crate::table::Table;
use crate::tables::TableId;
use crate::{delta_schema, log};

/// Version of what lies in a warehouse folder. Raised when an older binary could misread or damage it;
/// a new table or a new nullable column is no reason.
const LAYOUT: u64 = 1;
const LAYOUT_FILE: &str = "_bellwether.json";
/// Holds `blake3_keyed(pepper, "check")`: all who write keys of people must hash with one pepper, or one person
/// counts as several.
const PEPPER_FILE: &str = "_bellwether_pepper.json";

/// A warehouse folder whose tables exist and whose layout version this build can read.
#[derive(Clone, Debug)]
pub struct Warehouse {
    location: Location,
    store: Arc<DynObjectStore>,
}

#[derive(Deserialize, Serialize)]
struct Layout {
    layout: u64,
    /// Fingerprint of all table schemas when every table was last seen to have them: a fast start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schemas: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct PepperCheck {
    check: String,
}

impl Warehouse {
    /// Opens the warehouse, creating the folder and every missing table and column. Several processes may
    /// do this at once.
    pub async fn open_or_create(location: &Location) -> Result<Self, Error> {
        Self::open_or_create_in(location, Arc::new(DurableLocal::default())).await
    }

    pub(crate) async fn open_or_create_in(
        location: &Location,
        store: Arc<DynObjectStore>,
    ) -> Result<Self, Error> {
        let warehouse = Self { location: location.clone(), store };
        let root = location.root();
        let fingerprint = delta_schema::fingerprint();
        let unchanged =
            read_layout(root)?.is_some_and(|layout| layout.schemas.as_deref() == Some(&fingerprint));
        if unchanged && TableId::ALL.iter().all(|id| root.join(id.name()).join(log::FOLDER).is_dir()) {
            return Ok(warehouse);
        }
        probe(root).map_err(|source| Error::Unwritable { path: root.to_owned(), source })?;
        let mut newer_elsewhere = false;
        for id in TableId::ALL {
            newer_elsewhere |= warehouse.create_or_extend(id).await?;
        }
        // Written last: a folder with a layout file has all tables. A newer binary's fingerprint stays.
        if !newer_elsewhere || !root.join(LAYOUT_FILE).exists() {
            write_layout(root, &Layout { layout: LAYOUT, schemas: Some(fingerprint) })
                .map_err(|source| Error::Unwritable { path: root.to_owned(), source })?;
        }
        Ok(warehouse)
    }

    /// Opens a warehouse that must exist already.
    pub async fn open(location: &Location) -> Result<Self, Error> {
        match read_layout(location.root())? {
            Some(_) => Ok(Self { location: location.clone(), store: Arc::new(DurableLocal::default()) }),
            None => Err(Error::NotFound(location.root().display().to_string())),
        }
    }

    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The check value of the pepper behind the keys in the tables. None: no pepper was ever used here.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn pepper_check(&self) -> Result<Option<String>, Error> {
        let path = self.location.root().join(PEPPER_FILE);
        let failed = |source| Error::Unreadable { path: path.clone(), source };
        let name = object_store::path::Path::from_absolute_path(&path)
            .map_err(|source| failed(io::Error::other(source)))?;
        let bytes = match self.store.get(&name).await {
            Err(StoreError::NotFound { .. }) => return Ok(None),
            Err(source) => return Err(failed(io::Error::other(source))),
            Ok(found) => found.bytes().await.map_err(|source| failed(io::Error::other(source)))?,
        };
        let stored: PepperCheck = serde_json::from_slice(&bytes).map_err(|source| failed(source.into()))?;
        Ok(Some(stored.check))
    }

    /// Keeps the check value of the first pepper that is used here. Returns the one that stands, which may be
    /// that of another host.
    ///
    /// # Errors
    /// The file can be neither written nor read.
    pub async fn claim_pepper(&self, check: &str) -> Result<String, Error> {
        if let Some(standing) = self.pepper_check().await? {
            return Ok(standing);
        }
        let path = self.location.root().join(PEPPER_FILE);
        let failed = |source| Error::Unwritable { path: path.clone(), source };
        let name = object_store::path::Path::from_absolute_path(&path)
            .map_err(|source| failed(io::Error::other(source)))?;
        let text = serde_json::to_vec(&PepperCheck { check: check.to_owned() })
            .map_err(|source| failed(source.into()))?;
        match self.store.put_opts(&name, PutPayload::from(text), PutMode::Create.into()).await {
            Ok(_) | Err(StoreError::AlreadyExists { .. }) => {}
            Err(source) => return Err(failed(io::Error::other(source))),
        }
        // Whoever was first, what is there now holds.
        self.pepper_check().await?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
    }

    /// An independent handle with its own log cursor.
    pub async fn table(&self, id: TableId) -> Result<Table, Error> {
        Table::open(id, self.storage(id)?).await
    }

    fn storage(&self, id: TableId) -> Result<Storage, Error> {
        Storage::new(id.name(), Arc::clone(&self.store), &self.location)
    }

    /// True when the stored table has columns that this binary does not know.
    async fn create_or_extend(&self, id: TableId) -> Result<bool, Error> {
        let table = id.name();
        let storage = Arc::new(self.storage(id)?);
        let log = Log::new(Arc::clone(&storage));
        loop {
            let state = log.load().await?;
            let (version, actions) = match &state {
                None => (0, delta_schema::creation(id)),
                Some(state) => match state.metadata.as_ref() {
                    None => {
                        let path = log::FOLDER.to_owned();
                        return Err(Error::Damaged { table, path, detail: "it has no metaData".to_owned() });
                    }
                    Some(stored) => match delta_schema::extension(id, stored)? {
                        delta_schema::Extension::None => return Ok(false),
                        delta_schema::Extension::StoredIsNewer => return Ok(true),
                        delta_schema::Extension::Add(actions) => (state.version + 1, actions),
                    },
                },
            };
            let lines = log::action::to_lines(&actions).map_err(|e| Error::Damaged {
                table,
                path: log::entry_name(version),
                detail: e.to_string(),
            })?;
            // Whoever loses the race finds the winner's table on the next turn. So does who comes after the log was
            // cleaned up past this version: see `commit::fence`.
            if log.write(version, lines.into()).await?
                && log.told_of(version, &[]).await? == log::Told::NotCovered
            {
                return Ok(false);
            }
        }
    }

    #[cfg(test)]
    pub(crate) async fn table_over(&self, id: TableId, store: Arc<DynObjectStore>) -> Result<Table, Error> {
        Table::open(id, Storage::new(id.name(), store, &self.location)?).await
    }
}

/// None when the folder or the file is missing.
fn read_layout(root: &Path) -> Result<Option<Layout>, Error> {
    let path = root.join(LAYOUT_FILE);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::Unreadable { path, source }),
    };
    let layout: Layout =
        serde_json::from_slice(&text).map_err(|source| Error::UnreadableLayout { path, source })?;
    if layout.layout > LAYOUT {
        let (path, found) = (root.to_owned(), layout.layout);
        return Err(Error::NewerLayout { path, found, supported: LAYOUT });
    }
    Ok(Some(layout))
}

/// Creates the folder and tries to write into it.
fn probe(root: &Path) -> io::Result<()> {
    create_folder(root)?;
    let path = root.join(format!("{LAYOUT_FILE}#{}", rand::random::<u64>()));
    std::fs::write(&path, b"")?;
    std::fs::remove_file(&path)
}

fn write_layout(root: &Path, layout: &Layout) -> io::Result<()> {
    let staged = root.join(format!("{LAYOUT_FILE}#{}", rand::random::<u64>()));
    let written = std::fs::File::create(&staged).and_then(|mut file| {
        serde_json::to_writer(&mut file, layout)?;
        file.sync_all()?;
        std::fs::rename(&staged, root.join(LAYOUT_FILE))?;
        std::fs::File::open(root)?.sync_all()
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&staged);
    }
    written
}
