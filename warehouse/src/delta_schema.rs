//! Table schemas as Delta writes them: the first log entry of a table, and new columns of an old one.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Field};
use serde_json::{Value, json};

use crate::error::Error;
use crate::log::action::{Action, Format, MetaData, Protocol};
use crate::tables::TableId;
use crate::world::World;

/// What has to be done so that a stored table has every column of this binary.
pub(crate) enum Extension {
    None,
    Add(Vec<Action>),
    /// The table has columns that this binary does not know: a newer one made them.
    StoredIsNewer,
}

/// First log entry of a table: the oldest protocol that every engine reads, no features.
pub(crate) fn creation(id: TableId, world: &World) -> Vec<Action> {
    let now = world.wall_millis();
    let mut configuration = BTreeMap::new();
    if !id.stats_columns().is_empty() {
        configuration.insert("delta.dataSkippingStatsColumns".to_owned(), id.stats_columns().join(","));
    }
    let metadata = MetaData {
        id: world.uuid().to_string(),
        name: None,
        description: None,
        format: Format { provider: "parquet".to_owned(), options: BTreeMap::new() },
        schema_string: schema_string(id),
        partition_columns: id.partition_column().map(str::to_owned).into_iter().collect(),
        configuration,
        created_time: Some(now),
    };
    vec![
        commit_info("CREATE TABLE", now),
        Action {
            protocol: Some(Protocol { min_reader_version: 1, min_writer_version: 2 }),
            ..Action::default()
        },
        Action { meta_data: Some(metadata), ..Action::default() },
    ]
}

/// Compares the stored columns with ours. Stored ones keep their places, also those that this binary does not
/// know; ours that are missing come behind them.
///
/// # Errors
/// `ColumnType` when a column has another type: no such change is ever made in place.
pub(crate) fn extension(id: TableId, stored: &MetaData, world: &World) -> Result<Extension, Error> {
    let table = id.name();
    let damaged =
        |detail: String| Error::Damaged { table, path: crate::log_folder::FOLDER.to_owned(), detail };
    let schema: Value =
        serde_json::from_str(&stored.schema_string).map_err(|e| damaged(format!("schemaString: {e}")))?;
    let fields = schema.get("fields").and_then(Value::as_array);
    let mut fields = fields.cloned().ok_or_else(|| damaged("schemaString: it has no `fields`".to_owned()))?;
    let name = |field: &Value| field.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let ours = id.schema();
    let mut missing = Vec::new();
    for field in ours.fields() {
        let Some(found) = fields.iter().find(|f| name(f) == *field.name()) else {
            missing.push(delta_field(field));
            continue;
        };
        let expected = delta_type(field.data_type());
        let stored = found.get("type").cloned().unwrap_or_default();
        if !same_type(&stored, &expected) {
            let (stored, expected) = (stored.to_string(), expected.to_string());
            return Err(Error::ColumnType { table, column: field.name().clone(), stored, expected });
        }
    }
    if missing.is_empty() {
        let is_newer = fields.iter().any(|f| ours.field_with_name(&name(f)).is_err());
        return Ok(if is_newer { Extension::StoredIsNewer } else { Extension::None });
    }
    fields.append(&mut missing);
    let metadata = MetaData { schema_string: struct_of(&fields), ..stored.clone() };
    Ok(Extension::Add(vec![
        commit_info("ADD COLUMNS", world.wall_millis()),
        Action { meta_data: Some(metadata), ..Action::default() },
    ]))
}

/// Changes whenever a column of any table does.
pub(crate) fn fingerprint() -> String {
    let mut hasher = blake3::Hasher::new();
    for id in TableId::ALL {
        hasher.update(id.name().as_bytes()).update(schema_string(id).as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

fn commit_info(operation: &str, now_millis: i64) -> Action {
    let engine = concat!("bellwether/", env!("CARGO_PKG_VERSION"));
    let info = [
        ("timestamp".to_owned(), json!(now_millis)),
        ("operation".to_owned(), json!(operation)),
        ("engineInfo".to_owned(), json!(engine)),
    ];
    Action { commit_info: Some(info.into_iter().collect()), ..Action::default() }
}

fn schema_string(id: TableId) -> String {
    let schema = id.schema();
    struct_of(&schema.fields().iter().map(|field| delta_field(field)).collect::<Vec<_>>())
}

fn struct_of(fields: &[Value]) -> String {
    json!({"type": "struct", "fields": fields}).to_string()
}

/// Nullability is not enforced by Delta readers, and an old file lacks a new column: all are nullable.
fn delta_field(field: &Field) -> Value {
    json!({"name": field.name(), "type": delta_type(field.data_type()), "nullable": true, "metadata": {}})
}

fn delta_type(data_type: &DataType) -> Value {
    match data_type {
        DataType::Utf8 => json!("string"),
        DataType::Binary => json!("binary"),
        DataType::Boolean => json!("boolean"),
        DataType::Int16 => json!("short"),
        DataType::Int32 => json!("integer"),
        DataType::Int64 => json!("long"),
        DataType::Float64 => json!("double"),
        DataType::Date32 => json!("date"),
        DataType::Timestamp(_, _) => json!("timestamp"),
        DataType::Decimal128(precision, scale) => json!(format!("decimal({precision},{scale})")),
        DataType::List(element) => {
            json!({"type": "array", "elementType": delta_type(element.data_type()), "containsNull": true})
        }
        other => unreachable!("no table has a column of type {other}"),
    }
}

fn same_type(stored: &Value, expected: &Value) -> bool {
    let element = |value: &Value| value.get("elementType").cloned();
    stored == expected || (element(stored).is_some() && element(stored) == element(expected))
}
