//! Starts each role as a supervised task.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bellwether_ingest::batch::Stream;
use bellwether_ingest::config::Bytes;
use bellwether_ingest::identity::Identities;
use bellwether_ingest::intake::{self, Appender, IntakeState, KafkaAppender, SpoolAppender};
use bellwether_ingest::sink::{Sink, Waits};
use bellwether_ingest::sources;
use bellwether_ingest::spool::{self, Owner, Spool};
use bellwether_jobs::{Jobs, Publisher, Scheduler};
use bellwether_warehouse::health::State;
use bellwether_web::Site;
use chrono::Utc;

use super::peers::{PER_ADDRESS, Peers};
use super::supervise::lasting;
use super::{Role, Roles, StoppedLogs, accept, maintain, progress, reload};
use crate::exit::{chain, usage};
use crate::straight;

/// Between two times that samples are counted into their buckets. Until then each one is kept, and it may be that nobody
/// ever asks for the metrics.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

impl Roles {
    /// Starts roles whose addresses, if any, are bound.
    pub async fn start(&mut self, roles: &[Role]) -> anyhow::Result<()> {
        for role in roles {
            match role {
                Role::Intake => self.start_intake()?,
                Role::Ingest => self.start_ingest()?,
                Role::Jobs => self.start_jobs(),
                Role::Web => self.start_web().await?,
                Role::Maintain => self.start_maintain()?,
                Role::Admin => self.start_admin()?,
            }
            tracing::info!(%role, "role started");
        }
        Ok(())
    }

    fn start_intake(&mut self) -> anyhow::Result<()> {
        let appender: Arc<dyn Appender> = if let Some(topic) = &self.config.kafka.intake_topic {
            let connected = tokio::task::block_in_place(|| KafkaAppender::connect(&self.config.kafka, topic));
            let appender = connected.map_err(|error| usage(chain(&error)))?;
            self.health.ask("intake topic", {
                let appender = appender.clone();
                move || appender.state()
            });
            Arc::new(appender)
        } else {
            let dir = self.config.spool_dir()?;
            self.claim_spool(&dir)?;
            let mut config = self.config.spool.clone();
            if !self.warehouse.location().shares_disk(&dir) {
                // The tables would not get the space.
                config.ballast = Bytes(0);
            }
            let spool = Spool::open(&dir, &config).map_err(|error| usage(chain(&error)))?;
            self.spool = Some(spool.clone());
            self.health.ask("spool", {
                let spool = spool.clone();
                move || spool.state()
            });
            Arc::new(SpoolAppender::new(spool))
        };
        let state = IntakeState::new(
            self.config.intake.clone(),
            self.tools.identities.clone(),
            self.tools.labeller.clone(),
            appender,
        );
        self.serve(Role::Intake, intake::router(state), None)
    }

    fn start_ingest(&mut self) -> anyhow::Result<()> {
        let waits = Waits::default();
        self.health.ask("tables of ingest", {
            let waits = waits.clone();
            move || waits.state()
        });
        if !self.config.kafka.topics.is_empty() {
            let (config, warehouse, tools) =
                (Arc::new(self.config.clone()), self.warehouse.clone(), self.tools.clone());
            let (stopped, shutdown) =
                (sources::kafka::Stopped::default().with_waits(waits.clone()), self.shutdown.clone());
            self.health.ask("partitions of Kafka", {
                let stopped = stopped.clone();
                move || partitions(stopped.list(), stopped.is_all())
            });
            self.watch("ingest of Kafka", move || {
                let (config, warehouse, tools) = (config.clone(), warehouse.clone(), tools.clone());
                let (stopped, shutdown) = (stopped.clone(), shutdown.clone());
                async move {
                    let (kafka, ingest) = (&config.kafka, &config.ingest);
                    let run = sources::kafka::run(kafka, ingest, &warehouse, tools, stopped, shutdown);
                    run.await.map_err(ended)
                }
            });
        }
        let intake_topic = self.config.kafka.intake_topic.as_ref();
        if let Some(topic) = intake_topic
            && !self.config.kafka.topics.iter().any(|read| read.name == *topic)
        {
            return Err(usage(format!(
                "[kafka] `intake_topic`: nothing reads `{topic}`; add it to `topics` with format = \"appended\""
            )));
        }
        let (dir, spool) = (self.config.spool_dir()?, self.config.spool.clone());
        // Without an intake on this host there may be no spool; one of an earlier configuration is read to its end.
        if matches!(dir.try_exists(), Ok(false)) {
            if !self.config.kafka.topics.is_empty() {
                return Ok(());
            }
            let dir = dir.display();
            return Err(usage(format!("no spool in `{dir}`; start the intake role on this host first")));
        }
        self.claim_spool(&dir)?;
        let stopped = StoppedLogs::default().with_waits(waits);
        self.stopped = Some(stopped.clone());
        self.health.ask("logs of the spool", {
            let stopped = stopped.clone();
            move || match stopped.reasons() {
                reasons if reasons.is_empty() => State::Works,
                reasons => State::Impaired(format!("stopped reading {}", reasons.join("; "))),
            }
        });
        let open = move || sources::spool::Source::open(&dir, &spool, stopped.clone());
        let mut first = Some(open().map_err(|error| usage(chain(&error)))?);
        let (config, warehouse, tools) =
            (self.config.ingest.clone(), self.warehouse.clone(), self.tools.clone());
        let shutdown = self.shutdown.clone();
        self.watch("ingest of the spool", move || {
            let source = first.take().map_or_else(&open, Ok);
            let (config, warehouse, tools) = (config.clone(), warehouse.clone(), tools.clone());
            let shutdown = shutdown.clone();
            async move { source?.run(&warehouse, tools, &config, shutdown).await.map_err(ended) }
        });
        Ok(())
    }

