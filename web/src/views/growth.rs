//! Growth: active models and volumes by calendar month.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Count, Meta, Truth, Usd, View};
use crate::data::{Dataset, Month};
use crate::place::{PageContext, PageError};

/// One calendar month.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct MonthRow {
    /// First day of the month, UTC.
    #[schema(value_type = String, format = Date)]
    pub month: NaiveDate,
    /// False of the running month and of one that began before the history.
    pub complete: Truth,
    /// Input and output tokens of served requests.
    pub tokens: Count,
    /// Served requests.
    pub requests: Count,
    /// Spend, USD; null: no request has a known price.
    pub spend_usd: Option<Usd>,
    /// Model variants with at least one request.
    pub active_models: u64,
    /// Model variants with at least 100 requests.
    pub active_models_100: u64,
    /// Model variants whose first request ever falls into this month; null where nothing is known of before.
    pub new_models: Option<u64>,
    /// Tokens against the month before, now / before − 1; null unless both are complete.
    pub tokens_growth: Option<f64>,
    /// Requests against the month before, now / before − 1; null unless both are complete.
    pub requests_growth: Option<f64>,
}

/// Every month of the history, oldest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Growth {
    /// Months, oldest first.
    pub data: Vec<MonthRow>,
    /// What describes the rows.
    pub meta: Meta,
    /// Mean monthly growth of tokens over the last six complete months, as a ratio − 1.
    #[serde(skip)]
    pub six_months: Option<f64>,
}

impl View for Growth {
    type Row = MonthRow;
    type Query = ();

    fn of(context: &PageContext, _: &Self::Query, dataset: &Dataset) -> Result<Self, PageError> {
        let meta = Meta {
            start_date: Some(dataset.first_date()),
            end_date: Some(dataset.newest_date()),
            grain: Some("month"),
            ..Meta::new(context, dataset, "growth")
        };
        let data = dataset.months().into_iter().map(MonthRow::from).collect();
        Ok(Self { data, meta, six_months: dataset.six_month_growth() })
    }

    fn rows(&self) -> &[MonthRow] {
        &self.data
    }
}

impl From<Month> for MonthRow {
    fn from(month: Month) -> Self {
        let whole = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Self {
            month: month.start,
            complete: Truth(month.complete),
            tokens: Count(month.totals.tokens()),
            requests: Count(month.totals.requests),
            spend_usd: month.totals.known_cost().map(Usd),
            active_models: whole(month.active),
            active_models_100: whole(month.active_100),
            new_models: month.new.map(whole),
            tokens_growth: month.tokens_growth,
            requests_growth: month.requests_growth,
        }
    }
}
