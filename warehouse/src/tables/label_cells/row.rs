//! One cell of labelled traffic as borrowed values, and its builder.

use arrow::array::builder::{Date32Builder, Float64Builder, Int64Builder, StringBuilder};

use super::schema;
use crate::tables::rows::row_builder;

/// Partial sums of one cell in one commit. `week` is the Monday, in days since 1970.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelCellRow<'a> {
    pub week: i32,
    pub nl: &'a str,
    pub nl_src: &'a str,
    pub code_in: &'a str,
    pub code_in_src: &'a str,
    pub code_out: &'a str,
    pub code_out_src: &'a str,
    pub cat: &'a str,
    pub cat_src: &'a str,
    pub task: Option<&'a str>,
    pub model_id: Option<&'a str>,
    pub user_key: Option<i64>,
    pub n: i64,
    pub sum_w: f64,
    pub sum_wt: f64,
    pub sum_wt2: f64,
    pub sum_w_ok: f64,
}

row_builder! {
    /// Collects rows; `finish` gives one batch with the table's schema and leaves the builder empty.
    Builder for LabelCellRow<'_> as row, schema schema;
    week: Date32Builder = row.week;
    nl: StringBuilder = row.nl;
    nl_src: StringBuilder = row.nl_src;
    code_in: StringBuilder = row.code_in;
    code_in_src: StringBuilder = row.code_in_src;
    code_out: StringBuilder = row.code_out;
    code_out_src: StringBuilder = row.code_out_src;
    cat: StringBuilder = row.cat;
    cat_src: StringBuilder = row.cat_src;
    task: StringBuilder = row.task;
    model_id: StringBuilder = row.model_id;
    user_key: Int64Builder = row.user_key;
    n: Int64Builder = row.n;
    sum_w: Float64Builder = row.sum_w;
    sum_wt: Float64Builder = row.sum_wt;
    sum_wt2: Float64Builder = row.sum_wt2;
    sum_w_ok: Float64Builder = row.sum_w_ok;
}
