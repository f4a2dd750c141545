//! Routed against pinned: what fallback adds, model by model.

use serde::Serialize;
use utoipa::ToSchema;

use super::providers::{Sorted, by_number};
use super::{Meta, Reason, Shown, View, withheld};
use crate::data::{Boost, Dataset, Figure, Group, ModelId, Routing, Tally};
use crate::place::{PageContext, PageError};
use crate::url::{Sort, SortKey};

/// Windows of complete days: their length and their word.
pub const WINDOWS: [(u64, &str); 3] = [(1, "1d"), (7, "7d"), (28, "28d")];

/// One model over one window of complete days.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct RoutingRow {
    /// Id of the model, `author/slug`.
    pub model: String,
    /// `1d`, `7d` or `28d`.
    pub window: &'static str,
    /// Requests whose first attempt was a success or a counted fault.
    pub requests: Option<Tally>,
    /// Those that ended well after fallback, %.
    pub routed: Shown,
    /// Those whose first attempt ended well, %.
    pub without_routing: Shown,
    /// `routed` − `without_routing`, percentage points.
    pub boost_pp: Shown,
    /// Why this pair is null.
    pub routed_reason: Option<Reason>,
    /// The same requests and those whose first answer was a 429, which counts as a failure here.
    pub requests_with_rate_limits: Option<Tally>,
    /// Those of them that ended well after fallback, %.
    pub routed_with_rate_limits: Shown,
    /// Those of them whose first attempt ended well, %.
    pub without_routing_with_rate_limits: Shown,
    /// The difference, percentage points.
    pub boost_with_rate_limits_pp: Shown,
    /// Why this pair is null.
    pub routed_with_rate_limits_reason: Option<Reason>,
    /// The provider with the highest uptime among those with enough attempts.
    pub best_pinned_provider: Option<String>,
    /// Its uptime, %.
    pub best_pinned: Option<f64>,
    /// Mean number of attempts of a request.
    pub attempts_per_request: Option<f64>,
    /// Why figures of this row are missing.
    pub withheld: Option<String>,
    /// None: all models together.
    #[serde(skip)]
    pub id: Option<ModelId>,
    #[serde(skip)]
    pub days: u64,
    /// Display name of the best provider.
    #[serde(skip)]
    pub best_name: Option<String>,
    /// `routed` − `best_pinned`, percentage points.
    #[serde(skip)]
    pub over_best: Option<f64>,
    /// All requests, those without a counted first attempt included.
    #[serde(skip)]
    pub all_requests: Option<Tally>,
}

impl RoutingRow {
    /// The second pair, which counts a first answer of 429 as a failure, in the place of the first.
    pub fn with_rate_limits(&self) -> Self {
        Self {
            requests: self.requests_with_rate_limits,
            routed: self.routed_with_rate_limits,
            without_routing: self.without_routing_with_rate_limits,
            boost_pp: self.boost_with_rate_limits_pp,
            ..self.clone()
        }
    }
}

/// Every model that was routed in 28 days, in each window.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Routed {
    /// Models, most requests first, each in all windows.
    pub data: Vec<RoutingRow>,
    /// What describes the rows.
    pub meta: Meta,
    /// All models together, those that may not be named included, in each window.
    #[serde(skip)]
    pub all: [RoutingRow; 3],
}

impl View for Routed {
    type Row = RoutingRow;
    type Query = Sorted;

    /// Most requests first, unless the address asks for another order.
    fn of(context: &PageContext, query: &Self::Query, dataset: &Dataset) -> Result<Self, PageError> {
        let mut models: Vec<[RoutingRow; 3]> =
            dataset.routed_models(28).into_iter().map(|model| of_model(dataset, model)).collect();
        if let Some(sort) = query.sort {
            order(&mut models, dataset, sort);
        }
        let window = dataset.routing_window(28);
        let meta = Meta {
            start_date: Some(window.start),
            end_date: Some(window.end),
            unit: Some("%"),
            ..Meta::new(context, dataset, "routed")
        };
        let all = WINDOWS.map(|(days, word)| row(dataset, None, (days, word), &dataset.routing_of_all(days)));
        Ok(Self { data: models.into_iter().flatten().collect(), meta, all })
    }

    fn rows(&self) -> &[RoutingRow] {
        &self.data
    }
}

impl Routed {
    /// Models with their rows in the order of [`WINDOWS`].
    pub fn models(&self) -> impl Iterator<Item = &[RoutingRow; 3]> {
        self.data.as_chunks().0.iter()
    }
}

/// Some models in each window.
pub fn routing(dataset: &Dataset, models: &[ModelId]) -> Vec<RoutingRow> {
    models.iter().flat_map(|model| of_model(dataset, *model)).collect()
}

fn of_model(dataset: &Dataset, model: ModelId) -> [RoutingRow; 3] {
    WINDOWS.map(|(days, word)| row(dataset, Some(model), (days, word), &dataset.routing(model, days)))
}

fn row(
    dataset: &Dataset,
    model: Option<ModelId>,
    (days, window): (u64, &'static str),
    routing: &Routing,
) -> RoutingRow {
    let part = |figure: Figure<Boost>, of: fn(&Boost) -> f64| Shown(figure.map(|boost| of(&boost)));
    let best = routing.best_pinned;
    RoutingRow {
        model: model.map(|model| dataset.key(Group::Model(model))).unwrap_or_default(),
        window,
        requests: routing.requests,
        routed: part(routing.boost, |boost| boost.routed),
        without_routing: part(routing.boost, |boost| boost.without_routing),
        boost_pp: part(routing.boost, |boost| boost.boost),
        requests_with_rate_limits: routing.requests_with_rate_limits,
        routed_with_rate_limits: part(routing.boost_with_rate_limits, |boost| boost.routed),
        without_routing_with_rate_limits: part(routing.boost_with_rate_limits, |boost| boost.without_routing),
        boost_with_rate_limits_pp: part(routing.boost_with_rate_limits, |boost| boost.boost),
        best_pinned_provider: best.map(|best| dataset.key(Group::Provider(best.provider))),
        best_pinned: best.map(|best| best.uptime),
        attempts_per_request: routing.attempts_per_request,
        routed_reason: routing.boost.err().map(Reason::from),
        routed_with_rate_limits_reason: routing.boost_with_rate_limits.err().map(Reason::from),
        withheld: withheld(&[("routed", routing.boost.err())]),
        id: model,
        days,
        best_name: best.map(|best| dataset.provider_name(best.provider).to_owned()),
        over_best: routing.over_best,
        all_requests: routing.all_requests,
    }
}

fn order(models: &mut [[RoutingRow; 3]], dataset: &Dataset, Sort { key, descending }: Sort) {
    match key {
        SortKey::Name => {
            let name = |[row, ..]: &[RoutingRow; 3]| row.id.map(|id| dataset.model_name(id).to_lowercase());
            models.sort_by_key(name);
            if descending {
                models.reverse();
            }
        }
        SortKey::Boost => by_number(models, descending, |[_, week, _]| week.boost_pp.0.ok()),
        SortKey::Uptime => by_number(models, descending, |[_, week, _]| week.routed.0.ok()),
        // They come with most requests first.
        _ if !descending => models.reverse(),
        _ => {}
    }
}
