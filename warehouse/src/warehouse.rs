//! The warehouse: created, checked for its layout version, opened table by table.

use std::sync::Arc;
use std::time::Duration;

use datafusion::prelude::SessionContext;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::location::Location;
use crate::log::Log;
use crate::store::{Root, Storage};
use crate::table::Table;
use crate::tables::TableId;
use crate::world::World;
use crate::{delta_schema, log, log_folder, session};

/// Version of what lies in a warehouse. Raised when an older binary could not read, misread or damage it;
/// a new table or a new nullable column is no reason. This binary reads all of them.
///
/// | layout | since it |
/// |---|---|
/// | 2 | `variant` of `attempts`, usage and health may be null: before, a null there failed folds and pages |
const LAYOUT: u64 = 2;
const LAYOUT_FILE: &str = "_bellwether.json";
/// Holds `blake3_keyed(pepper, "check")`: all who write keys of people must hash with one pepper, or one person
/// counts as several.
const PEPPER_FILE: &str = "_bellwether_pepper.json";
/// Tries at what several processes write at their start.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(10);

/// A warehouse whose tables exist and whose layout version this build can read.
#[derive(Clone, Debug)]
pub struct Warehouse {
    root: Arc<Root>,
    id: Option<Arc<str>>,
}

#[derive(Clone, Deserialize, PartialEq, Serialize)]
struct Layout {
    layout: u64,
    /// Of this warehouse and its copies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Fingerprint of all table schemas when every table was last seen to have them: a fast start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schemas: Option<String>,
    /// What a newer binary noted.
    #[serde(flatten)]
    other: Map<String, Value>,
}

#[derive(Deserialize, Serialize)]
struct PepperCheck {
    check: String,
}

impl Warehouse {
    /// Opens the warehouse, creating the folder and every missing table and column. Several processes may
    /// do this at once.
    ///
    /// # Errors
    /// Among others when the store would not keep several writers apart.
    pub async fn open_or_create(location: &Location) -> Result<Self, Error> {
        Self::open_or_create_in(location, World::default()).await
    }

    /// The same by a clock and dice that are given, which every table opened here goes by.
    ///
    /// # Errors
    /// As there.
    pub async fn open_or_create_in(location: &Location, world: World) -> Result<Self, Error> {
        Self::begin(Root::open_in(location, world)?).await
    }

    /// The same over a store that is given.
    pub(crate) async fn open_or_create_over(
        location: &Location,
        store: Arc<object_store::DynObjectStore>,
    ) -> Result<Self, Error> {
        Self::open_or_create_over_in(location, store, World::default()).await
    }

    /// The same by a clock and dice that are given.
    pub(crate) async fn open_or_create_over_in(
        location: &Location,
        store: Arc<object_store::DynObjectStore>,
        world: World,
    ) -> Result<Self, Error> {
        Self::begin(Root::over(location, store, world)?).await
    }

    async fn begin(root: Root) -> Result<Self, Error> {
        let root = Arc::new(root);
        let fingerprint = delta_schema::fingerprint();
        if let Some(Layout { layout: LAYOUT, id: Some(id), schemas, .. }) = read_layout(&root).await?
            && schemas.as_deref() == Some(&fingerprint)
            && all_begun(&root).await?
        {
            return Ok(Self::opened(root, Some(id)));
        }
        root.probe().await?;
        let mut newer_elsewhere = false;
        for id in TableId::ALL {
            newer_elsewhere |= create_or_extend(&root, id).await?;
        }
        // Written last: a warehouse with a layout file has all tables. A newer binary's fingerprint stays.
        let id = write_layout(&root, &fingerprint, newer_elsewhere).await?;
        Ok(Self::opened(root, Some(id)))
    }

    /// Creates those of the tables that are missing, and their missing columns. Several processes may do this at
    /// once.
    ///
    /// # Errors
    /// A table can be neither read nor written, or has a column of another type.
    pub async fn ensure(&self, tables: &[TableId]) -> Result<(), Error> {
        for id in tables {
            create_or_extend(&self.root, *id).await?;
        }
        Ok(())
    }

