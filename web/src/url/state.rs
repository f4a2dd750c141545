//! The typed state behind a query string.

use chrono::NaiveDate;

use crate::data::{Dataset, GroupBy, LabelPeriod, Metric, Span, Window};

/// Which days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Period {
    Days1,
    #[default]
    Days7,
    Days28,
    Days30,
    Days90,
    Months12,
    /// Both days included.
    Dates(NaiveDate, NaiveDate),
}

impl Period {
    /// Those that a picker offers.
    pub const PICKS: [Self; 6] =
        [Self::Days1, Self::Days7, Self::Days28, Self::Days30, Self::Days90, Self::Months12];

    /// Longest span of chosen dates, days.
    pub const MAX_DAYS: i64 = 366;

    pub const fn word(self) -> &'static str {
        match self {
            Self::Days1 => "1d",
            Self::Days7 => "7d",
            Self::Days28 => "28d",
            Self::Days30 => "30d",
            Self::Days90 => "90d",
            Self::Months12 => "12m",
            Self::Dates(..) => "dates",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::PICKS.into_iter().find(|period| period.word() == word)
    }

    pub const fn days(self) -> u64 {
        match self {
            Self::Days1 => 1,
            Self::Days7 => 7,
            Self::Days28 => 28,
            Self::Days30 => 30,
            Self::Days90 => 90,
            Self::Months12 => 364,
            Self::Dates(..) => 0,
        }
    }
}

/// What the window is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Vs {
    #[default]
    Prev,
    /// The same weekdays 52 weeks earlier.
    Year,
    None,
}

impl Vs {
    pub const ALL: [Self; 3] = [Self::Prev, Self::Year, Self::None];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Prev => "prev",
            Self::Year => "year",
            Self::None => "none",
        }
    }
}

/// How the share page groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum By {
    #[default]
    Author,
    Model,
    Provider,
}

impl By {
    pub const ALL: [Self; 3] = [Self::Author, Self::Model, Self::Provider];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Model => "model",
            Self::Provider => "provider",
        }
    }

    pub const fn group_by(self) -> GroupBy {
        match self {
            Self::Author => GroupBy::Author,
            Self::Model => GroupBy::Series,
            Self::Provider => GroupBy::Provider,
        }
    }
}

/// Whether `:free` and the like are rows of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Variants {
    #[default]
    Own,
    Folded,
}

impl Variants {
    pub const ALL: [Self; 2] = [Self::Own, Self::Folded];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Folded => "folded",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum View {
    /// Chart and table.
    #[default]
    Both,
    Table,
}

impl View {
    pub const ALL: [Self; 2] = [Self::Both, Self::Table];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Table => "table",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SortKey {
    Name,
    Tokens,
    Requests,
    Spend,
    Users,
    Share,
    Growth,
    State,
    Uptime,
    Ttft,
    Throughput,
    Boost,
}

impl SortKey {
    pub const ALL: [Self; 12] = [
        Self::Name,
        Self::Tokens,
        Self::Requests,
        Self::Spend,
        Self::Users,
        Self::Share,
        Self::Growth,
        Self::State,
        Self::Uptime,
        Self::Ttft,
        Self::Throughput,
        Self::Boost,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Tokens => "tokens",
            Self::Requests => "requests",
            Self::Spend => "spend",
            Self::Users => "users",
            Self::Share => "share",
            Self::Growth => "growth",
            Self::State => "state",
            Self::Uptime => "uptime",
            Self::Ttft => "ttft",
            Self::Throughput => "throughput",
            Self::Boost => "boost",
        }
    }
}

/// `sort=-growth` is largest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    pub key: SortKey,
    pub descending: bool,
}

/// Parameters in canonical order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Param {
    Metric,
    Period,
    From,
    To,
    Vs,
    By,
    Variants,
    Author,
    /// Of health pages.
    Window,
    /// Of pages of labels; no page has both.
    LabelWindow,
    Sort,
    View,
    N,
    Skip,
    Limit,
    Offset,
}

