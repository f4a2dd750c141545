//! Everything pages and the API read: one immutable dataset, all of its numbers from one set of table
//! versions. The site swaps to the next dataset as a whole; nothing here touches storage except
//! [`Dataset::load_users`].
//!
//! | module | answers |
//! |---|---|
//! | `dictionary`, `keyed` | what every row is called |
//! | `group` | by what traffic is grouped, and whose it is |
//! | `gate` | which names may stand beside amounts of a day |
//! | `totals`, `usage`, `usage_day` | tokens, requests, spend by model, variant, author, provider |
//! | `ranking`, `users` | places, changes and distinct users in windows |
//! | `health` | uptime, states, error mix, latency and throughput |
//! | `detail` | how exactly amounts of health are told |
//! | `standing` | what is still to be published |
//! | `routing` | routed against pinned |
//! | `labels` | languages and crosses |
//! | `live` | the last 60 minutes |
//! | `quality` | unpriced, unmapped, rejected, duplicate records; coverage |

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};

use crate::history::Written;

mod detail;
mod dictionary;
mod figure;
mod gate;
mod group;
mod growth;
mod health;
mod keyed;
mod labels;
mod live;
mod load;
mod names;
mod quality;
mod ranking;
mod read;
mod refresh;
mod routing;
mod standing;
#[cfg(test)]
pub(crate) mod testing;
mod totals;
mod usage;
mod usage_day;
mod users;
mod whole;
mod window;

pub use crate::tally::Tally;
pub use detail::Detail;
pub use dictionary::{AuthorId, Dictionary, ModelId, ProviderId, Series, SeriesId, VariantId};
pub use figure::{Change, Figure, NotEnough, NotYet, Profile, Thresholds, Untold};
pub use group::{Filter, Group, GroupBy};
pub use growth::Month;
pub use health::{
    BUCKET_SECS, Bar, Cell, Counts, ErrorClass, HealthBy, Period, Quantiles, Scope, Span, Speed, State,
    Status,
};
pub use labels::{
    Cross, CrossRow, Dimension, Interval, LabelCell, LabelPeriod, LabelSource, LabelWindow, LanguageShare,
    Languages, UsersBand, code_name, language_name,
};
pub use live::{LastHour, Minute};
pub use load::LoadError;
pub use names::Names;
pub use quality::{Quality, RejectReason, Unmapped, UnmappedName};
pub(crate) use ranking::plus;
pub use ranking::{Ranking, RankingQuery, RankingRow, Remainder};
pub use refresh::{Options, RefreshError, Refreshed, Refresher};
pub use routing::{BestPinned, Boost, Routing};
pub use totals::{Totals, Volume};
pub use usage::{NAMED, WEEKS, Weekly};
pub use users::{UserCounts, UserQuery};
pub use window::{Week, Window, monday};

/// The id as written when it is known so, else the first that differs in case only. Every request asks, and nearly
/// all of them write an id as it is.
fn spelled<'a>(wanted: &str, is_known: bool, mut ids: impl Iterator<Item = &'a str>) -> Option<String> {
    if is_known {
        return Some(wanted.to_owned());
    }
    let lower = wanted.to_lowercase();
    ids.find(|id| id.to_lowercase() == lower).map(str::to_owned)
}

/// The measure a ranking is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    #[default]
    Tokens,
    Requests,
    Spend,
    Users,
}

impl Metric {
    pub const ALL: [Self; 4] = [Self::Tokens, Self::Requests, Self::Spend, Self::Users];

    /// Word in addresses and files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Requests => "requests",
            Self::Spend => "spend",
            Self::Users => "users",
        }
    }

    pub const fn unit(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Requests => "requests",
            Self::Spend => "USD",
            Self::Users => "users",
        }
    }
}

