//! Columns of `label_cells`.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("week", DataType::Date32, false),
        Field::new("nl", DataType::Utf8, false),
        Field::new("nl_src", DataType::Utf8, false),
        Field::new("code_in", DataType::Utf8, false),
        Field::new("code_in_src", DataType::Utf8, false),
        Field::new("code_out", DataType::Utf8, false),
        Field::new("code_out_src", DataType::Utf8, false),
        Field::new("cat", DataType::Utf8, false),
        Field::new("cat_src", DataType::Utf8, false),
        Field::new("task", DataType::Utf8, true),
        Field::new("model_id", DataType::Utf8, true),
        Field::new("user_key", DataType::Int64, true),
        Field::new("n", DataType::Int64, false),
        Field::new("sum_w", DataType::Float64, false),
        Field::new("sum_wt", DataType::Float64, false),
        Field::new("sum_wt2", DataType::Float64, false),
        Field::new("sum_w_ok", DataType::Float64, false),
    ]))
}
