//! Since when what is published is published under the terms of now.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use bellwether_warehouse::{DataFile, Snapshot};
use chrono::{DateTime, Utc};
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use crate::Error;

const LAST_OF_TERMS: &str = include_str!("last_of_terms.sql");
const FIRST_AFTER: &str = "SELECT min(published_at) AS since FROM publications WHERE number > $1";

/// Follows the rows of `publications`: after the first look it reads those alone that are new, of which there may be one every
/// few seconds for years.
#[derive(Clone, Debug, Default)]
pub struct TermsSince {
    newest: Option<Newest>,
    since: Option<DateTime<Utc>>,
}

/// The newest publication that was read.
#[derive(Clone, Debug)]
struct Newest {
    number: i64,
    terms: String,
}

impl TermsSince {
    /// When the newest terms began to hold: at the first publication after the last one of others. None: there were never
    /// others.
    ///
    /// # Errors
    /// The rows cannot be read. The next look reads them again.
    pub async fn follow(&mut self, publications: &Snapshot) -> Result<Option<DateTime<Utc>>, Error> {
        self.read(publications).await.map_err(|source| Error::Publications { source: Box::new(source) })?;
        Ok(self.since)
    }

    async fn read(&mut self, publications: &Snapshot) -> Result<(), DataFusionError> {
        let read_to = self.newest.as_ref().map_or(-1, |newest| newest.number);
        let last = |file: &DataFile| file.bounds().number("number").most.unwrap_or(i64::MAX);
        let new: Vec<DataFile> =
            publications.files().iter().filter(|file| last(file) > read_to).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        let ctx = publications.session(1);
        ctx.register_table(super::NAME, publications.provider_over(new))?;
        let lasts = last_of_terms(&ctx, read_to).await?;
        let Some(newest) = lasts.first().cloned() else { return Ok(()) };
        let before = self.newest.take().filter(|before| before.terms != newest.terms);
        if let Some(other) = lasts.get(1).cloned().or(before) {
            self.since = first_after(&ctx, other.number).await?;
        }
        self.newest = Some(newest);
        Ok(())
    }
}

async fn last_of_terms(ctx: &SessionContext, read_to: i64) -> Result<Vec<Newest>, DataFusionError> {
    let mut lasts = Vec::new();
    for batch in answer(ctx, LAST_OF_TERMS, read_to).await? {
        let (texts, numbers) =
            (batch.column(0).as_string::<i32>(), batch.column(1).as_primitive::<Int64Type>());
        let rows = texts.iter().zip(numbers.values());
        lasts.extend(
            rows.map(|(terms, number)| Newest {
                terms: terms.unwrap_or_default().to_owned(),
                number: *number,
            }),
        );
    }
    Ok(lasts)
}

async fn first_after(ctx: &SessionContext, number: i64) -> Result<Option<DateTime<Utc>>, DataFusionError> {
    let batches = answer(ctx, FIRST_AFTER, number).await?;
    let instants = batches.iter().map(|batch| batch.column(0).as_primitive::<TimestampMicrosecondType>());
    let micros = instants.flat_map(|instants| instants.iter().flatten()).next();
    Ok(micros.and_then(DateTime::from_timestamp_micros))
}

async fn answer(ctx: &SessionContext, sql: &str, number: i64) -> Result<Vec<RecordBatch>, DataFusionError> {
    ctx.sql(sql).await?.with_param_values(vec![ScalarValue::from(number)])?.collect().await
}
