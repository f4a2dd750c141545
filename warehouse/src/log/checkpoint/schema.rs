//! Columns of a classic checkpoint: one nullable struct per kind of action, exactly one set a row.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};

/// Members are named and nested as Delta's protocol and Parquet's list and map rules say; every reader finds
/// columns by these names.
pub(super) fn schema() -> SchemaRef {
    let text = DataType::Utf8;
    let (int, long, boolean) = (DataType::Int32, DataType::Int64, DataType::Boolean);
    let protocol = vec![need("minReaderVersion", &int), need("minWriterVersion", &int)];
    let format = vec![need("provider", &text), map("options", false)];
    let meta_data = vec![
        need("id", &text),
        may("name", &text),
        may("description", &text),
        Field::new("format", DataType::Struct(format.into()), false),
        need("schemaString", &text),
        list("partitionColumns"),
        map("configuration", false),
        may("createdTime", &long),
    ];
    let txn = vec![need("appId", &text), need("version", &long), may("lastUpdated", &long)];
    let remove = vec![
        need("path", &text),
        may("deletionTimestamp", &long),
        need("dataChange", &boolean),
        may("extendedFileMetadata", &boolean),
        map("partitionValues", true),
        may("size", &long),
    ];
    let add = vec![
        need("path", &text),
        map("partitionValues", false),
        need("size", &long),
        need("modificationTime", &long),
        need("dataChange", &boolean),
        may("stats", &text),
        map("tags", true),
    ];
    let kinds =
        [("protocol", protocol), ("metaData", meta_data), ("txn", txn), ("remove", remove), ("add", add)];
    let columns: Fields =
        kinds.into_iter().map(|(kind, members)| Field::new_struct(kind, members, true)).collect();
    Arc::new(Schema::new(columns))
}

fn need(name: &str, kind: &DataType) -> Field {
    Field::new(name, kind.clone(), false)
}

fn may(name: &str, kind: &DataType) -> Field {
    Field::new(name, kind.clone(), true)
}

fn map(name: &str, nullable: bool) -> Field {
    let (key, value) = (need("key", &DataType::Utf8), may("value", &DataType::Utf8));
    Field::new_map(name, "key_value", key, value, false, nullable)
}

fn list(name: &str) -> Field {
    Field::new_list(name, need("element", &DataType::Utf8), false)
}
