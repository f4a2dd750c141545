//! Columns of `intake_daily`.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("date", DataType::Date32, false),
        Field::new("source", DataType::Utf8, false),
        Field::new("rows", DataType::Int64, false),
        Field::new("rejects", DataType::Int64, false),
        Field::new("duplicates", DataType::Int64, false),
    ]))
}