/// One consistent set of numbers.
#[derive(Debug)]
pub struct Dataset {
    /// Up to when everything has arrived: a minute before the newest event, or two before now when none comes.
    pub as_of: DateTime<Utc>,
    /// The newest event, by its own time. None: there was none yet.
    pub newest_event_at: Option<DateTime<Utc>>,
    /// When this dataset was put together (for the operator; no page prints it).
    pub built_at: DateTime<Utc>,
    /// End of the newest complete 5-minute bucket: where live windows end.
    pub buckets_end: DateTime<Utc>,
    /// Delta version of every table read.
    pub versions: BTreeMap<&'static str, i64>,
    /// Number of the publication that it is of, and versions of all tables that this names.
    pub publication: Option<i64>,
    pub published: BTreeMap<String, i64>,
    /// Version of `attempts` up to which everything published is computed; -1: nothing is.
    pub folded: i64,
    pub names: Arc<Names>,
    pub thresholds: Thresholds,
    pub profile: Profile,
    /// The traffic is simulated: every page says so.
    pub simulated: bool,
    /// What is there of a history that is still being written; days before that are none of this dataset's.
    pub history: Option<Written>,
    standing: standing::Standing,
    pub dictionary: Arc<Dictionary>,
    pub quality: Quality,
    /// Distinct users of all traffic in 28 days, where they are too few for anything to be named.
    pub too_few_users: Option<u64>,
    pub last_hour: Arc<LastHour>,
    first_date: NaiveDate,
    newest_date: NaiveDate,
    /// First day that has not closed.
    open_from: NaiveDate,
    usage: usage::ByDay,
    health: health::Health,
    routing: Arc<routing::Windows>,
    labels: labels::ByWeek,
    label_memo: Arc<labels::Memo>,
    users: users::Users,
    gate: Arc<gate::Gate>,
}

impl Dataset {
    /// First day with usage, see [`usage::history_begins`].
    pub fn first_date(&self) -> NaiveDate {
        self.first_date
    }

    /// Whether there is more before the first day that is not written or not published yet.
    pub fn is_filling(&self) -> bool {
        self.history.is_some() || self.standing.written_from().is_some()
    }

    /// Whether a day lies inside the history.
    pub fn covers(&self, date: NaiveDate) -> bool {
        self.first_date <= date && date <= self.newest_date
    }

    /// Newest day with usage or health; it is still running.
    pub fn newest_date(&self) -> NaiveDate {
        self.newest_date
    }

    /// The last day that has closed, two hours after its end; before the first one has, that day itself, see
    /// [`Dataset::has_complete_day`].
    pub fn last_complete_date(&self) -> NaiveDate {
        self.open_from.pred_opt().unwrap_or(self.open_from).max(self.first_date)
    }

    /// False until the first day has closed: windows end with it and are partial.
    pub fn has_complete_day(&self) -> bool {
        self.first_date < self.open_from
    }

    /// Whether every day up to a date has closed.
    pub fn is_closed(&self, date: NaiveDate) -> bool {
        date < self.open_from
    }

    /// The last `days` complete days, cut at the start of the history.
    pub fn trailing(&self, days: u64) -> Window {
        Window::trailing(self.last_complete_date(), days)
    }

    /// Order of names: what two replicas agree on, as they do not on the order of first sight.
    pub fn by_name(&self, a: Group, b: Group) -> std::cmp::Ordering {
        self.key(a).cmp(&self.key(b))
    }

    /// True before the first served request arrived: the site shows how to send one.
    pub fn is_empty(&self) -> bool {
        self.usage.is_empty()
    }

    /// `deepseek/deepseek-v3.2:free`, `deepseek`, `azure`; `hidden`; empty for unknown.
    pub fn key(&self, group: Group) -> String {
        let dictionary = &self.dictionary;
        match group {
            Group::Model(id) => dictionary.model(id).to_owned(),
            Group::Author(id) => dictionary.author(id).to_owned(),
            Group::Provider(id) => dictionary.provider(id).to_owned(),
            Group::Series(id) => {
                let series = dictionary.series(id);
                let model = dictionary.model(series.model);
                gate::variant_key(model, dictionary.variant(series.variant)).into_owned()
            }
        }
    }

