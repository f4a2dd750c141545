//! Leaderboards of models, authors and providers.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Count, Growth, Meta, Usd, View};
use crate::data::{
    Change, Dataset, Filter, Group, Metric, Ranking, RankingQuery, Remainder, Totals, UserQuery, plus,
};
use crate::place::{PageContext, PageError};
use crate::url::{Sort, SortKey, query};

/// One place of a ranking over a window; or the rows `hidden`, `unmapped` and `other`, each of many names.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct RankingRow {
    /// 1 is the largest; null of rows of many names, and where the value is not known.
    pub rank: Option<u32>,
    /// Id: `author/slug` or `author/slug:variant`, an author's, a provider's.
    pub id: String,
    /// Display name, without the variant.
    pub name: Option<String>,
    /// Id of the author of a model.
    pub author: Option<String>,
    /// Variant of a model, unless it is the standard one.
    pub variant: Option<String>,
    /// Rank in the window before.
    pub rank_before: Option<u32>,
    /// Input and output tokens of served requests.
    pub tokens: Count,
    /// Input tokens.
    pub input_tokens: Count,
    /// Output tokens.
    pub output_tokens: Count,
    /// Served requests.
    pub requests: Count,
    /// Spend, USD; null: no request has a known price.
    pub spend_usd: Option<Usd>,
    /// Distinct users in the window; null where they are too few or not known.
    pub users: Option<Count>,
    /// Share of the measure among everything, hidden and unmapped rows included, 0 to 1; null of users.
    pub share: Option<f64>,
    /// The same in the window before.
    pub share_before: Option<f64>,
    /// Value of the measure against the window before: now / before − 1.
    pub growth: Option<f64>,
    /// Whether there is growth, or why not.
    pub growth_state: Growth,
    /// Cached among input tokens, 0 to 1.
    pub cached_input_share: Option<f64>,
    /// Tokens that no price is known for among all tokens, 0 to 1.
    pub unpriced_share: Option<f64>,
    /// USD per million tokens, input and output together, of priced traffic.
    pub price_usd_per_million: Option<f64>,
    /// None: a row of many names.
    #[serde(skip)]
    pub group: Option<Group>,
    /// Value of the measure in its unit.
    #[serde(skip)]
    pub value: Option<f64>,
    /// USD, where it is known.
    #[serde(skip)]
    pub spend: Option<f64>,
    /// Places won or lost since the window before.
    #[serde(skip)]
    pub rank_change: Option<i64>,
    #[serde(skip)]
    pub change: Change,
}

/// A part of a ranking, then all that it leaves out as one row each.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Rankings {
    /// Places, then the rows of many names.
    pub data: Vec<RankingRow>,
    /// What describes the rows.
    pub meta: Meta,
    #[serde(skip)]
    pub ranking: Ranking,
}

query! {
    /// What is ranked over which days, and which part of it is listed.
    RankedQuery { metric, period + From + To, vs, variants, author, all_rows, limit, offset }
}

query! {
    /// The same of what has neither variants nor authors.
    PlainQuery { metric, period + From + To, vs, all_rows, limit, offset }
}

impl View for Rankings {
    type Row = RankingRow;
    type Query = RankedQuery;

    fn of(context: &PageContext, query: &Self::Query, dataset: &Dataset) -> Result<Self, PageError> {
        let ranked = ranked(context, query, dataset);
        let ranked = ranked.ok_or_else(|| PageError::NotFound(context.page.path()))?;
        let ranking = dataset.ranking(ranked);
        let RankedQuery { limit, offset, all_rows, .. } = *query;
        let offset = offset as usize;
        let end =
            if all_rows { ranking.rows.len() } else { (offset + limit as usize).min(ranking.rows.len()) };
        let start = offset.min(end);
        let named = ranking.rows.get(start..end).unwrap_or_default();
        let mut data: Vec<RankingRow> = named.iter().map(|row| RankingRow::of(dataset, row)).collect();
        // What is not listed stays in the sum: all rows together hold every share. A filter by author keeps neither.
        for (id, remainder) in [
            ("hidden", ranking.hidden),
            ("unmapped", ranking.unmapped),
            ("other", other(&ranking, start, end)),
        ] {
            data.extend(remainder.map(|remainder| RankingRow::rest(id, &remainder)));
        }
        let days = query.period.resolve(query.vs, dataset);
        let meta = Meta {
            unit: Some(query.metric.unit()),
            ..Meta::new(context, dataset, query.metric.word()).over(query.period, &days, dataset)
        };
        Ok(Self { data, meta, ranking })
    }

    fn users(context: &PageContext, query: &Self::Query, dataset: &Dataset) -> Vec<UserQuery> {
        ranked(context, query, dataset).map(|ranked| ranked.users()).unwrap_or_default()
    }

    fn rows(&self) -> &[RankingRow] {
        &self.data
    }
}

