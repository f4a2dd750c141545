//! Natural languages of labelled traffic: shares with intervals, never counts.

use serde::Serialize;
use utoipa::ToSchema;

use super::meta::Missing;
use super::{Count, Meta, View};
use crate::data::{self, Dataset, Figure, Group, LanguageShare, ModelId, language_name};
use crate::place::{PageContext, PageError};
use crate::url::query;

/// Id of what has no known language.
pub const UNDETERMINED: &str = "und";

/// One language; `und`: no known language, `other`: languages that may not be told.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct LanguageRow {
    /// BCP 47 code.
    pub code: String,
    /// English name.
    pub name: Option<String>,
    /// Share of labelled tokens, 0 to 1.
    pub share: f64,
    /// Lower end of the 95 % interval of the share.
    pub share_low: Option<f64>,
    /// Upper end of the 95 % interval of the share.
    pub share_high: Option<f64>,
    /// At least so many users; null: fewer than the smallest band.
    pub users_at_least: Option<Count>,
    /// Share against the equal window before, percentage points.
    pub change_pp: Option<f64>,
    /// Id of the model used most in this language, where ranks can be told from noise.
    pub leader: Option<String>,
    /// Its share of the language's tokens, 0 to 1.
    pub leader_share: Option<f64>,
    #[serde(skip)]
    pub leader_id: Option<ModelId>,
    /// Decimals of a percentage that the sample supports are those of its effective size.
    #[serde(skip)]
    pub n_eff: f64,
    /// Share in each of the weeks of [`data::Languages::weeks`].
    #[serde(skip)]
    pub weekly: Vec<Option<f64>>,
}

/// Languages, largest share first, then `und` and `other`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Languages {
    /// Languages, largest share first.
    pub data: Vec<LanguageRow>,
    /// What describes the rows.
    pub meta: Meta,
    /// What they are shares of; or why there is none.
    #[serde(skip)]
    pub all: Figure<data::Languages>,
}

query! {
    /// Which weeks.
    Labelled { labels, view }
}

impl View for Languages {
    type Row = LanguageRow;
    type Query = Labelled;

    fn of(context: &PageContext, query: &Self::Query, dataset: &Dataset) -> Result<Self, PageError> {
        let mut meta = Meta::new(context, dataset, "languages");
        let mut data = Vec::new();
        let all = dataset.languages(query.labels);
        match &all {
            Err(why) => meta.not_enough_data = Some(Missing::from(*why)),
            Ok(languages) => {
                meta.labels(languages.window, languages.source);
                data.extend(languages.rows.iter().map(|row| LanguageRow::of(dataset, row)));
                for (code, share) in [(UNDETERMINED, languages.undetermined), ("other", languages.other)] {
                    let share = percent(share);
                    data.push(LanguageRow { code: code.to_owned(), share, ..LanguageRow::default() });
                }
            }
        }
        Ok(Self { data, meta, all })
    }

    fn rows(&self) -> &[LanguageRow] {
        &self.data
    }
}

impl Languages {
    /// Languages that are told.
    pub fn named(&self) -> &[LanguageRow] {
        let rest = self.all.as_ref().map_or(0, |_| 2);
        self.data.get(..self.data.len().saturating_sub(rest)).unwrap_or_default()
    }

    /// Rows of many languages: `und` and `other`.
    pub fn rest(&self) -> &[LanguageRow] {
        self.data.get(self.named().len()..).unwrap_or_default()
    }

    /// Share of what has no known language.
    pub fn undetermined(&self) -> f64 {
        self.rest().iter().find(|row| row.code == UNDETERMINED).map_or(0.0, |row| row.share)
    }
}

/// Shares are published in whole percentage points.
pub(super) fn percent(share: f64) -> f64 {
    (share * 100.0).round() / 100.0
}

impl LanguageRow {
    fn of(dataset: &Dataset, row: &LanguageShare) -> Self {
        let leader = row.leader.as_ref();
        Self {
            code: row.code.clone(),
            name: Some(language_name(&row.code).to_owned()),
            share: row.cell.share,
            share_low: Some(row.cell.interval.low),
            share_high: Some(row.cell.interval.high),
            users_at_least: row.cell.users.0.map(Count),
            change_pp: row.change,
            leader: leader.map(|leader| dataset.key(Group::Model(leader.model))),
            leader_share: leader.map(|leader| leader.share),
            leader_id: leader.map(|leader| leader.model),
            n_eff: row.cell.n_eff,
            weekly: row.weekly.clone(),
        }
    }
}
