//! Rows as text, batch by batch: what is held at a time does not grow with the answer.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::csv::WriterBuilder;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::json::writer::{JsonArray, Writer};
use arrow::util::pretty::pretty_format_batches;

use crate::commands::Format;

/// Rows that are laid out together. A longer answer comes as several tables, each with columns as wide as its
/// own rows need.
const TABLE_ROWS: usize = 10_000;

pub(super) struct Printer {
    /// Of what is shown: sketches are text there.
    schema: SchemaRef,
    form: Form,
}

enum Form {
    Table { held: Vec<RecordBatch>, rows: usize, is_first: bool },
    Csv { has_header: bool },
    Json(Writer<Vec<u8>, JsonArray>),
}

impl Printer {
    pub(super) fn new(format: Format, schema: &Schema) -> Self {
        let form = match format {
            Format::Table => Form::Table { held: Vec::new(), rows: 0, is_first: true },
            Format::Csv => Form::Csv { has_header: false },
            Format::Json => {
                let builder = arrow::json::WriterBuilder::new().with_explicit_nulls(true);
                Form::Json(builder.build(Vec::new()))
            }
        };
        Self { schema: shown(schema), form }
    }

    /// Text that is ready.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> anyhow::Result<Vec<u8>> {
        let batch = readable(&self.schema, batch)?;
        match &mut self.form {
            Form::Table { held, rows, is_first } => {
                *rows += batch.num_rows();
                held.push(batch);
                if *rows < TABLE_ROWS {
                    return Ok(Vec::new());
                }
                (*rows, *is_first) = (0, false);
                table(&std::mem::take(held))
            }
            Form::Csv { has_header } => {
                let mut text = Vec::new();
                let is_first = !std::mem::replace(has_header, true);
                WriterBuilder::new().with_header(is_first).build(&mut text).write(&batch)?;
                Ok(text)
            }
            Form::Json(writer) => {
                writer.write(&batch)?;
                Ok(std::mem::take(writer.get_mut()))
            }
        }
    }

    /// The rest. An answer without rows still tells its columns.
    pub(super) fn finish(mut self) -> anyhow::Result<Vec<u8>> {
        let nothing = RecordBatch::new_empty(Arc::clone(&self.schema));
        match &mut self.form {
            Form::Table { held, is_first: true, .. } if held.is_empty() => table(&[nothing]),
            Form::Table { held, .. } if held.is_empty() => Ok(Vec::new()),
            Form::Table { held, .. } => table(held),
            Form::Csv { has_header: true } => Ok(Vec::new()),
            Form::Csv { has_header: false } => self.add(&nothing),
            Form::Json(writer) => {
                writer.finish()?;
                let mut text = std::mem::take(writer.get_mut());
                text.push(b'\n');
                Ok(text)
            }
        }
    }
}

fn table(batches: &[RecordBatch]) -> anyhow::Result<Vec<u8>> {
    Ok(format!("{}\n", pretty_format_batches(batches)?).into_bytes())
}

fn shown(schema: &Schema) -> SchemaRef {
    let is_binary = |field: &Field| field.data_type() == &DataType::Binary;
    let fields = schema.fields().iter().map(|field| match is_binary(field) {
        true => Field::new(field.name(), DataType::Utf8, true),
        false => field.as_ref().clone(),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Sketch bytes become hexadecimal text, which every output format can show.
fn readable(schema: &SchemaRef, batch: &RecordBatch) -> anyhow::Result<RecordBatch> {
    let hex = |column: &ArrayRef| -> ArrayRef {
        match column.as_binary_opt::<i32>() {
            Some(bytes) => Arc::new(bytes.iter().map(|value| value.map(to_hex)).collect::<StringArray>()),
            None => Arc::clone(column),
        }
    };
    Ok(RecordBatch::try_new(Arc::clone(schema), batch.columns().iter().map(hex).collect())?)
}

fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use arrow::array::{BinaryArray, Int64Array};

    use super::*;

    fn batch(from: i64, to: i64) -> RecordBatch {
        let sketches: BinaryArray = (from..to).map(|n| Some(vec![n as u8, 255])).collect();
        let columns: [(&str, ArrayRef); 2] =
            [("n", Arc::new(Int64Array::from_iter_values(from..to))), ("sketch", Arc::new(sketches))];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    /// Text after each of the batches, and at the end.
    fn printed(format: Format, batches: &[RecordBatch]) -> Vec<String> {
        let mut printer = Printer::new(format, &batch(0, 0).schema());
        let mut parts: Vec<Vec<u8>> = batches.iter().map(|batch| printer.add(batch).unwrap()).collect();
        parts.push(printer.finish().unwrap());
        parts.into_iter().map(|part| String::from_utf8(part).unwrap()).collect()
    }

    #[test]
    fn rows_are_told_as_soon_as_they_come() {
        let two = [batch(0, 2), batch(2, 3)];
        assert_eq!(printed(Format::Csv, &two), ["n,sketch\n0,00ff\n1,01ff\n", "2,02ff\n", ""]);
        let json = printed(Format::Json, &two);
        assert!(json[0].contains(r#"{"n":1,"sketch":"01ff"}"#) && json[1].contains(r#""n":2"#), "{json:?}");
        let whole: serde_json::Value = serde_json::from_str(&json.concat()).unwrap();
        assert_eq!(whole.as_array().unwrap().len(), 3);
    }

    #[test]
    fn a_short_answer_is_one_table_and_a_long_one_several() {
        let short = printed(Format::Table, &[batch(0, 2), batch(2, 3)]);
        assert_eq!(
            short.concat(),
            "+---+--------+\n| n | sketch |\n+---+--------+\n| 0 | 00ff   |\n| 1 | 01ff   |\n| 2 | 02ff   |\n+---+--------+\n"
        );
        let long = printed(Format::Table, &[batch(0, 9_000), batch(9_000, 10_000), batch(10_000, 10_001)]);
        let rows = |text: &str| text.lines().filter(|line| line.starts_with('|')).count();
        assert_eq!(long.iter().map(|text| rows(text)).collect::<Vec<_>>(), [0, 10_001, 0, 2]);
        let even = printed(Format::Table, &[batch(0, 10_000)]);
        assert_eq!(even.iter().map(|text| rows(text)).collect::<Vec<_>>(), [10_001, 0]);
    }

    #[test]
    fn an_answer_without_rows_tells_its_columns() {
        assert_eq!(printed(Format::Csv, &[]), ["n,sketch\n"]);
        assert_eq!(printed(Format::Json, &[]), ["[]\n"]);
        assert!(printed(Format::Table, &[])[0].contains("| n | sketch |"));
    }
}
