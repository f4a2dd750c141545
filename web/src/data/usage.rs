//! Served traffic by day, series and provider: additive measures in columns, and the sums pages need.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{Days, NaiveDate};

use super::dictionary::{AuthorId, Dictionary, ModelId, ProviderId, SeriesId, VariantId};
use super::grouping::Grouping;
use super::window::{Week, Window, monday};
use super::{Dataset, Metric};

macro_rules! measures {
    ($($field:ident),+ $(,)?) => {
        /// Additive measures of served requests. Tokens are the provider's own.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Totals {
            $(pub $field: u64,)+
            /// 10⁻⁹ USD: 18.4 billion USD would fill 64 bits, which is a sum that one wrong log can claim.
            pub cost_usd: u128,
        }

        /// Names of the counts, in the order of [`Totals`]; money stands apart.
        pub(crate) const COLUMNS: &[&str] = &[$(stringify!($field)),+];
        const WIDTH: usize = COLUMNS.len();

        #[derive(Clone, Copy)]
        #[expect(non_camel_case_types, reason = "named as the columns they index")]
        enum Column { $($field),+ }

        // Saturating, as in the rollups: a log that claims absurd numbers must not end the site for all others.
        impl Totals {
            fn add_row(&mut self, day: &UsageDay, row: usize) {
                $(self.$field = self.$field.saturating_add(value(&day.columns, Column::$field, row));)+
                self.cost_usd = self.cost_usd.saturating_add(day.cost(row));
            }

            pub fn add(&mut self, other: &Self) {
                $(self.$field = self.$field.saturating_add(other.$field);)+
                self.cost_usd = self.cost_usd.saturating_add(other.cost_usd);
            }
        }
    };
}

/// Name of the column of money.
pub(crate) const COST: &str = "cost_usd";

measures!(
    requests,
    input_tokens,
    output_tokens,
    gateway_cache_hits,
    streamed_requests,
    requests_with_user,
    cached_input_tokens,
    cache_write_tokens,
    reasoning_tokens,
    unpriced_requests,
    unpriced_tokens,
    input_images,
    input_audio,
    input_video,
    output_images,
    tool_calls,
    web_searches,
    requests_image_in,
    requests_image_out,
    requests_audio_in,
    requests_tool_call,
    context_1k,
    context_10k,
    context_100k,
    context_1m,
    context_10m,
    context_over_10m,
);

#[inline]
fn value(columns: &[Vec<u64>; WIDTH], column: Column, row: usize) -> u64 {
    columns.get(column as usize).and_then(|values| values.get(row)).copied().unwrap_or(0)
}

impl Totals {
    pub fn tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// USD.
    pub fn spend(&self) -> f64 {
        self.cost_usd as f64 / 1e9
    }

    /// 10⁻⁹ USD; `None`: no request has a known price, and the spend is unknown, not zero.
    pub fn known_cost(&self) -> Option<u128> {
        known_cost(self.cost_usd, self.unpriced_requests, self.requests)
    }

    /// The metric as a number; None for users, which are not additive, and for a spend that nobody knows.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Tokens => Some(self.tokens() as f64),
            Metric::Requests => Some(self.requests as f64),
            Metric::Spend => self.known_cost().map(|nano| nano as f64 / 1e9),
            Metric::Users => None,
        }
    }

    /// Cached share of input tokens, 0 to 1.
    pub fn cache_hit(&self) -> Option<f64> {
        ratio(self.cached_input_tokens, self.input_tokens)
    }

    /// Share of tokens that no price is known for, 0 to 1.
    pub fn unpriced(&self) -> Option<f64> {
        ratio(self.unpriced_tokens, self.tokens())
    }

    /// Share of requests that carry a user id, 0 to 1.
    pub fn with_user(&self) -> Option<f64> {
        ratio(self.requests_with_user, self.requests)
    }

    /// USD per 1 M tokens, input and output together, over priced traffic.
    pub fn price_per_million(&self) -> Option<f64> {
        let priced = self.tokens().saturating_sub(self.unpriced_tokens);
        (priced > 0).then(|| self.spend() * 1e6 / priced as f64)
    }
}

