//! `bellwether sql`: one read-only statement over a local warehouse, for its operator.

use std::io::{Read, Write};

use anyhow::Context;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use bellwether_warehouse::{TableId, Warehouse, session};
use datafusion::execution::context::SQLOptions;
use std::sync::Arc;

use super::Format;
use crate::config::Config;
use crate::exit::usage;
use crate::roles;

/// Runs one read-only SQL statement over the warehouse
///
/// Tables: attempts, rejects, label_cells, imports, usage_hourly, usage_daily, health_5m, health_hourly,
/// health_daily, routing_hourly, intake_daily, and the view requests. Rollups hold partial rows: group and
/// sum them; sketches merge with ddsketch_merge and hll_merge and are read with ddsketch_quantile(sketch, q)
/// and hll_estimate(sketch).
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bellwether sql \"SELECT model_id, sum(requests) FROM usage_daily GROUP BY 1 ORDER BY 2 DESC LIMIT 5\" --warehouse ./bellwether-demo\n  bellwether sql \"SHOW TABLES\" --format csv\n  echo \"SELECT count(*) FROM attempts\" | bellwether sql -"
)]
pub struct Args {
    /// The statement, or `-` to read it from standard input
    statement: String,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

pub async fn run(args: Args, config: Config) -> anyhow::Result<()> {
    let statement = if args.statement == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("read the statement from standard input")?;
        text
    } else {
        args.statement
    };
    let warehouse = Warehouse::open(&config.location()?).await.map_err(roles::as_usage)?;
    let mut snapshots = Vec::new();
    for id in TableId::ALL {
        snapshots.push(warehouse.table(id).await?.snapshot().clone());
    }
    let ctx = session::session(std::thread::available_parallelism().map_or(2, usize::from));
    session::register(&ctx, &snapshots)?;
    let read_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false);
    let frame = ctx
        .sql_with_options(&statement, read_only)
        .await
        .map_err(|error| usage(format!("statement refused: {}", error.strip_backtrace())))?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let batches = frame.collect().await.context("run the statement")?;
    print(&readable(&schema, &batches)?, args.format)
}

/// Sketch bytes become hexadecimal text, which every output format can show.
fn readable(schema: &Schema, batches: &[RecordBatch]) -> anyhow::Result<Vec<RecordBatch>> {
    let is_binary = |field: &Field| field.data_type() == &DataType::Binary;
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|f| if is_binary(f) { Field::new(f.name(), DataType::Utf8, true) } else { f.as_ref().clone() })
        .collect();
    let shown = Arc::new(Schema::new(fields));
    if batches.is_empty() {
        return Ok(vec![RecordBatch::new_empty(shown)]);
    }
    let hex = |column: &ArrayRef| -> ArrayRef {
        let bytes = column.as_binary::<i32>();
        Arc::new(bytes.iter().map(|value| value.map(to_hex)).collect::<StringArray>())
    };
    batches
        .iter()
        .map(|batch| {
            let columns = batch
                .columns()
                .iter()
                .map(|c| if c.data_type() == &DataType::Binary { hex(c) } else { c.clone() })
                .collect();
            Ok(RecordBatch::try_new(shown.clone(), columns)?)
        })
        .collect()
}

fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn print(batches: &[RecordBatch], format: Format) -> anyhow::Result<()> {
    let mut out = Vec::new();
    match format {
        Format::Table => writeln!(out, "{}", arrow::util::pretty::pretty_format_batches(batches)?)?,
        Format::Csv => {
            let mut writer = arrow::csv::Writer::new(&mut out);
            for batch in batches {
                writer.write(batch)?;
            }
        }
        Format::Json => {
            let mut writer = arrow::json::WriterBuilder::new()
                .with_explicit_nulls(true)
                .build::<_, arrow::json::writer::JsonArray>(&mut out);
            for batch in batches {
                writer.write(batch)?;
            }
            writer.finish()?;
            drop(writer);
            out.push(b'\n');
        }
    }
    match std::io::stdout().write_all(&out) {
        // The reader closed the pipe (`| head`): nothing left to say.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
