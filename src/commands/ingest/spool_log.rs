//! The logs of this host's spool, and what the tables hold of each.

use std::collections::BTreeMap;
use std::path::Path;

use bellwether_ingest::batch::Stream;
use bellwether_ingest::sink::Standing;
use bellwether_ingest::spool;

use super::{Line, Told};

const TOPIC: &str = "spool";

pub(super) struct Logs {
    /// Of each log in the folder, oldest first, then of those that cannot be read.
    pub(super) lines: Vec<Line>,
    /// Logs that the tables know and the folder does not hold.
    pub(super) elsewhere: usize,
}

pub(super) fn is_one(standing: &Standing) -> bool {
    uuid(standing).is_some_and(|uuid| uuid::Uuid::try_parse(uuid).is_ok())
}

/// `ingest/<uuid>/spool/0/0`
fn uuid(standing: &Standing) -> Option<&str> {
    standing.app.strip_prefix("ingest/")?.strip_suffix("/spool/0/0")
}

pub(super) fn lines(standings: Vec<Standing>, dir: &Path, live: Option<&Told>) -> Logs {
    let mut known: BTreeMap<String, Standing> =
        standings.into_iter().filter_map(|standing| Some((uuid(&standing)?.to_owned(), standing))).collect();
    let found = spool::logs(dir).unwrap_or_default();
    let is_read = live.is_some_and(|live| live.partitions.contains_key(&(TOPIC.to_owned(), 0)));
    let name = |log: &Path| log.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut lines = Vec::new();
    for log in &found.readable {
        let uuid = log.uuid().to_string();
        let standing = known.remove(&uuid).unwrap_or_else(|| unknown(Stream::spool(log.uuid()).app().0));
        let state = match live {
            Some(live) if live.stopped_logs.contains(&name(log.dir())) => "stopped",
            _ if is_read => "read here",
            _ => "",
        };
        let lag = Some((log.head() - standing.attempts).max(0));
        lines.push(Line { standing, log: Some(uuid), lag, state });
    }
    for log in &found.unreadable {
        let name = name(&log.dir);
        let standing = known.remove(&name).unwrap_or_else(|| unknown(format!("ingest/{name}/spool/0/0")));
        lines.push(Line { standing, log: Some(name), lag: None, state: "unreadable" });
    }
    Logs { lines, elsewhere: known.len() }
}

/// A log that the tables hold nothing of.
fn unknown(app: String) -> Standing {
    Standing {
        app,
        topic: TOPIC.to_owned(),
        partition: 0,
        attempts: 0,
        labels: None,
        rejects: None,
        newest_record_millis: None,
        is_held: false,
    }
}