fn known_cost(cost_usd: u128, unpriced_requests: u64, requests: u64) -> Option<u128> {
    let unknown = requests > 0 && unpriced_requests >= requests && cost_usd == 0;
    (!unknown).then_some(cost_usd)
}

pub(crate) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// What one ranking row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GroupBy {
    /// Model with its variants folded together.
    Model,
    /// Model and variant: `:free` is a row of its own.
    Series,
    Author,
    Provider,
}

/// One group of a grouping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    Model(ModelId),
    Series(SeriesId),
    Author(AuthorId),
    Provider(ProviderId),
}

impl Group {
    /// Traffic whose raw name no alias mapped.
    pub fn is_unknown(self) -> bool {
        self.index() == 0
    }

    /// All that may not be named.
    pub fn is_hidden(self) -> bool {
        self.index() == 1
    }

    /// One thing with a name of its own.
    pub fn is_named(self) -> bool {
        self.index() > 1
    }

    pub(crate) fn index(self) -> usize {
        match self {
            Self::Model(id) => id.index(),
            Self::Series(id) => id.index(),
            Self::Author(id) => id.index(),
            Self::Provider(id) => id.index(),
        }
    }
}

/// Rows to count; every given condition must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    pub model: Option<ModelId>,
    pub author: Option<AuthorId>,
    pub provider: Option<ProviderId>,
    pub variant: Option<VariantId>,
}

impl Filter {
    pub fn model(id: ModelId) -> Self {
        Self { model: Some(id), ..Self::default() }
    }

    pub fn author(id: AuthorId) -> Self {
        Self { author: Some(id), ..Self::default() }
    }

    pub fn provider(id: ProviderId) -> Self {
        Self { provider: Some(id), ..Self::default() }
    }

    pub(super) fn keeps_series(&self, dictionary: &Dictionary, series: SeriesId) -> bool {
        let part = dictionary.series(series);
        self.model.is_none_or(|model| model == part.model)
            && self.variant.is_none_or(|variant| variant == part.variant)
            && self.author.is_none_or(|author| author == dictionary.author_of(part.model))
    }
}

/// One day of `usage_daily`, partial rows merged.
#[derive(Clone, Debug)]
pub(crate) struct UsageDay {
    series: Vec<u32>,
    provider: Vec<u32>,
    columns: [Vec<u64>; WIDTH],
    /// 10⁻⁹ USD
    cost_usd: Vec<u128>,
    index: std::collections::HashMap<(u32, u32), u32>,
    /// Requests of models that nobody maps, wherever they are counted.
    unmapped: u64,
}

impl Default for UsageDay {
    fn default() -> Self {
        Self {
            series: Vec::new(),
            provider: Vec::new(),
            columns: std::array::from_fn(|_| Vec::new()),
            cost_usd: Vec::new(),
            index: std::collections::HashMap::new(),
            unmapped: 0,
        }
    }
}

impl UsageDay {
    /// Adds one stored row; `values` in the order of [`COLUMNS`].
    pub fn add(
        &mut self,
        series: SeriesId,
        provider: ProviderId,
        values: impl Iterator<Item = u64>,
        cost_usd: u128,
    ) {
        let next = u32::try_from(self.series.len()).unwrap_or(u32::MAX);
        let row = *self.index.entry((series.0, provider.0)).or_insert(next) as usize;
        if row == self.series.len() {
            self.series.push(series.0);
            self.provider.push(provider.0);
            for column in &mut self.columns {
                column.push(0);
            }
            self.cost_usd.push(0);
        }
        for (column, value) in self.columns.iter_mut().zip(values) {
            if let Some(slot) = column.get_mut(row) {
                *slot = slot.saturating_add(value);
            }
        }
        if let Some(slot) = self.cost_usd.get_mut(row) {
            *slot = slot.saturating_add(cost_usd);
        }
    }

    pub fn add_unmapped(&mut self, requests: u64) {
        self.unmapped = self.unmapped.saturating_add(requests);
    }

    #[inline]
    fn cost(&self, row: usize) -> u128 {
        self.cost_usd.get(row).copied().unwrap_or(0)
    }

