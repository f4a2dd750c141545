//! What fallback routing added: routed, without routing, best pinned; windows of whole days to yesterday, as the table
//! `routing_now` tells them. Rows hold what may be said, so nothing is rounded or withheld here.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use arrow::array::Float64Array;
use bellwether_warehouse::{Snapshot, TableId};
use chrono::NaiveDate;

use super::dictionary::{Dictionary, ModelId, ProviderId};
use super::figure::{Figure, NotEnough, Untold};
use super::load::{self, Columns, LoadError, date_at, percent, real_at, text_at};
use super::{Dataset, Detail, Tally, Window};

/// One pair of percentages over the same requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Boost {
    /// Requests in the population.
    pub n: Tally,
    /// Share that ended ok after fallback, %.
    pub routed: f64,
    /// Share whose first attempt ended ok, %.
    pub without_routing: f64,
    /// routed − without routing, percentage points.
    pub boost: f64,
}

/// The provider with the highest uptime among those with enough attempts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestPinned {
    pub provider: ProviderId,
    /// %
    pub uptime: f64,
}

/// Routed against pinned, of one model or of everything, over complete days. Counts are None before they are published.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Routing {
    /// Requests that the gateway passed on.
    pub all_requests: Option<Tally>,
    pub attempts_per_request: Option<f64>,
    /// Requests whose first attempt was a success or a counted fault.
    pub requests: Option<Tally>,
    pub boost: Figure<Boost>,
    /// The second pair: a first attempt of 429 counts as a failure.
    pub requests_with_rate_limits: Option<Tally>,
    pub boost_with_rate_limits: Figure<Boost>,
    /// None: no provider has enough counted attempts.
    pub best_pinned: Option<BestPinned>,
    /// routed − uptime of the best pinned provider, percentage points.
    pub over_best: Option<f64>,
}

impl Routing {
    /// Of what has no row.
    fn missing(requests: Option<Tally>, why: Untold) -> Self {
        Self {
            all_requests: requests,
            attempts_per_request: None,
            requests,
            boost: Err(why),
            requests_with_rate_limits: requests,
            boost_with_rate_limits: Err(why),
            best_pinned: None,
            over_best: None,
        }
    }
}

/// All rows of `routing_now`.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    /// Last day of all of them.
    end: Option<NaiveDate>,
    /// By length in days and model; None: everything.
    rows: BTreeMap<(u64, Option<ModelId>), Routing>,
}

impl Dataset {
    /// Over the last `days` (1, 7 or 28) complete days.
    pub fn routing(&self, model: ModelId, days: u64) -> Routing {
        self.routing_row(Some(model), days)
    }

    /// Of all models together, those that may not be named included.
    pub fn routing_of_all(&self, days: u64) -> Routing {
        self.routing_row(None, days)
    }

    /// Models that were routed in the last `days` complete days, most requests first.
    pub fn routed_models(&self, days: u64) -> Vec<ModelId> {
        let rows = self.routing.rows.range((days, None)..(days.saturating_add(1), None));
        let mut models: Vec<_> =
            rows.filter_map(|((_, model), routing)| Some(((*model)?, routing.all_requests))).collect();
        // The order tells no size that is not told.
        models.sort_by_cached_key(|(model, requests)| {
            (Reverse(requests.and_then(Tally::exact)), self.dictionary.model(*model).to_owned())
        });
        models.into_iter().map(|(model, _)| model).collect()
    }

    /// The `days` days that a window of routing holds.
    pub fn routing_window(&self, days: u64) -> Window {
        self.routing.end.map_or_else(|| self.trailing(days), |end| Window::trailing(end, days))
    }

    fn routing_row(&self, model: Option<ModelId>, days: u64) -> Routing {
        self.routing.rows.get(&(days, model)).copied().unwrap_or_else(|| {
            // All windows are put together, to the day that ended last; none before the first one has.
            let has_day = self.first_date() < self.as_of.date_naive();
            let is_there = self.routing.end.is_some() || has_day && self.standing.has_now(TABLE);
            match is_there {
                true => {
                    let why = NotEnough::counts(0, self.thresholds.counted_attempts.max(1));
                    Routing::missing(Some(Tally::Exact(0)), why.into())
                }
                false => Routing::missing(None, self.no_window_yet().into()),
            }
        })
    }
}

