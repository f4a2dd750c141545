//! `bellwether ingest`: where continuous ingest stands, and partitions that were stopped.

mod spool_log;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bellwether_ingest::metric;
use bellwether_ingest::sink::{Sink, Standing};
use bellwether_warehouse::Warehouse;
use chrono::{DateTime, SecondsFormat};
use clap::Subcommand;

use crate::config::Config;
use crate::exit::usage;
use crate::roles;

/// A process on this host answers at once or is not there.
const ASK: Duration = Duration::from_secs(2);

/// Says where ingest of Kafka and of the spool stands, and lets stopped partitions go on
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bellwether ingest status --warehouse ./bellwether-data\n  bellwether ingest resume llm-requests/3"
)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Position, newest record and state of every partition and of every log of this host's spool
    ///
    /// Positions and holds come from the tables, the end of a log from the spool. Lag of Kafka and other stops are those that a process on this host, if one
    /// runs with this configuration, tells on its admin port.
    #[command(after_help = "Example:\n  bellwether ingest status --json")]
    Status {
        /// Prints the report as JSON
        #[arg(long)]
        json: bool,
    },
    /// Lets partitions go on that were held because too many of their records were rejected
    ///
    /// The hold is a mark in the table `attempts`: it outlives restarts, and lifting it works from any host that can
    /// write to the warehouse. Whoever reads the partition goes on within seconds. Partitions that stopped for another
    /// cause are tried again by themselves.
    #[command(
        after_help = "Examples:\n  bellwether ingest resume llm-requests\n  bellwether ingest resume llm-requests/3"
    )]
    Resume {
        /// A topic, or one partition of it
        #[arg(value_name = "TOPIC[/PARTITION]")]
        partition: String,
    },
}

pub async fn run(args: Args, config: Config) -> anyhow::Result<()> {
    let warehouse = Warehouse::open(&config.location()?).await.map_err(roles::as_usage)?;
    let mut sink = Sink::open(&warehouse).await?;
    match args.action {
        Action::Status { json } => {
            sink.refresh().await?;
            let live = live(&config.admin.listen).await;
            let (of_spool, of_kafka): (Vec<Standing>, Vec<Standing>) =
                sink.standings().into_iter().partition(spool_log::is_one);
            let logs = spool_log::lines(of_spool, &config.spool_dir()?, live.as_ref());
            let mut lines: Vec<Line> =
                of_kafka.into_iter().map(|standing| Line::new(standing, live.as_ref())).collect();
            lines.extend(logs.lines);
            print(&lines, logs.elsewhere, json)
        }
        Action::Resume { partition } => {
            let (topic, number) = parse(&partition)?;
            let resumed = sink.resume(topic, number).await?;
            anyhow::ensure!(
                !resumed.is_empty(),
                "nothing of `{partition}` is held; see `bellwether ingest status`"
            );
            for standing in resumed {
                let Standing { topic, partition, attempts, .. } = standing;
                println!("{topic}/{partition} goes on at offset {attempts}");
            }
            Ok(())
        }
    }
}

/// Topic names hold no slash.
fn parse(partition: &str) -> anyhow::Result<(&str, Option<i32>)> {
    let Some((topic, number)) = partition.split_once('/') else { return Ok((partition, None)) };
    match number.parse() {
        Ok(number) if number >= 0 => Ok((topic, Some(number))),
        _ => Err(usage(format!("`{partition}`: `{number}` is no partition; write TOPIC or TOPIC/PARTITION"))),
    }
}

#[derive(Debug, serde::Serialize)]
struct Line {
    #[serde(flatten)]
    standing: Standing,
    /// The log's uuid, of one of the spool.
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
    /// Records between the table and the end of the log, as this host's process tells.
    lag: Option<i64>,
    state: &'static str,
}

impl Line {
    fn new(standing: Standing, live: Option<&Told>) -> Self {
        let known = live.and_then(|live| live.partitions.get(&(standing.topic.clone(), standing.partition)));
        let state = match (standing.is_held, known) {
            (true, _) => "held",
            (false, Some(live)) if live.is_stopped => "stopped",
            (false, Some(_)) => "read here",
            (false, None) => "",
        };
        Self { lag: known.and_then(|live| live.lag), log: None, state, standing }
    }
}

/// What a running process shows of one partition.
#[derive(Debug, Default, PartialEq, Eq)]
struct Live {
    lag: Option<i64>,
    is_stopped: bool,
}

/// What a running process shows of everything that it reads.
#[derive(Debug, Default)]
struct Told {
    partitions: BTreeMap<(String, i32), Live>,
    /// Names of the folders of logs of the spool that it cannot read.
    stopped_logs: BTreeSet<String>,
}

