//! `bellwether check`: says what is wrong with the configuration, and what to do about it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use bellwether_ingest::catalogue::Catalogue;
use bellwether_ingest::config::Bytes;
use bellwether_ingest::identity::Identities;
use bellwether_ingest::{sources, spool};
use bellwether_warehouse::{self as warehouse, TableId, Warehouse, snapshot};
use chrono::Utc;
use secrecy::ExposeSecret;

use crate::config::Config;
use crate::exit::{chain, usage};
use crate::roles::{self, Role};
use crate::straight;

/// Checks the configuration, the warehouse, the brokers and the folders, and says what to fix
///
/// With --send-test, one event of its own is sent to the running intake and followed to its page: the model
/// `bellwether/self-test`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bellwether check --config bellwether.toml\n  bellwether check --config bellwether.toml --roles ingest,jobs\n  bellwether check --config bellwether.toml --send-test"
)]
pub struct Args {
    /// Roles that this host is to have, over all of its processes
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Role::SERVED)]
    roles: Vec<Role>,
    /// Sends one event to the running service and follows it
    #[arg(long)]
    send_test: bool,
    /// Longest time the test event may take, in seconds
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    timeout: u64,
}

pub async fn run(args: Args, config: Config) -> anyhow::Result<()> {
    // Reading it was the first check.
    let mut findings = Findings::default();
    findings.ok("configuration", "every key is known and every value can work");
    check_warehouse(&config, &mut findings).await;
    findings.take("keys", check_keys(&config).await);
    findings.take("catalogue", config.catalogue().map(|catalogue| told(&catalogue)));
    check_kafka(&config, &mut findings).await;
    check_spool(&config, &args.roles, &mut findings);
    if findings.failed > 0 {
        return Err(usage(format!("{} of {} checks failed, see above", findings.failed, findings.all)));
    }
    if args.send_test {
        send_test(&config, Duration::from_secs(args.timeout)).await?;
    }
    Ok(())
}

/// What rows say in `price_source` tells whether they were priced by the list of now.
fn told(catalogue: &Catalogue) -> String {
    let (prices, source) = (catalogue.prices().len(), catalogue.price_source());
    format!(
        "names and aliases can be used; rows without a logged price are priced by its {prices} prices, `{source}`"
    )
}

#[derive(Default)]
struct Findings {
    all: u32,
    failed: u32,
}

impl Findings {
    fn ok(&mut self, what: &str, detail: &str) {
        self.all += 1;
        println!("ok      {what}: {detail}");
    }

    /// Works, but a human should know.
    fn warn(&mut self, what: &str, detail: &str) {
        self.all += 1;
        println!("warning {what}: {detail}");
    }

    fn take(&mut self, what: &str, result: anyhow::Result<String>) {
        match result {
            Ok(detail) => self.ok(what, &detail),
            Err(error) => {
                self.all += 1;
                self.failed += 1;
                println!("failed  {what}: {}", chain(error.as_ref()));
            }
        }
    }
}

/// Changes nothing: whoever looks may be another user than the service.
async fn check_warehouse(config: &Config, findings: &mut Findings) {
    let mut is_straight = false;
    let opened = async {
        let location = config.location()?;
        match location.folder() {
            Some(folder) => writable(folder)?,
            // Who may write there is known only by doing it.
            None => Warehouse::probe(&location).await.map_err(roles::as_usage)?,
        }
        let warehouse = match Warehouse::open(&location).await {
            Ok(warehouse) => warehouse,
            Err(warehouse::Error::NotFound(_)) => {
                return Ok(format!("`{location}` will be made by the first start"));
            }
            Err(error) => return Err(roles::as_usage(error)),
        };
        let attempts = warehouse.table(TableId::Attempts).await?;
        let rows: i64 = attempts.snapshot().files().iter().map(|file| file.rows).sum();
        is_straight = straight::is_marked(attempts.snapshot());
        Ok(format!("`{location}` holds {rows} attempts"))
    };
    findings.take("warehouse", opened.await);
    if is_straight {
        findings.warn(
            "warehouse",
            &format!("{}; look at it and measure with it, but send no records there", straight::NOTE),
        );
    }
    if let Some(remedy) = config.location().ok().and_then(|location| location.soft_delete()) {
        let detail = format!(
            "whether its store keeps deleted files for days (soft delete) cannot be seen from here, and label rows \
             must be gone by their day; {remedy}"
        );
        findings.warn("warehouse", &detail);
    }
}