    /// Opens a warehouse that must exist already.
    pub async fn open(location: &Location) -> Result<Self, Error> {
        let root = Arc::new(Root::open(location)?);
        match read_layout(&root).await? {
            Some(layout) => Ok(Self::opened(root, layout.id)),
            None => Err(Error::NotFound(location.to_string())),
        }
    }

    fn opened(root: Arc<Root>, id: Option<String>) -> Self {
        root.watch();
        Self { root, id: id.map(Into::into) }
    }

    /// Tries whether the store keeps several writers apart and lets go of what is deleted, under names of its own.
    ///
    /// # Errors
    /// It does not, or it cannot be read and written.
    pub async fn probe(location: &Location) -> Result<(), Error> {
        let root = Root::open(location)?;
        root.probe().await?;
        root.probe_deletion().await
    }

    /// Tries whether the store lets go of what is deleted.
    ///
    /// # Errors
    /// It does not, or it cannot be written.
    pub async fn probe_deletion(&self) -> Result<(), Error> {
        self.root.probe_deletion().await
    }

    pub fn location(&self) -> &Location {
        self.root.location()
    }

    /// The same for a warehouse and its copies. None where no binary that gives ids has written yet.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// What somebody has to mend before the store works again, if anything: credentials, rights, a bucket that is
    /// gone. In one line.
    pub fn trouble(&self) -> Option<String> {
        self.root.trouble()
    }

    /// A session that can scan the tables of this warehouse, and nothing else. None is registered yet. `threads` =
    /// target partitions.
    pub fn session(&self, threads: usize) -> SessionContext {
        session::session(threads, self.root.runtime())
    }

    /// The clock and the dice by which everything in this warehouse goes.
    pub fn world(&self) -> &World {
        self.root.world()
    }

    /// The check value of the pepper behind the keys in the tables. None: no pepper was ever used here.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn pepper_check(&self) -> Result<Option<String>, Error> {
        match self.root.get(PEPPER_FILE).await? {
            None => Ok(None),
            Some((bytes, _)) => Ok(Some(self.parse_pepper(&bytes)?)),
        }
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
        let text = to_json(&self.root, PEPPER_FILE, &PepperCheck { check: check.to_owned() })?;
        let (bytes, _) = self.root.claim(PEPPER_FILE, text).await?;
        self.parse_pepper(&bytes)
    }

    /// Puts the check value of a new pepper in the place of the one that stood. Returns what stands now: not
    /// `new` where somebody else was first.
    ///
    /// # Errors
    /// The file can be neither read nor written. An error leaves open whether it was written.
    pub async fn replace_pepper(&self, stood: &str, new: &str) -> Result<Option<String>, Error> {
        let Some((bytes, seen)) = self.root.get(PEPPER_FILE).await? else { return Ok(None) };
        let standing = self.parse_pepper(&bytes)?;
        if standing != stood {
            return Ok(Some(standing));
        }
        let text = to_json(&self.root, PEPPER_FILE, &PepperCheck { check: new.to_owned() })?;
        self.root.put_over(PEPPER_FILE, text, seen).await?;
        // Whoever was first, what is there now holds.
        self.pepper_check().await
    }

    fn parse_pepper(&self, bytes: &[u8]) -> Result<String, Error> {
        let stored: PepperCheck = serde_json::from_slice(bytes).map_err(|source| Error::Unreadable {
            path: self.root.shown(PEPPER_FILE),
            source: source.into(),
        })?;
        Ok(stored.check)
    }

    /// An independent handle with its own log cursor.
    pub async fn table(&self, id: TableId) -> Result<Table, Error> {
        Table::open(id, Storage::new(id.name(), &self.root)).await
    }

    #[cfg(test)]
    pub(crate) async fn table_over(
        &self,
        id: TableId,
        store: Arc<object_store::DynObjectStore>,
    ) -> Result<Table, Error> {
        let root = Arc::new(Root::over(self.location(), store, self.world().clone())?);
        Table::open(id, Storage::new(id.name(), &root)).await
    }
}

