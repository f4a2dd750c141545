//! Roles: what one process does, alone or together with others. Composition only.

mod accept;
mod listen;
mod maintain;
mod peers;
mod progress;
mod reload;
mod stalled;
mod start;
mod supervise;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bellwether_ingest::batch::Tools;
use bellwether_ingest::catalogue::Current;
use bellwether_ingest::identity::{self, Identities};
use bellwether_ingest::labels::Labeller;
use bellwether_ingest::sources::spool::Stopped as StoppedLogs;
use bellwether_ingest::spool::Spool;
use bellwether_metrics::Terms;
use bellwether_warehouse::Warehouse;
use bellwether_warehouse::health::{Health, State};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::exit::{chain, usage};
use supervise::{Board, Pauses, Task};

pub use maintain::round as maintain;

/// Longest that ending may take: a commit in flight and its fsyncs.
const ENDING_TIMEOUT: Duration = Duration::from_secs(20);

/// In the order in which they start: the site loads its first dataset before the jobs begin to move the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Role {
    /// HTTP intake
    Intake,
    /// From the spool and Kafka into the tables
    Ingest,
    /// The site
    Web,
    /// Rollups
    Jobs,
    /// Checkpoints, compaction, log clean-up, vacuum, label secrets
    Maintain,
    /// Health and metrics; always on in `serve`
    #[value(skip)]
    Admin,
}

impl Role {
    /// What `serve` runs where nothing else is said.
    pub const SERVED: [Self; 5] = [Self::Intake, Self::Ingest, Self::Jobs, Self::Web, Self::Maintain];
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Intake => "intake",
            Self::Ingest => "ingest",
            Self::Jobs => "jobs",
            Self::Web => "web",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        })
    }
}

/// The roles of this process and what they share.
pub struct Roles {
    config: Config,
    warehouse: Warehouse,
    tools: Tools,
    spool: Option<Spool>,
    /// Logs of the spool that stay behind.
    stopped: Option<StoppedLogs>,
    site: Option<bellwether_web::Site>,
    metrics: PrometheusHandle,
    health: Health,
    listeners: BTreeMap<Role, TcpListener>,
    addresses: BTreeMap<Role, SocketAddr>,
    /// Takes over a spool that belongs to the same warehouse at another place.
    adopt: bool,
    /// What is published under, by the catalogue of now.
    terms: watch::Sender<Terms>,
    board: Board,
    tasks: JoinSet<anyhow::Result<()>>,
    shutdown: CancellationToken,
}

impl Roles {
    /// Opens what every role needs: the warehouse, the catalogue, the secrets.
    pub async fn prepare(config: Config, shutdown: CancellationToken) -> anyhow::Result<Self> {
        let location = config.location()?;
        let warehouse = Warehouse::open_or_create(&location).await.map_err(as_usage)?;
        let tools = tools(&config, &warehouse).await?;
        let health = Health::default();
        health.ask("warehouse", {
            let warehouse = warehouse.clone();
            move || warehouse.trouble().map_or(State::Works, State::Impaired)
        });
        let metrics = bellwether_web::admin::install_metrics().context("install the metrics recorder")?;
        bellwether_ingest::metric::describe();
        bellwether_jobs::metric::describe();
        Ok(Self {
            terms: watch::Sender::new(config.terms(&tools.catalogue.get())),
            config,
            warehouse,
            tools,
            spool: None,
            stopped: None,
            site: None,
            metrics,
            health,
            listeners: BTreeMap::new(),
            addresses: BTreeMap::new(),
            adopt: false,
            board: Board::default(),
            tasks: JoinSet::new(),
            shutdown,
        })
    }

    /// The warehouse is a copy that takes the place of the one before.
    pub fn adopt(&mut self) {
        self.adopt = true;
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    pub fn warehouse(&self) -> &Warehouse {
        &self.warehouse
    }

    pub fn tools(&self) -> &Tools {
        &self.tools
    }

    /// Runs what `start` gives until the end, again when it fails: see [`supervise`].
    pub fn watch<F>(&mut self, name: &str, start: impl FnMut() -> F + Send + 'static)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let task = Task::new(name.to_owned(), self.health.part(name), Some(&self.board));
        self.tasks.spawn(supervise::supervise(task, Pauses::default(), self.shutdown.clone(), start));
    }

    /// As [`Roles::watch`], for what is of no use alone: a process in which nothing else is left ends.
    fn watch_beside<F>(&mut self, name: &str, start: impl FnMut() -> F + Send + 'static)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let task = Task::new(name.to_owned(), self.health.part(name), None);
        self.tasks.spawn(supervise::supervise(task, Pauses::default(), self.shutdown.clone(), start));
    }

    /// Resolves when the signal came or nothing useful is left, after every task has ended.
    pub async fn ended(mut self) -> anyhow::Result<()> {
        let mut failed = tokio::select! {
            () = self.shutdown.cancelled() => None,
            error = self.board.hopeless() => Some(error),
        };
        self.shutdown.cancel();
        let rest = async {
            while let Some(ended) = self.tasks.join_next().await {
                let ended =
                    ended.unwrap_or_else(|error| Err(anyhow::Error::new(error).context("end a task")));
                if let Err(error) = ended {
                    failed.get_or_insert(error);
                }
            }
        };
        if tokio::time::timeout(ENDING_TIMEOUT, rest).await.is_err() {
            tracing::warn!(
                "some roles did not end in time; what was not committed is read again at the next start"
            );
        }
        failed.map_or(Ok(()), Err)
    }
}

/// What turns records into rows, as the configuration has it. The pepper must be the one of the warehouse.
pub async fn tools(config: &Config, warehouse: &Warehouse) -> anyhow::Result<Tools> {
    Ok(Tools {
        catalogue: Current::new(config.catalogue()?),
        identities: Arc::new(identities(config, warehouse).await?),
        labeller: Arc::new(Labeller::new()),
        world: warehouse.world().clone(),
    })
}

async fn identities(config: &Config, warehouse: &Warehouse) -> anyhow::Result<Identities> {
    let keys = config.keys_path()?;
    let refused = |error| keys_error(&keys, &error);
    let standing = warehouse.pepper_check().await.map_err(as_usage)?;
    let identities = match (Identities::open_existing(&keys).map_err(refused)?, standing) {
        (Some(identities), _) => identities,
        // A new one would only be in the way of the right one.
        (None, Some(standing)) => return Err(refused(Identities::missing(&keys, &standing))),
        (None, None) => Identities::open(&keys).map_err(refused)?,
    };
    let standing = warehouse.claim_pepper(&identities.check_value()).await.map_err(as_usage)?;
    identities.compare(&standing).map_err(refused)?;
    Ok(identities)
}

/// Secrets that cannot be used are the caller's to mend.
pub fn keys_error(keys: &Path, error: &identity::Error) -> anyhow::Error {
    usage(format!("[keys] `path` = `{}`: {}", keys.display(), chain(error)))
}

/// A place that cannot be used is the caller's to mend.
pub fn as_usage(error: bellwether_warehouse::Error) -> anyhow::Error {
    usage(chain(&error))
}
