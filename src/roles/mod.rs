//! Roles: what one process does, alone or together with others. Composition only.

mod accept;
mod listen;
mod maintain;
mod start;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bellwether_ingest::batch::Tools;
use bellwether_ingest::identity::Identities;
use bellwether_ingest::labels::Labeller;
use bellwether_ingest::spool::Spool;
use bellwether_warehouse::Warehouse;
use bellwether_warehouse::health::Health;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::exit::{chain, usage};

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
    /// Checkpoints
    Maintain,
    /// Health and metrics; always on in `serve`
    #[value(skip)]
    Admin,
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
    site: Option<bellwether_web::Site>,
    metrics: PrometheusHandle,
    health: Health,
    listeners: BTreeMap<Role, TcpListener>,
    addresses: BTreeMap<Role, SocketAddr>,
    tasks: JoinSet<(String, anyhow::Result<()>)>,
    shutdown: CancellationToken,
}

impl Roles {
    /// Opens what every role needs: the warehouse, the catalogue, the secrets.
    pub async fn prepare(config: Config, shutdown: CancellationToken) -> anyhow::Result<Self> {
        let location = config.location()?;
        let warehouse = Warehouse::open_or_create(&location).await.map_err(as_usage)?;
        let tools = tools(&config)?;
        let metrics = bellwether_web::admin::install_metrics().context("install the metrics recorder")?;
        bellwether_ingest::metric::describe();
        bellwether_jobs::metric::describe();
        Ok(Self {
            config,
            warehouse,
            tools,
            spool: None,
            site: None,
            metrics,
            health: Health::default(),
            listeners: BTreeMap::new(),
            addresses: BTreeMap::new(),
            tasks: JoinSet::new(),
            shutdown,
        })
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

    /// Runs a task under the same supervision as the roles: when it fails, everything ends.
    pub fn watch(
        &mut self,
        name: impl Into<String>,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        let name = name.into();
        self.tasks.spawn(async move { (name, task.await) });
    }

    /// Resolves when the signal came or a role failed, after every role has ended.
    pub async fn ended(mut self) -> anyhow::Result<()> {
        let shutdown = self.shutdown.clone();
        let mut failed = None;
        tokio::select! {
            () = shutdown.cancelled() => {}
            failure = next_failure(&mut self.tasks) => failed = failure,
        }
        shutdown.cancel();
        let rest = async {
            while let Some(error) = next_failure(&mut self.tasks).await {
                failed.get_or_insert(error);
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

/// The next failed task, or None when all have ended well.
async fn next_failure(tasks: &mut JoinSet<(String, anyhow::Result<()>)>) -> Option<anyhow::Error> {
    while let Some(joined) = tasks.join_next().await {
        match joined {
            Ok((_, Ok(()))) => {}
            Ok((name, Err(error))) => return Some(error.context(format!("{name} ended"))),
            Err(error) => return Some(anyhow::Error::new(error).context("a role panicked")),
        }
    }
    None
}

/// What turns records into rows, as the configuration has it.
pub fn tools(config: &Config) -> anyhow::Result<Tools> {
    let keys = config.keys_dir()?;
    let identities = Identities::open(&keys)
        .map_err(|error| usage(format!("[keys] `dir` = `{}`: {}", keys.display(), chain(&error))))?;
    Ok(Tools {
        catalogue: Arc::new(config.catalogue()?),
        identities: Arc::new(identities),
        labeller: Arc::new(Labeller::new()),
    })
}

/// A place that cannot be used is the caller's to mend.
pub fn as_usage(error: bellwether_warehouse::Error) -> anyhow::Error {
    usage(chain(&error))
}
