//! What the catalogue knows of its names beside how they are spelled, as statements see it. None is unknown.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray,
};
use arrow::datatypes::Date32Type;
use arrow::error::ArrowError;
use chrono::NaiveDate;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// By id.
    pub models: BTreeMap<String, ModelFacts>,
    /// By id.
    pub providers: BTreeMap<String, ProviderFacts>,
    pub prices: Vec<Price>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelFacts {
    pub released_on: Option<NaiveDate>,
    pub context_tokens: Option<i64>,
    pub max_output_tokens: Option<i64>,
    pub license: Option<String>,
    pub has_open_weights: Option<bool>,
    pub accepts_images: Option<bool>,
    pub accepts_audio: Option<bool>,
    pub accepts_video: Option<bool>,
    pub makes_images: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderFacts {
    /// Where it is at home, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// For how long it keeps prompts.
    pub retention_days: Option<i64>,
    pub trains_on_prompts: Option<bool>,
}

/// What a model costs by the list. Amounts are 10⁻⁹ USD.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Price {
    pub model: String,
    pub variant: String,
    /// None: wherever no other price says otherwise.
    pub provider: Option<String>,
    /// First day; None: since it is known.
    pub valid_from: Option<NaiveDate>,
    /// Last day; None: still.
    pub valid_to: Option<NaiveDate>,
    /// Per million tokens, as the next three.
    pub input: Option<i128>,
    pub cached_input: Option<i128>,
    pub cache_write: Option<i128>,
    pub output: Option<i128>,
    /// Per request.
    pub request: Option<i128>,
}

impl Facts {
    /// Columns model_id and the facts.
    pub(crate) fn model_rows(&self) -> Result<RecordBatch, ArrowError> {
        let of = || self.models.values();
        RecordBatch::try_from_iter([
            ("model_id", texts(self.models.keys().map(|id| Some(id.as_str())))),
            ("released_on", dates(of().map(|model| model.released_on))),
            ("context_tokens", counts(of().map(|model| model.context_tokens))),
            ("max_output_tokens", counts(of().map(|model| model.max_output_tokens))),
            ("license", texts(of().map(|model| model.license.as_deref()))),
            ("has_open_weights", flags(of().map(|model| model.has_open_weights))),
            ("accepts_images", flags(of().map(|model| model.accepts_images))),
            ("accepts_audio", flags(of().map(|model| model.accepts_audio))),
            ("accepts_video", flags(of().map(|model| model.accepts_video))),
            ("makes_images", flags(of().map(|model| model.makes_images))),
        ])
    }

    /// Columns provider_id and the facts.
    pub(crate) fn provider_rows(&self) -> Result<RecordBatch, ArrowError> {
        let of = || self.providers.values();
        RecordBatch::try_from_iter([
            ("provider_id", texts(self.providers.keys().map(|id| Some(id.as_str())))),
            ("country", texts(of().map(|provider| provider.country.as_deref()))),
            ("retention_days", counts(of().map(|provider| provider.retention_days))),
            ("trains_on_prompts", flags(of().map(|provider| provider.trains_on_prompts))),
        ])
    }

    /// Columns model_id, variant, provider_id, valid_from, valid_to and the prices.
    pub(crate) fn price_rows(&self) -> Result<RecordBatch, ArrowError> {
        let of = || self.prices.iter();
        RecordBatch::try_from_iter([
            ("model_id", texts(of().map(|price| Some(price.model.as_str())))),
            ("variant", texts(of().map(|price| Some(price.variant.as_str())))),
            ("provider_id", texts(of().map(|price| price.provider.as_deref()))),
            ("valid_from", dates(of().map(|price| price.valid_from))),
            ("valid_to", dates(of().map(|price| price.valid_to))),
            ("input_price", money(of().map(|price| price.input))?),
            ("cached_input_price", money(of().map(|price| price.cached_input))?),
            ("cache_write_price", money(of().map(|price| price.cache_write))?),
            ("output_price", money(of().map(|price| price.output))?),
            ("request_price", money(of().map(|price| price.request))?),
        ])
    }
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn counts(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

fn flags(values: impl Iterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(values.collect::<BooleanArray>())
}

fn dates(values: impl Iterator<Item = Option<NaiveDate>>) -> ArrayRef {
    Arc::new(values.map(|date| date.map(Date32Type::from_naive_date)).collect::<Date32Array>())
}

fn money(values: impl Iterator<Item = Option<i128>>) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(values.collect::<Decimal128Array>().with_precision_and_scale(38, 9)?))
}