    pub fn rows(&self) -> usize {
        self.series.len()
    }

    fn requests(&self) -> u64 {
        let column = self.columns.get(Column::requests as usize).map(Vec::as_slice).unwrap_or_default();
        column.iter().fold(0, |sum, requests| sum.saturating_add(*requests))
    }
}

/// Tokens, requests and spend only: what long charts sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    pub tokens: u64,
    pub requests: u64,
    /// 10⁻⁹ USD
    pub cost_usd: u128,
    pub unpriced_requests: u64,
}

impl Volume {
    /// None for users and for a spend that nobody knows.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Tokens => Some(self.tokens as f64),
            Metric::Requests => Some(self.requests as f64),
            Metric::Spend => self.exact(metric).map(|nano| nano as f64 / 1e9),
            Metric::Users => None,
        }
    }

    /// The metric as it is stored: a count or 10⁻⁹ USD. `None` for users and for an unknown spend.
    pub fn exact(&self, metric: Metric) -> Option<u128> {
        match metric {
            Metric::Tokens => Some(self.tokens.into()),
            Metric::Requests => Some(self.requests.into()),
            Metric::Spend => known_cost(self.cost_usd, self.unpriced_requests, self.requests),
            Metric::Users => None,
        }
    }

    /// This volume without a part of it.
    #[must_use]
    pub fn without(&self, part: &Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(part.tokens),
            requests: self.requests.saturating_sub(part.requests),
            cost_usd: self.cost_usd.saturating_sub(part.cost_usd),
            unpriced_requests: self.unpriced_requests.saturating_sub(part.unpriced_requests),
        }
    }

    fn add_row(&mut self, day: &UsageDay, row: usize) {
        let count = |column| value(&day.columns, column, row);
        for tokens in [count(Column::input_tokens), count(Column::output_tokens)] {
            self.tokens = self.tokens.saturating_add(tokens);
        }
        self.requests = self.requests.saturating_add(count(Column::requests));
        self.cost_usd = self.cost_usd.saturating_add(day.cost(row));
        self.unpriced_requests = self.unpriced_requests.saturating_add(count(Column::unpriced_requests));
    }
}

/// Volumes per ISO week and group; every group has one value per week.
#[derive(Clone, Debug, Default)]
pub struct Weekly {
    pub weeks: Vec<Week>,
    /// Groups with any traffic in these weeks, largest total of tokens first.
    pub groups: Vec<(Group, Vec<Volume>)>,
    /// Sum over all groups, week by week.
    pub total: Vec<Volume>,
}

pub(crate) type ByDay = BTreeMap<NaiveDate, Arc<UsageDay>>;

/// Days without usage that part what lies before them from the history.
const PAUSE_DAYS: i64 = 28;
/// Of the requests after such a pause, the part that what lies before it must reach to belong to them.
const PLAUSIBLE: u64 = 1_000;

/// First day of the history: the oldest one, but for days before a long pause that hold less than a thousandth of the
/// requests after it. One event whose clock is years wrong would make years of nothing.
pub(crate) fn history_begins(days: &ByDay) -> Option<NaiveDate> {
    let all = days.values().fold(0, |sum: u64, day| sum.saturating_add(day.requests()));
    let (mut begins, mut before) = (*days.keys().next()?, 0u64);
    for ((date, day), next) in days.iter().zip(days.keys().skip(1)) {
        before = before.saturating_add(day.requests());
        let is_scarce = before < all.saturating_sub(before) / PLAUSIBLE;
        if (*next - *date).num_days() > PAUSE_DAYS && is_scarce {
            begins = *next;
        }
    }
    Some(begins)
}

impl Dataset {
    fn usage_days(&self, window: Window) -> impl Iterator<Item = (NaiveDate, &UsageDay)> {
        self.usage.range(window.start..=window.end.max(window.start)).map(|(date, day)| (*date, day.as_ref()))
    }

