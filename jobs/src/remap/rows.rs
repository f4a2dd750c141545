//! What rows of `attempts` say of their names, and what becomes of them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::builder::{Decimal128Builder, StringBuilder};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray, RecordBatch, StringArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use bellwether_warehouse::tables::attempts::{AttemptRow, Named};

use super::Naming;

/// By which names are looked up.
pub(super) const LOOKED_AT: [&str; 15] = [
    "event_id",
    "request_id",
    "model_id",
    "variant",
    "author",
    "provider_id",
    "endpoint_id",
    "requested_model",
    "raw_model",
    "raw_provider",
    "input_tokens",
    "duration_ms",
    "outcome",
    "error_class",
    "source",
];

/// Distinct combinations of names that are remembered; senders choose the names, so memory needs a bound.
const REMEMBERED: usize = 65_536;

/// What becomes of the names of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Same,
    Other(Named),
    /// It hangs on what the row does not tell.
    Unclear,
}

/// Looks names up, those that come again once.
pub(super) struct Judge<'a> {
    naming: &'a dyn Naming,
    known: HashMap<String, Verdict>,
    key: String,
}

impl<'a> Judge<'a> {
    pub(super) fn new(naming: &'a dyn Naming) -> Self {
        Self { naming, known: HashMap::new(), key: String::new() }
    }

    pub(super) fn of(&mut self, row: &AttemptRow<'_>) -> Verdict {
        // A row without a name of its own may be a request that called nobody, which its id tells.
        if row.raw_model.is_none() {
            return self.look_up(row);
        }
        self.key.clear();
        let names = [
            row.raw_model,
            row.raw_provider,
            row.model_id,
            row.variant,
            row.author,
            row.provider_id,
            row.error_class,
        ];
        for name in names.into_iter().chain([Some(row.source), Some(row.outcome)]) {
            self.key.push_str(name.unwrap_or("\u{1}"));
            self.key.push('\0');
        }
        if let Some(known) = self.known.get(&self.key) {
            return known.clone();
        }
        let verdict = self.look_up(row);
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(self.key.clone(), verdict.clone());
        verdict
    }

    fn look_up(&self, row: &AttemptRow<'_>) -> Verdict {
        match self.naming.name(row) {
            None => Verdict::Unclear,
            Some(named) if named == Named::of(row) => Verdict::Same,
            Some(named) => Verdict::Other(named),
        }
    }
}

/// Columns of one batch; those that it has not are taken to be null.
pub(super) struct Columns<'a> {
    batch: &'a RecordBatch,
}

type Number<'a, T> = Option<&'a PrimitiveArray<T>>;

impl<'a> Columns<'a> {
    pub(super) fn of(batch: &'a RecordBatch) -> Self {
        Self { batch }
    }

    fn text(&self, name: &str) -> Option<&'a StringArray> {
        self.batch.column_by_name(name)?.as_string_opt()
    }

    fn number<T: ArrowPrimitiveType>(&self, name: &str) -> Number<'a, T> {
        self.batch.column_by_name(name)?.as_primitive_opt()
    }

    fn boolean(&self, name: &str) -> Option<&'a BooleanArray> {
        self.batch.column_by_name(name)?.as_boolean_opt()
    }

    /// Each row as far as names and prices hang on it.
    pub(super) fn rows(&self) -> impl Iterator<Item = AttemptRow<'a>> + use<'a> {
        let [event_id, request_id, model_id, variant, author, provider_id, endpoint_id] =
            ["event_id", "request_id", "model_id", "variant", "author", "provider_id", "endpoint_id"]
                .map(|name| self.text(name));
        let [requested_model, raw_model, raw_provider, outcome, error_class, source, price_source] = [
            "requested_model",
            "raw_model",
            "raw_provider",
            "outcome",
            "error_class",
            "source",
            "price_source",
        ]
        .map(|name| self.text(name));
        let [input, cached, written, output, reasoning] = [
            "input_tokens",
            "cached_input_tokens",
            "cache_write_tokens",
            "output_tokens",
            "reasoning_tokens",
        ]
        .map(|name| self.number::<Int64Type>(name));
        let costs = ["cost_usd", "input_cost_usd", "output_cost_usd", "upstream_cost_usd"]
            .map(|name| self.number::<Decimal128Type>(name));
        let duration = self.number::<Int32Type>("duration_ms");
        let started = self.number::<TimestampMicrosecondType>("started_at");
        let hits = self.boolean("gateway_cache_hit");
        let charged = Charged::of(self);
        (0..self.batch.num_rows()).map(move |row| AttemptRow {
            event_id: of_text(event_id, row).unwrap_or_default(),
            request_id: of_text(request_id, row),
            started_at: of_number(started, row).unwrap_or_default(),
            model_id: of_text(model_id, row),
            variant: of_text(variant, row),
            author: of_text(author, row),
            provider_id: of_text(provider_id, row),
            endpoint_id: of_text(endpoint_id, row),
            requested_model: of_text(requested_model, row),
            raw_model: of_text(raw_model, row),
            raw_provider: of_text(raw_provider, row),
            input_tokens: of_number(input, row),
            cached_input_tokens: of_number(cached, row),
            cache_write_tokens: of_number(written, row),
            output_tokens: of_number(output, row),
            reasoning_tokens: of_number(reasoning, row),
            cost_usd: of_number(costs[0], row),
            input_cost_usd: of_number(costs[1], row),
            output_cost_usd: of_number(costs[2], row),
            upstream_cost_usd: of_number(costs[3], row),
            price_source: of_text(price_source, row),
            duration_ms: of_number(duration, row),
            outcome: of_text(outcome, row).unwrap_or_default(),
            error_class: of_text(error_class, row),
            gateway_cache_hit: of_boolean(hits, row) == Some(true),
            source: of_text(source, row).unwrap_or_default(),
            ..charged.row(row)
        })
    }
}