    /// The spool's records go to this warehouse and to no copy of it.
    fn claim_spool(&self, dir: &Path) -> anyhow::Result<()> {
        let Some(id) = self.warehouse.id() else { return Ok(()) };
        let owner = Owner { id: id.to_owned(), url: self.warehouse.location().to_string() };
        spool::claim(dir, &owner, self.adopt).map_err(|error| usage(chain(&error)))
    }

    /// Waits until everything in the spool that can be read is in the tables.
    pub async fn drain_spool(&self) -> anyhow::Result<()> {
        let Some(spool) = &self.spool else { return Ok(()) };
        let mut sink = Sink::open(&self.warehouse).await?;
        while !self.shutdown.is_cancelled() {
            let mut is_behind = false;
            for log in spool::logs(spool.dir())?.readable {
                let at = sink.position(&Stream::spool(log.uuid())).await?.attempts.unwrap_or(0);
                let is_stopped = self.stopped.as_ref().is_some_and(|stopped| stopped.contains(log.dir()));
                is_behind |= at < log.head() && !is_stopped;
            }
            if !is_behind {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    /// Brings what pages read up to date with `attempts`. Everything else is left to the jobs.
    pub async fn roll_up(&self) -> anyhow::Result<()> {
        let mut jobs = Jobs::open(&self.warehouse).await?;
        jobs.fold(Utc::now()).await?;
        jobs.recompute().await?;
        let terms = self.terms.borrow().clone();
        Publisher::open(&self.warehouse, terms).await?.publish_stage(Utc::now()).await?;
        Ok(())
    }

    fn start_jobs(&mut self) {
        let (warehouse, every, shutdown) =
            (self.warehouse.clone(), self.config.jobs.every.0, self.shutdown.clone());
        let terms = self.terms.subscribe();
        self.watch("jobs", move || {
            let (warehouse, terms, shutdown) = (warehouse.clone(), terms.clone(), shutdown.clone());
            async move {
                let scheduler = Scheduler::new(Jobs::open(&warehouse).await?).publishing_as(terms);
                let (ending, ended) = tokio::sync::watch::channel(false);
                let run = scheduler.run_forever(every, ended);
                tokio::pin!(run);
                tokio::select! {
                    () = &mut run => return Ok(()),
                    () = shutdown.cancelled() => {}
                }
                ending.send_replace(true);
                run.await;
                Ok(())
            }
        });
        let (warehouse, health, shutdown) =
            (self.warehouse.clone(), self.health.clone(), self.shutdown.clone());
        self.watch_beside("watch over the rollups", move || {
            progress::run(warehouse.clone(), health.part("rollups"), shutdown.clone())
        });
    }

    async fn start_web(&mut self) -> anyhow::Result<()> {
        let names = reload::names(&self.tools.catalogue.get());
        let mut config = self.config.web.clone();
        config.simulated |= straight::is_straight(&self.warehouse).await?;
        let site = Site::open(&self.warehouse, config, names).await;
        self.site = Some(site.clone());
        let (poller, shutdown) = (site.clone(), self.shutdown.clone());
        self.watch("site refresh", move || {
            let (poller, shutdown) = (poller.clone(), shutdown.clone());
            async move {
                poller.run(shutdown.cancelled_owned()).await;
                Ok(())
            }
        });
        let peers = Peers::new(PER_ADDRESS, &self.config.web.trusted_proxies);
        self.serve(Role::Web, bellwether_web::app(site), Some(peers))
    }

    fn start_maintain(&mut self) -> anyhow::Result<()> {
        let (warehouse, config, keys) = (
            self.warehouse.clone(),
            self.config.maintain.clone(),
            Identities::folder(&self.config.keys_path()?),
        );
        let (health, shutdown) = (self.health.clone(), self.shutdown.clone());
        self.watch("maintenance", move || {
            let part = health.part("upkeep of the tables");
            maintain::run(warehouse.clone(), config.clone(), keys.clone(), part, shutdown.clone())
        });
        Ok(())
    }

    fn start_admin(&mut self) -> anyhow::Result<()> {
        let router =
            bellwether_web::admin::router(self.site.clone(), self.health.clone(), self.metrics.clone());
        let (metrics, shutdown) = (self.metrics.clone(), self.shutdown.clone());
        self.tasks.spawn(async move {
            while shutdown.run_until_cancelled(tokio::time::sleep(METRICS_UPKEEP)).await.is_some() {
                metrics.run_upkeep();
            }
            Ok(())
        });
        self.serve(Role::Admin, router, None)
    }

    fn serve(&mut self, role: Role, router: axum::Router, peers: Option<Arc<Peers>>) -> anyhow::Result<()> {
        let listener = Arc::new(self.listener(role)?);
        let shutdown = self.shutdown.clone();
        let start = move || accept::serve(listener.clone(), router.clone(), peers.clone(), shutdown.clone());
        match role {
            Role::Admin => self.watch_beside(&role.to_string(), start),
            _ => self.watch(&role.to_string(), start),
        }
        Ok(())
    }
}

/// Down only where nothing moves any more: what can go on goes on.
fn partitions(stopped: Vec<(String, i32, String)>, is_all: bool) -> State {
    let list: Vec<String> = stopped
        .into_iter()
        .map(|(topic, partition, why)| format!("stopped {topic}/{partition}: {why}"))
        .collect();
    match list.join("; ") {
        list if list.is_empty() => State::Works,
        list if is_all => State::Down(list),
        list => State::Impaired(list),
    }
}

/// A worker that reads on would lose or pass over records stays down; any other is started again.
fn ended(error: sources::Error) -> anyhow::Error {
    if error.is_lasting() { lasting(error) } else { error.into() }
}

#[cfg(test)]
mod tests;