async fn check_keys(config: &Config) -> anyhow::Result<String> {
    let keys = config.keys_path()?;
    let refused = |error| roles::keys_error(&keys, &error);
    let identities = Identities::open_existing(&keys).map_err(refused)?;
    let standing = match Warehouse::open(&config.location()?).await {
        Ok(warehouse) => warehouse.pepper_check().await.map_err(roles::as_usage)?,
        // Told by the check of the warehouse.
        Err(_) => None,
    };
    match (identities, standing) {
        (Some(identities), Some(standing)) => {
            identities.compare(&standing).map_err(refused)?;
            Ok(format!("secrets in `{}`, those of the warehouse", keys.display()))
        }
        (Some(_), None) => Ok(format!("secrets in `{}`", keys.display())),
        (None, Some(standing)) => Err(refused(Identities::missing(&keys, &standing))),
        (None, None) => {
            writable(&Identities::folder(&keys))?;
            Ok(format!("`{}` will be made by the first start", keys.display()))
        }
    }
}

fn writable(folder: &Path) -> anyhow::Result<()> {
    spool::writable(folder).map_err(|error| usage(chain(&error)))
}

async fn check_kafka(config: &Config, findings: &mut Findings) {
    if config.kafka.topics.is_empty() && config.kafka.intake_topic.is_none() {
        return findings.ok("kafka", "not configured; records come over HTTP or by import");
    }
    let kafka = config.kafka.clone();
    let checked = tokio::task::spawn_blocking(move || sources::kafka::check(&kafka)).await;
    findings.take(
        "kafka",
        match checked {
            Ok(Ok(partitions)) => {
                Ok(format!("brokers answer, all topics are there with {partitions} partitions"))
            }
            Ok(Err(error)) => Err(error.into()),
            Err(error) => Err(error.into()),
        },
    );
}

fn check_spool(config: &Config, roles: &[Role], findings: &mut Findings) {
    let (writes, reads) = (roles.contains(&Role::Intake), roles.contains(&Role::Ingest));
    if config.kafka.intake_topic.is_some() || !(writes || reads) {
        return;
    }
    let Ok(dir) = config.spool_dir() else { return };
    // A spool is a folder of one host. That an intake is to come cannot be known, only that none was ever here.
    if reads && !writes && !spool::was_written(&dir) {
        if config.kafka.topics.is_empty() {
            findings.take("spool", Err(alone(&dir)));
        }
        return;
    }
    findings.take("spool", spool_state(&dir));
    if writes && !reads && !spool::was_read(&dir) {
        let dir = dir.display();
        let detail = format!("nothing has ever ingested `{dir}`; give this host the ingest role, too");
        findings.warn("spool", &detail);
    }
    let Ok(location) = config.location() else { return };
    if location.shares_disk(&dir) {
        let ballast = config.spool.ballast;
        let detail = format!(
            "`{}` and the warehouse share a disk, so a full one stops both; {ballast} are set aside to free it again; \
             better a disk of its own for one of them",
            dir.display()
        );
        findings.warn("spool", &detail);
    }
}

/// What ingest is told whose intake runs elsewhere.
fn alone(dir: &Path) -> anyhow::Error {
    usage(format!(
        "ingest reads the spool of its own host, and no intake ever opened `{}` here; give this host the intake role, \
         too, or let the two meet in Kafka (`intake_topic` and `topics` in [kafka])",
        dir.display()
    ))
}

