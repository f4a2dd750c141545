use arrow::datatypes::DataType;
use bellwether_warehouse::TableId;
use chrono::NaiveDate;
use datafusion::prelude::SessionContext;
use serde_json::{Value, json};

use crate::health::testing::put;
use crate::{Catalogue, Keyless, Model, Named, Terms};

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Puts rows in the place of a table that another statement makes. What a row does not say is null, or where that may not
/// be, the least there is.
pub(crate) fn stand_in(ctx: &SessionContext, table: TableId, mut rows: Vec<Value>) {
    for row in &mut rows {
        let row = row.as_object_mut().unwrap();
        for field in table.schema().fields() {
            if field.is_nullable() || row.contains_key(field.name()) {
                continue;
            }
            let least = match field.data_type() {
                DataType::Utf8 => json!(""),
                DataType::Boolean => json!(false),
                DataType::Date32 => json!("1970-01-01"),
                DataType::Timestamp(..) => json!("1970-01-01T00:00:00Z"),
                DataType::Decimal128(..) => json!("0"),
                _ => json!(0),
            };
            row.insert(field.name().clone(), least);
        }
    }
    put(ctx, table, rows);
}

/// A small catalogue, on Wednesday 25 November 2026.
pub(crate) fn terms() -> Terms {
    let model = |id: &str, author: &str| Model {
        id: id.into(),
        author: author.into(),
        name: format!("Name of {id}"),
    };
    let named = |id: &str| Named { id: id.into(), name: format!("Name of {id}") };
    Terms {
        catalogue: Catalogue {
            models: vec![model("acme/one", "acme"), model("acme/two", "acme"), model("solo/one", "solo")],
            // `solo` has no entry: its slug stands for it.
            authors: vec![named("acme")],
            providers: ["north", "south"].map(named).into(),
            ..Catalogue::default()
        },
        users: 20,
        keyless: Keyless::Hide,
        has_raw_names: false,
        growth_requests: 1,
        counted_attempts: 1,
        speed_requests: 1,
        watermark: "2026-11-25T12:00:00Z".parse().unwrap(),
        today: date("2026-11-25"),
    }
}
