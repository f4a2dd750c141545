//! Since when what is published is published under the terms of now.

use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;
use bellwether_warehouse::Snapshot;
use chrono::{DateTime, Utc};
use datafusion::error::DataFusionError;

use super::Publication;
use crate::Error;

const TERMS_SINCE: &str = include_str!("terms_since.sql");

impl Publication {
    /// When the newest terms began to hold. None: there were never others.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub async fn terms_since(publications: &Snapshot) -> Result<Option<DateTime<Utc>>, Error> {
        let since = async {
            let ctx = publications.session(1);
            let files = publications.provider_over(publications.files().to_vec());
            ctx.register_table(super::NAME, files)?;
            let batches = ctx.sql(TERMS_SINCE).await?.collect().await?;
            let instants =
                batches.iter().map(|batch| batch.column(0).as_primitive::<TimestampMicrosecondType>());
            let micros = instants.flat_map(|instants| instants.iter().flatten()).next();
            Ok(micros.and_then(DateTime::from_timestamp_micros))
        };
        since.await.map_err(|source: DataFusionError| Error::Publications { source: Box::new(source) })
    }
}