    /// Sums per group over the window, groups without traffic left out, in id order.
    pub fn totals(&self, window: Window, by: GroupBy, filter: &Filter) -> Vec<(Group, Totals)> {
        let grouping = Grouping::new(&self.dictionary, by, filter);
        let mut sums = vec![Totals::default(); grouping.len];
        for (_, day) in self.usage_days(window) {
            for row in 0..day.rows() {
                let (Some(series), Some(provider)) = (day.series.get(row), day.provider.get(row)) else {
                    continue;
                };
                if let Some(sum) = grouping.slot(*series, *provider).and_then(|slot| sums.get_mut(slot)) {
                    sum.add_row(day, row);
                }
            }
        }
        sums.into_iter()
            .enumerate()
            .filter(|(_, sum)| sum.requests > 0 || sum.tokens() > 0)
            .map(|(slot, sum)| (grouping.group(slot), sum))
            .collect()
    }

    /// Sum over all rows that pass the filter, hidden and unmapped ones included.
    pub fn total(&self, window: Window, filter: &Filter) -> Totals {
        self.daily(window, filter).into_iter().fold(Totals::default(), |mut sum, (_, day)| {
            sum.add(&day);
            sum
        })
    }

    /// Requests of models that nobody maps.
    pub(crate) fn unmapped_requests(&self, window: Window) -> u64 {
        self.usage_days(window).fold(0, |sum, (_, day)| sum.saturating_add(day.unmapped))
    }

    /// One sum per day of the window, days without traffic included as zero.
    pub fn daily(&self, window: Window, filter: &Filter) -> Vec<(NaiveDate, Totals)> {
        let grouping = Grouping::new(&self.dictionary, GroupBy::Series, filter);
        window
            .dates()
            .map(|date| {
                let mut sum = Totals::default();
                if let Some(day) = self.usage.get(&date) {
                    for row in 0..day.rows() {
                        let (Some(series), Some(provider)) = (day.series.get(row), day.provider.get(row))
                        else {
                            continue;
                        };
                        if grouping.slot(*series, *provider).is_some() {
                            sum.add_row(day, row);
                        }
                    }
                }
                (date, sum)
            })
            .collect()
    }

    /// The last `weeks` ISO weeks, the running one last and marked incomplete.
    pub fn weekly(&self, by: GroupBy, weeks: u64, filter: &Filter) -> Weekly {
        let grouping = Grouping::new(&self.dictionary, by, filter);
        let newest = self.newest_date();
        let last = monday(newest);
        let first = last.checked_sub_days(Days::new(7 * weeks.saturating_sub(1))).unwrap_or(last);
        let first = first.max(monday(self.first_date()));
        let mut out = Weekly::default();
        let mut start = first;
        while start <= last {
            let end = start.checked_add_days(Days::new(6)).unwrap_or(start);
            let complete = end <= self.last_complete_date() && start >= self.first_date();
            out.weeks.push(Week { monday: start, complete });
            start = start.checked_add_days(Days::new(7)).unwrap_or(NaiveDate::MAX);
        }
        let width = out.weeks.len();
        out.total = vec![Volume::default(); width];
        let mut sums = vec![Volume::default(); grouping.len * width];
        for (date, day) in self.usage_days(Window { start: first, end: newest }) {
            let week = usize::try_from((date - first).num_days() / 7).unwrap_or(0);
            for row in 0..day.rows() {
                let (Some(series), Some(provider)) = (day.series.get(row), day.provider.get(row)) else {
                    continue;
                };
                let Some(slot) = grouping.slot(*series, *provider) else { continue };
                if let (Some(sum), Some(total)) = (sums.get_mut(slot * width + week), out.total.get_mut(week))
                {
                    sum.add_row(day, row);
                    total.add_row(day, row);
                }
            }
        }
        out.groups = sums
            .chunks(width.max(1))
            .enumerate()
            .filter(|(_, volumes)| volumes.iter().any(|volume| volume.requests > 0 || volume.tokens > 0))
            .map(|(slot, volumes)| (grouping.group(slot), volumes.to_vec()))
            .collect();
        let size = |volumes: &[Volume]| volumes.iter().map(|volume| u128::from(volume.tokens)).sum::<u128>();
        out.groups.sort_by(|a, b| size(&b.1).cmp(&size(&a.1)).then_with(|| self.by_name(a.0, b.0)));
        out
    }
}
