//! Additive measures of served traffic: the sums that pages show, and the columns that they are made of.

use super::Metric;

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

        // Saturating: a log that claims absurd numbers must not end the site for all others.
        impl Totals {
            /// Adds one row.
            pub(super) fn add_row(&mut self, rows: &Measures, row: usize) {
                $(self.$field = self.$field.saturating_add(rows.value(Column::$field, row));)+
                self.cost_usd = self.cost_usd.saturating_add(rows.cost(row));
            }

            pub fn add(&mut self, other: &Self) {
                $(self.$field = self.$field.saturating_add(other.$field);)+
                self.cost_usd = self.cost_usd.saturating_add(other.cost_usd);
            }

            /// The rest of this sum without a part of it.
            #[must_use]
            pub fn without(&self, part: &Self) -> Self {
                Self {
                    $($field: self.$field.saturating_sub(part.$field),)+
                    cost_usd: self.cost_usd.saturating_sub(part.cost_usd),
                }
            }
        }
    };
}

/// Name of the column of money.
pub(crate) const COST: &str = "spend_usd";

/// Measures of many rows, in columns.
#[derive(Clone, Debug)]
pub(super) struct Measures {
    columns: [Vec<u64>; WIDTH],
    /// 10⁻⁹ USD
    cost_usd: Vec<u128>,
}

impl Default for Measures {
    fn default() -> Self {
        Self { columns: std::array::from_fn(|_| Vec::new()), cost_usd: Vec::new() }
    }
}

impl Measures {
    /// `values` in the order of [`COLUMNS`].
    pub fn push(&mut self, values: impl Iterator<Item = u64>, cost_usd: u128) {
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(value);
        }
        self.cost_usd.push(cost_usd);
    }

    #[inline]
    fn value(&self, column: Column, row: usize) -> u64 {
        self.columns.get(column as usize).and_then(|values| values.get(row)).copied().unwrap_or(0)
    }

    #[inline]
    fn cost(&self, row: usize) -> u128 {
        self.cost_usd.get(row).copied().unwrap_or(0)
    }
}

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

    pub(super) fn add_row(&mut self, rows: &Measures, row: usize) {
        let count = |column| rows.value(column, row);
        for tokens in [count(Column::input_tokens), count(Column::output_tokens)] {
            self.tokens = self.tokens.saturating_add(tokens);
        }
        self.requests = self.requests.saturating_add(count(Column::requests));
        self.cost_usd = self.cost_usd.saturating_add(rows.cost(row));
        self.unpriced_requests = self.unpriced_requests.saturating_add(count(Column::unpriced_requests));
    }
}