fn spool_state(dir: &Path) -> anyhow::Result<String> {
    writable(dir)?;
    if matches!(dir.try_exists(), Ok(false)) {
        return Ok(format!("`{}` will be made by the intake on this host", dir.display()));
    }
    let logs = spool::logs(dir).map_err(|error| usage(chain(&error)))?;
    if let Some(unreadable) = logs.unreadable.first() {
        return Err(usage(chain(&unreadable.error)));
    }
    let bytes = Bytes(spool::used_bytes(dir));
    Ok(format!("`{}` holds {bytes} of records in {} logs", dir.display(), logs.readable.len()))
}

/// From the intake to the page, telling each step.
async fn send_test(config: &Config, patience: Duration) -> anyhow::Result<()> {
    let started = Instant::now();
    let request_id = format!("bellwether-check-{}", uuid::Uuid::now_v7());
    let event = serde_json::json!({
        "request_id": request_id,
        "started_at": Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        "operation": "chat",
        "attempts": [{
            "provider": "bellwether", "model": "bellwether/self-test", "http_status": 200, "duration_ms": 1,
            "input_tokens": 1, "output_tokens": 1, "finish_reason": "stop"
        }]
    });
    let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build()?;
    let url = format!("http://{}/intake/native", config.intake.listen);
    let mut post = client.post(&url).json(&event);
    if let Some(token) = config.intake.tokens.first() {
        post = post.bearer_auth(token.expose_secret());
    }
    let response = post.send().await.map_err(|error| {
        usage(format!(
            "no intake answers at {url} ({error}); start `bellwether serve` with the intake role first"
        ))
    })?;
    anyhow::ensure!(response.status().is_success(), "the intake answered {}", response.status());
    println!("ok      intake took the event after {:.1} s", started.elapsed().as_secs_f64());

    let warehouse = Warehouse::open(&config.location()?).await.map_err(roles::as_usage)?;
    let version = wait(started, patience, "a row in `attempts`; is the ingest role running?", async || {
        row_version(&warehouse, &request_id).await
    })
    .await?;
    println!("ok      its row is in `attempts` after {:.1} s", started.elapsed().as_secs_f64());

    wait(started, patience, "the rollups; is the jobs role running?", async || {
        let at = warehouse.table(TableId::UsageDaily).await?.snapshot().folded();
        Ok(at.filter(|at| *at >= version))
    })
    .await?;
    println!("ok      the rollups hold it after {:.1} s", started.elapsed().as_secs_f64());

    let page = format!("http://{}/models/bellwether/self-test", config.web.listen);
    wait(started, patience, "its page; is the web role running?", async || {
        let status = client.get(&page).send().await.map(|response| response.status());
        Ok(status.is_ok_and(|status| status.is_success()).then_some(0))
    })
    .await?;
    println!("ok      {page} shows it after {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

async fn row_version(warehouse: &Warehouse, request_id: &str) -> anyhow::Result<Option<i64>> {
    let snapshot = warehouse.table(TableId::Attempts).await?.snapshot().clone();
    let version = snapshot.version();
    let ctx = snapshot.session(1);
    snapshot::register(&ctx, &[snapshot])?;
    let today = Utc::now().date_naive();
    let sql = format!(
        "SELECT event_id FROM attempts WHERE event_date >= DATE '{}' AND event_id = 'native:{request_id}:0'",
        today.pred_opt().unwrap_or(today)
    );
    let rows: usize = ctx.sql(&sql).await?.collect().await?.iter().map(|batch| batch.num_rows()).sum();
    Ok((rows > 0).then_some(version))
}

async fn wait(
    started: Instant,
    patience: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<i64>>,
) -> anyhow::Result<i64> {
    loop {
        if let Some(found) = look().await.with_context(|| format!("look for {what}"))? {
            return Ok(found);
        }
        anyhow::ensure!(started.elapsed() < patience, "waited {} s for {what}", patience.as_secs());
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