/// None: no process answers at this address.
async fn live(admin: &str) -> Option<Told> {
    let client = reqwest::Client::builder().timeout(ASK).build().ok()?;
    let answer = client.get(format!("http://{admin}/metrics")).send().await.ok()?;
    Some(parse_metrics(&answer.error_for_status().ok()?.text().await.ok()?))
}

/// The gauges of partitions among all metrics, in the text form of Prometheus.
fn parse_metrics(text: &str) -> Told {
    let mut found = Told::default();
    for line in text.lines() {
        let Some((name, rest)) = line.split_once('{') else { continue };
        let Some((labels, value)) = rest.rsplit_once('}') else { continue };
        let label = |wanted: &str| {
            labels.split(',').filter_map(|label| label.split_once('=')).find_map(|(name, value)| {
                (name.trim() == wanted).then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        let Ok(value) = value.trim().parse::<f64>() else { continue };
        if let Some(log) = label("log").filter(|_| name == metric::SPOOL_LOG_STOPPED && value > 0.0) {
            found.stopped_logs.insert(log);
        }
        let (Some(topic), Some(partition)) =
            (label("topic"), label("partition").and_then(|p| p.parse().ok()))
        else {
            continue;
        };
        let live = found.partitions.entry((topic, partition));
        match name {
            metric::LAG => live.or_default().lag = Some(value as i64),
            metric::STOPPED => live.or_default().is_stopped = value > 0.0,
            _ => {}
        }
    }
    found
}

/// `elsewhere`: logs that the tables know and the spool of this host does not hold.
fn print(lines: &[Line], elsewhere: usize, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(lines)?);
        return Ok(());
    }
    println!("{}", row(["topic", "partition", "next offset", "newest record", "lag", "state"]));
    for Line { standing, log, lag, state } in lines {
        let newest = standing.newest_record_millis.and_then(DateTime::from_timestamp_millis);
        let newest = newest.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default();
        let (partition, offset) = (standing.partition.to_string(), standing.attempts.to_string());
        let lag = lag.map(|lag| lag.to_string()).unwrap_or_default();
        let topic = match log {
            // Enough to tell the folders of one spool apart.
            Some(log) => format!("{}/{}", standing.topic, log.get(..8).unwrap_or(log)),
            None => standing.topic.clone(),
        };
        println!("{}", row([&topic, &partition, &offset, &newest, &lag, state]));
    }
    if elsewhere > 0 {
        println!("and {elsewhere} logs of spools that were ingested and deleted, or lie on other hosts");
    }
    Ok(())
}

fn row([topic, partition, offset, newest, lag, state]: [&str; 6]) -> String {
    let row = format!("{topic:<40} {partition:>9} {offset:>14} {newest:>20} {lag:>10} {state}");
    row.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Live, Told, parse, parse_metrics};

    #[test]
    fn a_topic_or_one_partition_is_named() {
        assert_eq!(parse("llm.requests").unwrap(), ("llm.requests", None));
        assert_eq!(parse("llm.requests/12").unwrap(), ("llm.requests", Some(12)));
        for wrong in ["t/", "t/x", "t/-1", "t/1/2"] {
            let error = parse(wrong).unwrap_err().to_string();
            assert!(error.contains("TOPIC/PARTITION"), "{error}");
        }
    }

    #[test]
    fn the_gauges_of_partitions_are_read_from_all_metrics() {
        let found = parse_metrics(
            "# TYPE bellwether_ingest_lag_records gauge\n\
             bellwether_ingest_lag_records{topic=\"t\",partition=\"3\"} 41\n\
             bellwether_ingest_stopped_partitions{partition=\"4\",topic=\"t\"} 1\n\
             bellwether_ingest_rows_total{source=\"native\"} 7\n\
             bellwether_spool_log_stopped{log=\"6f1c1f4e\"} 1\n\
             bellwether_spool_log_stopped{log=\"7a\"} 0\n\
             bellwether_ingest_paused{worker=\"kafka\"} 0\n",
        );
        let Told { partitions: found, stopped_logs } = found;
        assert_eq!(stopped_logs.into_iter().collect::<Vec<_>>(), ["6f1c1f4e"]);
        assert_eq!(found.len(), 2);
        assert_eq!(found[&("t".to_owned(), 3)], Live { lag: Some(41), is_stopped: false });
        assert_eq!(found[&("t".to_owned(), 4)], Live { lag: None, is_stopped: true });
    }
}
