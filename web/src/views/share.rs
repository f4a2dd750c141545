//! Market share: a year of weeks of the largest groups and of all others.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Amount, Count, Meta, Truth, Usd, View};
use crate::data::{Dataset, Filter, Group, Metric, NAMED, Volume, WEEKS, Weekly};
use crate::place::{PageContext, PageError};
use crate::url::query;

/// One series in one week.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct ShareRow {
    /// Monday of the ISO week.
    #[schema(value_type = String, format = Date)]
    pub week: NaiveDate,
    /// False of the running week and of one that began before the history.
    pub complete: Truth,
    /// Id of the author, model variant or provider; `other`: all else.
    pub id: String,
    /// Display name; null of `other`.
    pub name: Option<String>,
    /// The measure: tokens, requests, or USD.
    pub value: Option<Amount>,
    /// Share of everything in this week, 0 to 1.
    pub share: Option<f64>,
}

/// Weekly values of the largest nine and the rest: one row a week and series.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Share {
    /// One row a week and series, oldest week first.
    pub data: Vec<ShareRow>,
    /// What describes the rows.
    pub meta: Meta,
    /// All that the rows are a part of.
    #[serde(skip)]
    pub weekly: Weekly,
    #[serde(skip)]
    pub metric: Metric,
    /// Of how many groups anything is known; the others have no share.
    #[serde(skip)]
    pub named: usize,
}

query! {
    /// Of what, by what, and from which rank on.
    ShareQuery { metric, by, view, skip }
}

impl View for Share {
    type Row = ShareRow;
    type Query = ShareQuery;

    fn of(context: &PageContext, query: &Self::Query, dataset: &Dataset) -> Result<Self, PageError> {
        let metric = additive(query.metric);
        let weekly = dataset.weekly(query.by.group_by(), WEEKS, Filter::All);
        let all = named(dataset, &weekly, metric);
        let named = all.iter().filter(|(_, volumes)| is_known(volumes, metric)).count();
        let shown: Vec<_> = all.into_iter().skip(query.skip as usize).take(NAMED).collect();
        let mut data = Vec::new();
        for (position, (week, total)) in weekly.weeks.iter().zip(&weekly.total).enumerate() {
            let whole = total.exact(metric).unwrap_or(0) as f64;
            let row = |id: String, name: Option<String>, volume: &Volume| {
                let value = volume.exact(metric);
                ShareRow {
                    week: week.monday,
                    complete: Truth(week.complete),
                    id,
                    name,
                    value: value.map(|value| match metric {
                        Metric::Spend => Amount::Usd(Usd(value)),
                        _ => Amount::Count(Count(u64::try_from(value).unwrap_or(u64::MAX))),
                    }),
                    share: value.filter(|_| whole > 0.0).map(|value| value as f64 / whole),
                }
            };
            let mut rest = *total;
            for (group, volumes) in &shown {
                let volume = volumes.get(position).copied().unwrap_or_default();
                rest = rest.without(&volume);
                data.push(row(dataset.key(*group), Some(dataset.name(*group).to_owned()), &volume));
            }
            data.push(row("other".to_owned(), None, &rest));
        }
        let meta = Meta {
            start_date: weekly.weeks.first().map(|week| week.monday),
            end_date: Some(dataset.newest_date()),
            window: Some("12m".to_owned()),
            grain: Some("week"),
            unit: Some(metric.unit()),
            ..Meta::new(context, dataset, "share")
        };
        Ok(Self { data, meta, weekly, metric, named })
    }

    fn rows(&self) -> &[ShareRow] {
        &self.data
    }
}

/// Users are not additive over weeks and have no share: requests take their place.
pub fn additive(metric: Metric) -> Metric {
    if metric == Metric::Users { Metric::Requests } else { metric }
}

/// Weeks at the start that are left out of a picture: a first week that began before the history would only show how
/// little of it is known.
pub fn unknown_weeks(weekly: &Weekly) -> usize {
    usize::from(weekly.weeks.first().is_some_and(|week| !week.complete) && weekly.weeks.len() > 2)
}

/// Whether anything is known of a measure. A spend without any price is no share of nought.
pub fn is_known(volumes: &[Volume], metric: Metric) -> bool {
    volumes.iter().any(|volume| volume.requests > 0 && volume.get(metric).is_some())
}

/// Named groups, largest over the whole span first; those of which nothing is known last.
pub fn named<'a>(dataset: &Dataset, weekly: &'a Weekly, metric: Metric) -> Vec<(Group, &'a [Volume])> {
    let from = unknown_weeks(weekly);
    let size =
        |volumes: &[Volume]| volumes.iter().skip(from).filter_map(|volume| volume.get(metric)).sum::<f64>();
    let named = weekly.groups.iter().filter(|(group, _)| group.is_named());
    let mut named: Vec<(Group, &[Volume])> =
        named.map(|(group, volumes)| (*group, volumes.as_slice())).collect();
    named.sort_by(|a, b| {
        let known = |volumes| is_known(volumes, metric);
        let order = known(b.1).cmp(&known(a.1)).then_with(|| size(b.1).total_cmp(&size(a.1)));
        order.then_with(|| dataset.by_name(a.0, b.0))
    });
    named
}
