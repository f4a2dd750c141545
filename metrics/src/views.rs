//! What every statement reads: the terms, the catalogue, and the rollups with names made plain.

use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use crate::{Error, Terms};

/// In the order in which they are made: a later one may read an earlier one.
pub(crate) const VIEWS: &[(&str, &str)] = &[
    ("history", include_str!("history.sql")),
    ("cells", include_str!("cells.sql")),
    ("placed_cells", include_str!("placed_cells.sql")),
    ("keyed_cells", include_str!("keyed_cells.sql")),
    ("periods", include_str!("periods.sql")),
    ("period_days", include_str!("period_days.sql")),
];

/// Adds tables `terms`, `catalogue_models`, `catalogue_authors`, `catalogue_providers` and the views to a session that
/// holds rollups and published tables.
///
/// # Errors
/// A table that a view reads is missing.
pub async fn register(ctx: &SessionContext, terms: &Terms) -> Result<(), Error> {
    let failed = |source: DataFusionError| Error::Prepare(Box::new(source));
    let rows = [
        ("terms", terms.rows()),
        ("catalogue_models", terms.catalogue.model_rows()),
        ("catalogue_authors", terms.catalogue.author_rows()),
        ("catalogue_providers", terms.catalogue.provider_rows()),
    ];
    for (name, batch) in rows {
        ctx.register_batch(name, batch.map_err(|error| failed(error.into()))?).map_err(failed)?;
    }
    for (name, sql) in VIEWS {
        let view = ctx.sql(sql).await.map_err(failed)?.into_view();
        ctx.register_table(*name, view).map_err(failed)?;
    }
    Ok(())
}