async fn all_begun(root: &Arc<Root>) -> Result<bool, Error> {
    let looks = TableId::ALL
        .map(|id| async move { Log::new(Arc::new(Storage::new(id.name(), root))).is_begun().await });
    Ok(futures::future::try_join_all(looks).await?.into_iter().all(|begun| begun))
}

/// True when the stored table has columns that this binary does not know.
async fn create_or_extend(root: &Arc<Root>, id: TableId) -> Result<bool, Error> {
    let table = id.name();
    let log = Log::new(Arc::new(Storage::new(table, root)));
    for turn in 1..=TRIES {
        let state = log.load().await?;
        let (version, actions) = match &state {
            None => (0, delta_schema::creation(id, root.world())),
            Some(state) => match state.metadata.as_ref() {
                None => {
                    let path = log_folder::FOLDER.to_owned();
                    return Err(Error::Damaged { table, path, detail: "it has no metaData".to_owned() });
                }
                Some(stored) => match delta_schema::extension(id, stored, root.world())? {
                    delta_schema::Extension::None => return Ok(false),
                    delta_schema::Extension::StoredIsNewer => return Ok(true),
                    delta_schema::Extension::Add(actions) => (state.version + 1, actions),
                },
            },
        };
        let lines = log::action::to_lines(&actions).map_err(|e| Error::Damaged {
            table,
            path: log_folder::entry_name(version),
            detail: e.to_string(),
        })?;
        // Won or lost, the next turn reads what stands now: it may be the other's, and a version that was
        // cleaned away meanwhile can be written without becoming part of the table.
        if !log.write(version, lines.into()).await? {
            root.world().sleep(PAUSE * turn).await;
        }
    }
    Err(Error::Contended { table, tries: TRIES })
}

/// None when there is no such file.
async fn read_layout(root: &Root) -> Result<Option<Layout>, Error> {
    match root.get(LAYOUT_FILE).await? {
        None => Ok(None),
        Some((bytes, _)) => parse_layout(root, &bytes).map(Some),
    }
}

fn parse_layout(root: &Root, bytes: &[u8]) -> Result<Layout, Error> {
    let path = || root.shown(LAYOUT_FILE);
    let layout: Layout =
        serde_json::from_slice(bytes).map_err(|source| Error::UnreadableLayout { path: path(), source })?;
    if layout.layout > LAYOUT {
        let (path, found) = (root.location().to_string(), layout.layout);
        return Err(Error::NewerLayout { path, found, supported: LAYOUT });
    }
    Ok(layout)
}

/// Notes that every table has the schemas of `fingerprint`, unless a newer binary has noted its own. Returns the id of
/// the warehouse: of those who meet here, the first one's.
async fn write_layout(root: &Root, fingerprint: &str, newer_elsewhere: bool) -> Result<String, Error> {
    let fresh = Layout {
        layout: LAYOUT,
        id: Some(root.world().uuid().to_string()),
        schemas: Some(fingerprint.to_owned()),
        other: Map::new(),
    };
    let text = to_json(root, LAYOUT_FILE, &fresh)?;
    for turn in 1..=TRIES {
        let (bytes, seen) = root.claim(LAYOUT_FILE, text.clone()).await?;
        let stands = parse_layout(root, &bytes)?;
        let id = stands.id.clone().or(fresh.id.clone());
        let mut wanted = Layout { layout: LAYOUT, id, ..stands.clone() };
        if !newer_elsewhere {
            wanted.schemas.clone_from(&fresh.schemas);
        }
        let id = wanted.id.clone().unwrap_or_default();
        if wanted == stands || root.put_over(LAYOUT_FILE, to_json(root, LAYOUT_FILE, &wanted)?, seen).await? {
            return Ok(id);
        }
        root.world().sleep(PAUSE * turn).await;
    }
    let source = "other processes change it all the time";
    Err(Error::Unwritable { path: root.shown(LAYOUT_FILE), source: source.into() })
}

fn to_json(root: &Root, name: &str, value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value)
        .map_err(|source| Error::Unwritable { path: root.shown(name), source: source.into() })
}
