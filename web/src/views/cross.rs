//! The models inside one language, or inside a cross of a language and a programming language.

use serde::Serialize;
use utoipa::ToSchema;

use super::languages::{Labelled, percent};
use super::meta::{Confidence, Missing};
use super::{Count, Meta, Reason, Shown, View, withheld};
use crate::data::{self, Dataset, Figure, Group, LabelCell, ModelId, Untold};
use crate::place::{PageContext, PageError};

/// One model; `other`: models with too few users, folded together.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct CrossRow {
    /// Best rank that the intervals allow.
    pub rank_best: Option<u32>,
    /// Worst rank that the intervals allow.
    pub rank_worst: Option<u32>,
    /// Id of the model, `author/slug`.
    pub id: String,
    /// Display name.
    pub name: Option<String>,
    /// Share of the tokens of the cell, 0 to 1.
    pub share: f64,
    /// Lower end of the 95 % interval of the share.
    pub share_low: f64,
    /// Upper end of the 95 % interval of the share.
    pub share_high: f64,
    /// Share with one vote a user, split by the user's tokens, 0 to 1.
    pub users_share: f64,
    /// Lower end of the 95 % interval of the users' share.
    pub users_share_low: f64,
    /// Upper end of the 95 % interval of the users' share.
    pub users_share_high: f64,
    /// At least so many users; null: fewer than the smallest band.
    pub users_at_least: Option<Count>,
    /// Times as much as in all labelled traffic; null: the interval includes 1.
    pub lift: Option<f64>,
    /// Share against the equal window before: now / before.
    pub growth_factor: Shown,
    /// Why it is null.
    pub growth_factor_reason: Option<Reason>,
    /// Requests that finished without an error that the caller saw, mean over users, 0 to 1.
    pub success: Shown,
    /// Why it is null.
    pub success_reason: Option<Reason>,
    /// Lower end of the 95 % interval of success.
    pub success_low: Option<f64>,
    /// Upper end of the 95 % interval of success.
    pub success_high: Option<f64>,
    /// Why figures of this row are missing.
    pub withheld: Option<String>,
    #[serde(skip)]
    pub model: Option<ModelId>,
}

/// The models of a cell, most tokens first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Cross {
    /// Models, most tokens first.
    pub data: Vec<CrossRow>,
    /// What describes the rows.
    pub meta: Meta,
    /// The cell as a whole; or why it is not shown.
    #[serde(skip)]
    pub cell: Figure<LabelCell>,
}

impl View for Cross {
    type Row = CrossRow;
    type Query = Labelled;

    /// The first name is the language of prompts, a second one that of completions.
    fn of(context: &PageContext, query: &Self::Query, dataset: &Dataset) -> Result<Self, PageError> {
        let mut meta = Meta::new(context, dataset, "crosses");
        let [nl, code] =
            [0, 1].map(|position| Some(context.page.name(position)).filter(|name| !name.is_empty()));
        let cross = dataset.cross(nl, code, query.labels);
        let mut data = Vec::new();
        match &cross {
            Err(why) => meta.not_enough_data = Some(Missing::from(*why)),
            Ok(cross) => {
                meta.labels(cross.cell.window, cross.cell.source);
                meta.confidence = Some(Confidence {
                    n_eff: cross.cell.n_eff.round(),
                    users_band: cross.cell.users.0,
                    coverage: cross.cell.coverage.map(percent),
                    interval: "95 %, the wider of the request and the user interval",
                });
                data.extend(cross.rows.iter().map(|row| CrossRow::of(dataset, cross, row)));
            }
        }
        Ok(Self { data, meta, cell: cross.map(|cross| cross.cell) })
    }

    fn rows(&self) -> &[CrossRow] {
        &self.data
    }
}

impl Cross {
    /// Models that may be named.
    pub fn named(&self) -> impl Iterator<Item = &CrossRow> {
        self.data.iter().filter(|row| row.model.is_some())
    }
}

impl CrossRow {
    fn of(dataset: &Dataset, cross: &data::Cross, row: &data::CrossRow) -> Self {
        let growth = dataset.label_growth(row, cross.cell.window);
        let success = row.success.map_err(Untold::from);
        let group = row.model.map(Group::Model);
        let bounds = row.success.ok().map(|(_, bounds)| bounds);
        Self {
            rank_best: row.rank.map(|(best, _)| best),
            rank_worst: row.rank.map(|(_, worst)| worst),
            id: group.map_or_else(|| "other".to_owned(), |group| dataset.key(group)),
            name: group.map(|group| dataset.name(group).to_owned()),
            share: row.share,
            share_low: row.interval.low,
            share_high: row.interval.high,
            users_share: row.users_share,
            users_share_low: row.users_interval.low,
            users_share_high: row.users_interval.high,
            users_at_least: row.users.0.map(Count),
            lift: row.lift.map(factor),
            growth_factor: Shown(growth.map(factor)),
            growth_factor_reason: growth.err().map(Reason::from),
            success: Shown(success.map(|(rate, _)| rate)),
            success_reason: success.err().map(Reason::from),
            success_low: bounds.map(|bounds| bounds.low),
            success_high: bounds.map(|bounds| bounds.high),
            withheld: withheld(&[("growth", growth.err()), ("success", success.err())]),
            model: row.model,
        }
    }
}

/// Two decimals, as the page prints at most: more would tell exact shares.
fn factor(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