/// What is ranked; `None` for other pages.
fn ranked(context: &PageContext, query: &RankedQuery, dataset: &Dataset) -> Option<RankingQuery> {
    let by = context.page.grouping(query.variants)?;
    let days = query.period.resolve(query.vs, dataset);
    let author = query.author.as_deref().and_then(|author| dataset.dictionary.find_author(author));
    Some(RankingQuery {
        by,
        metric: query.metric,
        window: days.window,
        before: days.before,
        filter: author.map_or(Filter::All, Filter::Author),
    })
}

/// Ranked rows before `start` and from `end` on, as one.
fn other(ranking: &Ranking, start: usize, end: usize) -> Option<Remainder> {
    let head = Ranking { rows: ranking.rows.get(..start)?.to_vec(), ..ranking.clone() }.rest(0);
    match (head, ranking.rest(end)) {
        (Some(mut head), Some(tail)) => {
            head.rows += tail.rows;
            head.totals.add(&tail.totals);
            head.before.add(&tail.before);
            head.value = plus(head.value, tail.value);
            head.share = plus(head.share, tail.share);
            head.share_before = plus(head.share_before, tail.share_before);
            Some(head)
        }
        (head, tail) => head.or(tail),
    }
}

impl RankingRow {
    /// One named row.
    pub fn of(dataset: &Dataset, row: &crate::data::RankingRow) -> Self {
        let author = dataset.author_of(row.group).map(|id| dataset.dictionary.author(id));
        let growth = match row.change {
            Change::Ratio(ratio) => Some(ratio),
            _ => None,
        };
        let growth_state = match row.change {
            Change::Unknown if row.hidden_before => Growth::HiddenBefore,
            change => change.into(),
        };
        Self {
            rank: row.rank,
            id: dataset.key(row.group),
            name: Some(dataset.name(row.group).to_owned()),
            author: author.map(str::to_owned),
            variant: dataset.variant(row.group).map(str::to_owned),
            rank_before: row.rank_before,
            users: row.users.map(Count),
            share: row.share,
            share_before: row.share_before,
            growth,
            growth_state,
            group: Some(row.group),
            value: row.value,
            rank_change: row.rank_change(),
            change: row.change,
            ..Self::amounts(&row.totals)
        }
    }

    /// Many names as one row.
    pub fn rest(id: &str, remainder: &Remainder) -> Self {
        Self {
            id: id.to_owned(),
            share: remainder.share,
            share_before: remainder.share_before,
            value: remainder.value,
            ..Self::amounts(&remainder.totals)
        }
    }

    fn amounts(totals: &Totals) -> Self {
        Self {
            tokens: Count(totals.tokens()),
            input_tokens: Count(totals.input_tokens),
            output_tokens: Count(totals.output_tokens),
            requests: Count(totals.requests),
            spend_usd: totals.known_cost().map(Usd),
            spend: totals.get(Metric::Spend),
            cached_input_share: totals.cache_hit(),
            unpriced_share: totals.unpriced(),
            price_usd_per_million: totals.price_per_million(),
            ..Self::default()
        }
    }

    /// A measure as a number, where it is known.
    pub fn measure(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Tokens => Some(self.tokens.0 as f64),
            Metric::Requests => Some(self.requests.0 as f64),
            Metric::Spend => self.spend,
            Metric::Users => self.users.map(|users| users.0 as f64),
        }
    }
}

impl Rankings {
    /// Every named row in the order that the address asks for. Ranks stay those of the measure.
    pub fn named(&self, dataset: &Dataset, sort: Option<Sort>) -> Vec<RankingRow> {
        let mut rows: Vec<RankingRow> =
            self.ranking.rows.iter().map(|row| RankingRow::of(dataset, row)).collect();
        let Some(Sort { key, descending }) = sort else { return rows };
        let number = |row: &RankingRow| {
            let value = match key {
                SortKey::Tokens => row.measure(Metric::Tokens),
                SortKey::Requests => row.measure(Metric::Requests),
                SortKey::Spend => row.measure(Metric::Spend),
                SortKey::Users => row.measure(Metric::Users),
                SortKey::Growth => row.growth,
                _ => row.value,
            };
            // Rows without a figure come last in either direction.
            value.unwrap_or(if descending { f64::NEG_INFINITY } else { f64::INFINITY })
        };
        let label = |row: &RankingRow| {
            let variant = row.variant.as_ref().map(|variant| format!(" :{variant}"));
            format!("{}{}", row.name.as_deref().unwrap_or(""), variant.unwrap_or_default()).to_lowercase()
        };
        rows.sort_by(|a, b| {
            let order = match key {
                SortKey::Name => label(a).cmp(&label(b)),
                _ => number(a).total_cmp(&number(b)),
            };
            let order = if descending { order.reverse() } else { order };
            order.then_with(|| (a.rank.is_none(), a.rank).cmp(&(b.rank.is_none(), b.rank)))
        });
        rows
    }
}
