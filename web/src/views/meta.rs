//! What describes a data file: when, which versions, which unit, how to cite it.

use std::collections::BTreeMap;

use chrono::{NaiveDate, SecondsFormat};
use serde::Serialize;
use utoipa::ToSchema;

use super::Reason;
use crate::data::{Dataset, LabelSource, LabelWindow, NotEnough, Untold};
use crate::place::{PageContext, empty_because};
use crate::url::{Format, Outside, Period, Resolved};
use crate::version::BUILD;

/// When, of which versions, in which unit, and how to cite it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Meta {
    /// Up to when everything has arrived, RFC 3339.
    pub as_of: String,
    /// First day of the window, UTC.
    #[schema(required, value_type = Option<String>, format = Date)]
    pub start_date: Option<NaiveDate>,
    /// Last day of the window, UTC.
    #[schema(required, value_type = Option<String>, format = Date)]
    pub end_date: Option<NaiveDate>,
    /// `7d`, `30m`, `week`, …
    #[schema(required)]
    pub window: Option<String>,
    /// What one row covers, where it is a part of the window: `day`, `week`, `month`.
    #[schema(required)]
    pub grain: Option<&'static str>,
    /// Unit of the measure.
    #[schema(required)]
    pub unit: Option<&'static str>,
    /// The window began before the history and was cut to it.
    pub clamped: bool,
    /// The window holds the running day.
    pub partial: bool,
    /// The traffic is simulated.
    pub simulated: bool,
    /// Version of each table that was read.
    pub delta_version: BTreeMap<&'static str, i64>,
    /// Values are as measured, not scaled to anything.
    pub normalization: &'static str,
    /// How sure shares of labelled traffic are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// Who told the labels: `text`, detected in the text, or `router`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_source: Option<&'static str>,
    /// Why there are no rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_enough_data: Option<Missing>,
    /// The window lies outside the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_because: Option<String>,
    /// The same in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_reason: Option<Reason>,
    /// Under which these data may be used.
    pub licence: &'static str,
    /// How to cite these data.
    pub citation: String,
    /// Where the measure is defined.
    pub method_url: String,
    /// Where these data are found.
    pub canonical_url: String,
    /// Of the program that made this.
    pub version: &'static str,
}

/// How sure the shares of one label are.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Confidence {
    /// Effective sample size.
    pub n_eff: f64,
    /// At least so many users; null: fewer than the smallest band.
    #[schema(required)]
    pub users_band: Option<u64>,
    /// Tokens with a known natural language among labelled tokens, 0 to 1.
    #[schema(required)]
    pub coverage: Option<f64>,
    /// What intervals are.
    pub interval: &'static str,
}

/// What there is too little of; or that nothing was counted yet.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Missing {
    /// In a word.
    pub reason: Reason,
    /// Observations; null where their number may not be told.
    #[schema(required)]
    pub n: Option<u64>,
    /// Observations that are needed; 0: it does not hang on them.
    pub needs: u64,
    /// Distinct users that are needed, where the rule asks for them.
    #[schema(required)]
    pub needs_users: Option<u64>,
}

impl From<Untold> for Missing {
    fn from(why: Untold) -> Self {
        let NotEnough { n, needs, needs_users } = match why {
            Untold::NotEnough(why) => why,
            Untold::NotYet(_) => NotEnough::default(),
        };
        Self { reason: why.into(), n, needs, needs_users }
    }
}

impl Meta {
    /// `method` is the anchor of the definition on the methodology page.
    pub fn new(context: &PageContext, dataset: &Dataset, method: &str) -> Self {
        let base = context.base_url.as_deref().unwrap_or("");
        let as_of = dataset.as_of.to_rfc3339_opts(SecondsFormat::Secs, true);
        Self {
            citation: format!("Bellwether, {}, as of {as_of}", context.page.path()),
            as_of,
            start_date: None,
            end_date: None,
            window: None,
            grain: None,
            unit: None,
            clamped: false,
            partial: false,
            simulated: dataset.simulated,
            delta_version: dataset.versions.clone(),
            normalization: "none",
            confidence: None,
            label_source: None,
            not_enough_data: None,
            empty_because: None,
            empty_reason: None,
            licence: "CC-BY-4.0",
            method_url: format!("{base}/methodology#{method}"),
            canonical_url: format!("{base}{}", context.download(Format::Json)),
            version: BUILD,
        }
    }

    /// Of a window of days.
    pub fn over(self, period: Period, days: &Resolved, dataset: &Dataset) -> Self {
        Self {
            start_date: Some(days.window.start),
            end_date: Some(days.window.end),
            window: Some(period.word().to_owned()),
            clamped: days.clamped,
            partial: days.partial,
            empty_because: empty_because(dataset, days),
            empty_reason: days.outside.map(|side| match side {
                Outside::Before if !dataset.is_filling() => Reason::NoHistory,
                Outside::Before | Outside::After => Reason::NotYet,
            }),
            ..self
        }
    }

    pub fn labels(&mut self, window: LabelWindow, source: LabelSource) {
        self.start_date = Some(window.start);
        self.end_date = Some(window.end);
        self.window = Some(
            match window.period {
                crate::data::LabelPeriod::Week => "week",
                crate::data::LabelPeriod::Epoch => "28d",
            }
            .to_owned(),
        );
        self.label_source = Some(match source {
            LabelSource::Text => "text",
            LabelSource::Router => "router",
        });
    }
}