impl Param {
    pub const ALL: [Self; 16] = [
        Self::Metric,
        Self::Period,
        Self::From,
        Self::To,
        Self::Vs,
        Self::By,
        Self::Variants,
        Self::Author,
        Self::Window,
        Self::LabelWindow,
        Self::Sort,
        Self::View,
        Self::N,
        Self::Skip,
        Self::Limit,
        Self::Offset,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::Period => "period",
            Self::From => "from",
            Self::To => "to",
            Self::Vs => "vs",
            Self::By => "by",
            Self::Variants => "variants",
            Self::Author => "author",
            Self::Window | Self::LabelWindow => "window",
            Self::Sort => "sort",
            Self::View => "view",
            Self::N => "n",
            Self::Skip => "skip",
            Self::Limit => "limit",
            Self::Offset => "offset",
        }
    }
}

/// Every control of every page. A page reads those of its [`super::Query`], the others stay default.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub metric: Metric,
    pub period: Period,
    pub vs: Vs,
    pub by: By,
    pub variants: Variants,
    /// Author slug that narrows a ranking.
    pub author: Option<String>,
    /// Window of health pages.
    pub health: Span,
    /// Window of label pages; `None` = the newest that holds enough.
    pub labels: Option<LabelPeriod>,
    pub sort: Option<Sort>,
    pub view: View,
    /// All rows instead of the first 50.
    pub all_rows: bool,
    /// Series of a chart start after these ranks: how Others opens.
    pub skip: u32,
    pub limit: u32,
    pub offset: u32,
}

impl State {
    pub const ROWS: u32 = 50;
    pub const MAX_ROWS: u32 = 1_000;
}

impl Default for State {
    fn default() -> Self {
        Self {
            metric: Metric::default(),
            period: Period::default(),
            vs: Vs::default(),
            by: By::default(),
            variants: Variants::default(),
            author: None,
            health: Span::Minutes30,
            labels: None,
            sort: None,
            view: View::default(),
            all_rows: false,
            skip: 0,
            limit: Self::ROWS,
            offset: 0,
        }
    }
}

/// The days a state stands for in one dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub window: Window,
    pub before: Option<Window>,
    /// The window begins before the history and was cut.
    pub clamped: bool,
    /// The window holds the running day.
    pub partial: bool,
    /// The window lies wholly outside the history.
    pub outside: Option<Outside>,
}

/// On which side of the history a window lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    Before,
    After,
}

impl Period {
    /// Its days, compared with others.
    pub fn resolve(self, vs: Vs, dataset: &Dataset) -> Resolved {
        let last = dataset.last_complete_date();
        let asked = match self {
            Self::Dates(from, to) => Window { start: from, end: to.min(dataset.newest_date()).max(from) },
            period => Window::trailing(last, period.days()),
        };
        let outside = match asked {
            _ if asked.end < dataset.first_date() => Some(Outside::Before),
            _ if asked.start > dataset.newest_date() => Some(Outside::After),
            _ => None,
        };
        if outside.is_some() {
            return Resolved { window: asked, before: None, clamped: false, partial: false, outside };
        }
        let clamped = asked.start < dataset.first_date();
        let start = asked.start.max(dataset.first_date()).min(asked.end.max(dataset.first_date()));
        let window = Window { start, end: asked.end.max(start) };
        let before = match vs {
            // A window that was cut has no equal one before it; until it is whole, that is still to come.
            _ if clamped && !dataset.is_filling() => None,
            Vs::Prev => Some(window.previous()),
            Vs::Year => Some(window.year_before()),
            Vs::None => None,
        };
        let partial = !dataset.is_closed(window.end);
        Resolved { window, before, clamped, partial, outside: None }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Theme {
    /// As the device says.
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Auto, Self::Light, Self::Dark].into_iter().find(|theme| theme.word() == word)
    }
}