/// Columns that only prices hang on.
struct Charged<'a> {
    operation: Option<&'a StringArray>,
    service_tier: Option<&'a StringArray>,
    is_byok: Option<&'a BooleanArray>,
    /// Audio and video in, images out, searches.
    others: [Number<'a, Int32Type>; 4],
    billed: Number<'a, Int64Type>,
}

impl<'a> Charged<'a> {
    fn of(columns: &Columns<'a>) -> Self {
        Self {
            operation: columns.text("operation"),
            service_tier: columns.text("service_tier"),
            is_byok: columns.boolean("is_byok"),
            others: ["input_audio", "input_video", "output_images", "web_searches"]
                .map(|name| columns.number(name)),
            billed: columns.number("billed_output_tokens"),
        }
    }

    fn row(&self, at: usize) -> AttemptRow<'a> {
        let [input_audio, input_video, output_images, web_searches] =
            self.others.map(|counts| of_number(counts, at));
        AttemptRow {
            operation: of_text(self.operation, at),
            service_tier: of_text(self.service_tier, at),
            is_byok: of_boolean(self.is_byok, at),
            input_audio,
            input_video,
            output_images,
            web_searches,
            billed_output_tokens: of_number(self.billed, at),
            ..AttemptRow::default()
        }
    }
}

fn of_boolean(values: Option<&BooleanArray>, row: usize) -> Option<bool> {
    values.filter(|values| values.is_valid(row)).map(|values| values.value(row))
}

fn of_text(texts: Option<&StringArray>, row: usize) -> Option<&str> {
    texts.filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row))
}

fn of_number<T: ArrowPrimitiveType>(numbers: Number<'_, T>, row: usize) -> Option<T::Native> {
    numbers.filter(|numbers| numbers.is_valid(row)).map(|numbers| numbers.value(row))
}

/// The same rows in the same order, with the names and prices of now.
pub(super) fn renamed(batch: &RecordBatch, naming: &dyn Naming) -> Result<RecordBatch, ArrowError> {
    let mut judge = Judge::new(naming);
    let mut columns = Rewritten::default();
    for row in Columns::of(batch).rows() {
        match judge.of(&row) {
            Verdict::Same | Verdict::Unclear => columns.push(&row),
            Verdict::Other(named) => {
                let mut row = AttemptRow {
                    model_id: named.model_id.as_deref(),
                    variant: named.variant.as_deref(),
                    author: named.author.as_deref(),
                    provider_id: named.provider_id.as_deref(),
                    ..row
                };
                naming.price(&mut row);
                columns.push(&row);
            }
        }
    }
    columns.put_into(batch)
}

/// The columns that names and prices are in.
#[derive(Default)]
struct Rewritten {
    model_id: StringBuilder,
    variant: StringBuilder,
    author: StringBuilder,
    provider_id: StringBuilder,
    cost_usd: Decimal128Builder,
    input_cost_usd: Decimal128Builder,
    output_cost_usd: Decimal128Builder,
    price_source: StringBuilder,
}

impl Rewritten {
    fn push(&mut self, row: &AttemptRow<'_>) {
        self.model_id.append_option(row.model_id);
        self.variant.append_option(row.variant);
        self.author.append_option(row.author);
        self.provider_id.append_option(row.provider_id);
        self.cost_usd.append_option(row.cost_usd);
        self.input_cost_usd.append_option(row.input_cost_usd);
        self.output_cost_usd.append_option(row.output_cost_usd);
        self.price_source.append_option(row.price_source);
    }

    fn put_into(mut self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let schema = batch.schema();
        let mut columns = batch.columns().to_vec();
        let texts = [
            ("model_id", self.model_id.finish()),
            ("variant", self.variant.finish()),
            ("author", self.author.finish()),
            ("provider_id", self.provider_id.finish()),
            ("price_source", self.price_source.finish()),
        ];
        let amounts = [
            ("cost_usd", self.cost_usd.finish()),
            ("input_cost_usd", self.input_cost_usd.finish()),
            ("output_cost_usd", self.output_cost_usd.finish()),
        ];
        let mut made: Vec<(&str, ArrayRef)> =
            texts.into_iter().map(|(name, texts)| (name, Arc::new(texts) as ArrayRef)).collect();
        for (name, amounts) in amounts {
            let DataType::Decimal128(precision, scale) = schema.field_with_name(name)?.data_type() else {
                return Err(ArrowError::SchemaError(format!("column `{name}` is no amount of money")));
            };
            made.push((name, Arc::new(amounts.with_precision_and_scale(*precision, *scale)?)));
        }
        for (name, new) in made {
            let at = schema.index_of(name)?;
            if let Some(column) = columns.get_mut(at) {
                *column = new;
            }
        }
        RecordBatch::try_new(schema, columns)
    }
}