    /// Whether everything may stand beside its amounts, because nobody asks for users.
    pub fn tells_all(&self) -> bool {
        self.gate.is_open()
    }

    /// Whether a group, or anything that it is the sum of, may stand beside its amounts of a day.
    pub fn tells(&self, group: Group, date: NaiveDate) -> bool {
        let dictionary = &self.dictionary;
        let tells_model = |model: ModelId| self.gate.names_model(dictionary.model(model), date);
        match group {
            Group::Series(_) => self.gate.names(gate::Kind::Variant, &self.key(group), date),
            Group::Provider(_) => self.gate.names(gate::Kind::Provider, &self.key(group), date),
            Group::Model(model) => tells_model(model),
            Group::Author(id) => {
                dictionary.models().any(|model| dictionary.author_of(model) == id && tells_model(model))
            }
        }
    }

    /// Display name; a series has its model's name, see [`Dataset::variant`].
    pub fn name(&self, group: Group) -> &str {
        let dictionary = &self.dictionary;
        match group {
            Group::Model(id) => self.names.model(dictionary.model(id)),
            Group::Series(id) => self.names.model(dictionary.model(dictionary.series(id).model)),
            Group::Author(id) => self.names.author(dictionary.author(id)),
            Group::Provider(id) => self.names.provider(dictionary.provider(id)),
        }
    }

    pub fn model_name(&self, id: ModelId) -> &str {
        self.name(Group::Model(id))
    }

    pub fn provider_name(&self, id: ProviderId) -> &str {
        self.name(Group::Provider(id))
    }

    pub fn author_name(&self, id: AuthorId) -> &str {
        self.name(Group::Author(id))
    }

    /// Variant of a series row, `None` for standard and for other groups.
    pub fn variant(&self, group: Group) -> Option<&str> {
        let Group::Series(id) = group else { return None };
        let variant = self.dictionary.variant(self.dictionary.series(id).variant);
        (!matches!(variant, "" | "standard")).then_some(variant)
    }

    /// Author of a model or series row.
    pub fn author_of(&self, group: Group) -> Option<AuthorId> {
        let id = match group {
            Group::Model(id) => self.dictionary.author_of(id),
            Group::Series(id) => self.dictionary.author_of(self.dictionary.series(id).model),
            Group::Author(id) => id,
            Group::Provider(_) => return None,
        };
        id.is_named().then_some(id)
    }

    /// The id that an address means.
    pub fn spelled_model(&self, wanted: &str) -> Option<String> {
        let dictionary = &self.dictionary;
        let is_known = dictionary.find_model(wanted).is_some();
        spelled(wanted, is_known, dictionary.models().map(|id| dictionary.model(id)))
    }

    pub fn spelled_author(&self, wanted: &str) -> Option<String> {
        let dictionary = &self.dictionary;
        let is_known = dictionary.find_author(wanted).is_some();
        spelled(wanted, is_known, dictionary.authors().map(|id| dictionary.author(id)))
    }

    pub fn spelled_provider(&self, wanted: &str) -> Option<String> {
        let dictionary = &self.dictionary;
        let is_known = dictionary.find_provider(wanted).is_some();
        spelled(wanted, is_known, dictionary.providers().map(|id| dictionary.provider(id)))
    }

    /// Age of the newest event at `now`; nothing before the first one.
    pub fn quiet_for(&self, now: DateTime<Utc>) -> std::time::Duration {
        self.newest_event_at.and_then(|newest| (now - newest).to_std().ok()).unwrap_or_default()
    }

    /// Age of what is shown at `now`.
    pub fn age(&self, now: DateTime<Utc>) -> std::time::Duration {
        (now - self.as_of).to_std().unwrap_or_default()
    }
}
