//! `intake_daily`: what arrived, by the date it was committed and its source.
//!
//! Its rows come from the commits of `attempts` themselves, whose `commitInfo` has a member `intake`:
//! `[{"source": "...", "rows": n, "rejects": n, "duplicates": n}, …]`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Date32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Date32Type;
use bellwether_warehouse::{CommitEntry, TableId};
use chrono::{DateTime, NaiveDate};
use serde::Deserialize;
use serde_json::Value;

use super::Listen;
use crate::error::Error;

const MEMBER: &str = "intake";

#[derive(Deserialize)]
struct Arrived {
    source: String,
    #[serde(default)]
    rows: i64,
    #[serde(default)]
    rejects: i64,
    #[serde(default)]
    duplicates: i64,
}

/// Sums by date and source.
#[derive(Debug, Default)]
pub(crate) struct Intake(BTreeMap<(NaiveDate, String), [i64; 3]>);

impl Listen for Intake {
    fn add(&mut self, commit: &CommitEntry) {
        let millis = commit.info.get("timestamp").and_then(Value::as_i64);
        let Some(at) = millis.and_then(DateTime::from_timestamp_millis) else {
            return;
        };
        let Some(members) = commit.info.get(MEMBER).and_then(Value::as_array) else {
            return;
        };
        for member in members {
            let Ok(arrived) = Arrived::deserialize(member) else {
                tracing::warn!(
                    version = commit.version,
                    "a commit of attempts has an intake member of another form"
                );
                continue;
            };
            let sums = self.0.entry((at.date_naive(), arrived.source)).or_default();
            for (sum, n) in sums.iter_mut().zip([arrived.rows, arrived.rejects, arrived.duplicates]) {
                *sum = sum.saturating_add(n);
            }
        }
    }

    fn rows(&self) -> Result<RecordBatch, Error> {
        let schema = TableId::IntakeDaily.schema();
        let sum =
            |at: usize| Arc::new(self.0.values().map(|sums| sums.get(at).copied()).collect::<Int64Array>());
        RecordBatch::try_new(
            schema,
            vec![
                Arc::new(
                    self.0
                        .keys()
                        .map(|key| Some(Date32Type::from_naive_date(key.0)))
                        .collect::<Date32Array>(),
                ),
                Arc::new(self.0.keys().map(|key| Some(key.1.as_str())).collect::<StringArray>()),
                sum(0),
                sum(1),
                sum(2),
            ],
        )
        .map_err(|source| Error::Query { statement: "intake", source: Box::new(source.into()) })
    }
}