pub(super) const TABLE: TableId = TableId::Declared(&bellwether_metrics::routing_now::TABLE);

const NAMES: [&str; 18] = [
    "end_date",
    "window_days",
    "dimension",
    "model",
    "author",
    "counts_are_bands",
    "all_requests",
    "attempts_per_request",
    "requests",
    "routed",
    "without_routing",
    "boost_points",
    "requests_with_rate_limits",
    "routed_with_rate_limits",
    "without_routing_with_rate_limits",
    "boost_with_rate_limits_points",
    "best_provider",
    "best_provider_uptime",
];
/// Beside those of [`NAMES`].
const OVER_BEST: &str = "boost_over_best_points";

/// Reads `routing_now`. `needs`: requests that a share needs.
pub(super) async fn read(
    snapshot: &Snapshot,
    dictionary: &mut Dictionary,
    needs: u64,
) -> Result<Windows, LoadError> {
    let mut windows = Windows::default();
    let names = [&NAMES[..], &[OVER_BEST]].concat();
    load::scan(snapshot, snapshot.files().to_vec(), &names, None, |columns| {
        absorb(columns, dictionary, needs.max(1), &mut windows)
    })
    .await?;
    Ok(windows)
}

fn absorb(
    columns: &Columns<'_>,
    dictionary: &mut Dictionary,
    needs: u64,
    windows: &mut Windows,
) -> Result<(), LoadError> {
    let (ends, days) = (columns.date("end_date")?, columns.counts(&["window_days"])?);
    let (dimensions, models) = (columns.text("dimension")?, columns.text("model")?);
    let (authors, bands) = (columns.text("author")?, columns.flag("counts_are_bands")?);
    let counts = columns.counts(&["all_requests", "requests", "requests_with_rate_limits"])?;
    let [all, requests, limited] = counts.as_slice() else { return Ok(()) };
    let real = |name: &str| columns.float(name);
    let per_request = real("attempts_per_request")?;
    let pair = [real("routed")?, real("without_routing")?, real("boost_points")?];
    let limited_pair = [
        real("routed_with_rate_limits")?,
        real("without_routing_with_rate_limits")?,
        real("boost_with_rate_limits_points")?,
    ];
    let (providers, uptimes) = (columns.text("best_provider")?, real("best_provider_uptime")?);
    let over_best = real(OVER_BEST)?;
    for row in 0..columns.rows() {
        let model = match (text_at(&dimensions, row), text_at(&models, row)) {
            (Some("total"), _) => None,
            (Some("model"), Some(model)) => {
                dictionary.learn(model, text_at(&authors, row).unwrap_or(""));
                Some(dictionary.intern_model(Some(model))).filter(|model| model.is_named())
            }
            _ => continue,
        };
        let detail = Detail::of(&bands, row);
        let boost = |n: u64, [routed, without, boost]: &[Float64Array; 3]| {
            let known = (real_at(routed, row), real_at(without, row), real_at(boost, row));
            let (Some(routed), Some(without), Some(boost)) = known else {
                return Err(detail.reason(NotEnough::counts(n, needs)).into());
            };
            Ok(Boost {
                n: detail.count(n),
                routed: percent(routed),
                without_routing: percent(without),
                boost,
            })
        };
        let best_pinned = text_at(&providers, row).and_then(|provider| {
            let provider = dictionary.intern_provider(Some(provider));
            let uptime = real_at(&uptimes, row).filter(|_| provider.is_named())?;
            Some(BestPinned { provider, uptime: percent(uptime) })
        });
        let routing = Routing {
            all_requests: Some(detail.count(all.value(row))),
            attempts_per_request: real_at(&per_request, row),
            requests: Some(detail.count(requests.value(row))),
            boost: boost(requests.value(row), &pair),
            requests_with_rate_limits: Some(detail.count(limited.value(row))),
            boost_with_rate_limits: boost(limited.value(row), &limited_pair),
            best_pinned,
            over_best: real_at(&over_best, row),
        };
        windows.end = windows.end.max(date_at(&ends, row));
        let length = days.first().map_or(0, |days| days.value(row));
        windows.rows.insert((length, model), routing);
    }
    Ok(())
}
