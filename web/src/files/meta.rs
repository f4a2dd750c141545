//! What describes a data file: when, which versions, which unit, how to cite it.

use std::collections::BTreeMap;

use chrono::{NaiveDate, SecondsFormat};
use serde::Serialize;

use crate::data::{Dataset, LabelSource, LabelWindow, NotEnough};
use crate::place::{PageContext, address};
use crate::url::Format;
use crate::version::BUILD;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Meta {
    pub as_of: String,
    pub start_date: Option<NaiveDate>,
    pub end_date: Option<NaiveDate>,
    /// `7d`, `30m`, `week`, …
    pub window: Option<String>,
    pub grain: Option<&'static str>,
    pub unit: Option<&'static str>,
    /// The window began before the history and was cut to it.
    pub clamped: bool,
    /// The window holds the running day.
    pub partial: bool,
    pub simulated: bool,
    pub delta_version: BTreeMap<&'static str, i64>,
    /// Values are as measured, not scaled to anything.
    pub normalization: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_source: Option<&'static str>,
    /// Why there are no rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_enough_data: Option<Missing>,
    /// The window lies outside the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_because: Option<String>,
    pub licence: &'static str,
    pub citation: String,
    pub method_url: String,
    pub canonical_url: String,
    pub version: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Confidence {
    pub n_eff: f64,
    pub users_band: Option<u64>,
    pub coverage: Option<f64>,
    pub interval: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Missing {
    pub n: Option<u64>,
    pub needs: u64,
    pub needs_users: Option<u64>,
}

impl From<NotEnough> for Missing {
    fn from(why: NotEnough) -> Self {
        Self { n: why.n, needs: why.needs, needs_users: why.needs_users }
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
            licence: "CC-BY-4.0",
            method_url: format!("{base}/methodology#{method}"),
            canonical_url: format!("{base}{}", address(&context.page, Format::Json, &context.state)),
            version: BUILD,
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
