//! What every statement reads: the terms, the catalogue, and the rollups with names made plain.

use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use crate::{Error, Terms, functions};

/// Name, statement, and the tables without which there is no such view. In the order in which they are made: a later one
/// may read an earlier one.
pub(crate) const VIEWS: &[(&str, &str, &[&str])] = &[
    ("history", include_str!("history.sql"), &["usage_daily"]),
    ("named_usage", include_str!("named_usage.sql"), &["usage_daily"]),
    ("cells", include_str!("cells.sql"), &["named_usage", "gate"]),
    ("app_cells", include_str!("app_cells.sql"), &["app_daily", "gate"]),
    ("placed_cells", include_str!("placed_cells.sql"), &["cells"]),
    ("keyed_cells", include_str!("keyed_cells.sql"), &["placed_cells"]),
    ("periods", include_str!("periods.sql"), &["history"]),
    ("period_days", include_str!("period_days.sql"), &["periods"]),
    (
        "health_cells",
        include_str!("health/cells.sql"),
        &["health_5m", "health_hourly", "health_daily", "gate"],
    ),
];

/// Adds tables `terms`, `catalogue_models`, `catalogue_authors`, `catalogue_providers`, those of facts and prices, functions, and
/// the views to a session that holds rollups and published tables. A view of which it does not hold all tables is left out.
///
/// # Errors
/// A view does not fit its tables.
pub async fn register(ctx: &SessionContext, terms: &Terms) -> Result<(), Error> {
    let failed = |source: DataFusionError| Error::Prepare(Box::new(source));
    let rows = [
        ("terms", terms.rows()),
        ("catalogue_models", terms.catalogue.model_rows()),
        ("catalogue_authors", terms.catalogue.author_rows()),
        ("catalogue_providers", terms.catalogue.provider_rows()),
        ("catalogue_model_facts", terms.catalogue.facts.model_rows()),
        ("catalogue_provider_facts", terms.catalogue.facts.provider_rows()),
        ("catalogue_prices", terms.catalogue.facts.price_rows()),
    ];
    for (name, batch) in rows {
        ctx.register_batch(name, batch.map_err(|error| failed(error.into()))?).map_err(failed)?;
    }
    functions::register(ctx, terms);
    for (name, sql, reads) in VIEWS {
        let mut has_all = true;
        for table in *reads {
            has_all &= ctx.table_exist(*table).map_err(failed)?;
        }
        if !has_all {
            continue;
        }
        let view = ctx.sql(sql).await.map_err(failed)?.into_view();
        ctx.register_table(*name, view).map_err(failed)?;
    }
    Ok(())
}
