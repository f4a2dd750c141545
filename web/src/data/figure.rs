//! A figure that may be withheld, and the thresholds that decide it.

use chrono::{DateTime, Utc};

/// Why a figure is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untold {
    /// There is too little of what it is made of.
    NotEnough(NotEnough),
    /// Nobody has counted: no publication has put its table, its window or its day.
    NotYet(NotYet),
}

impl Default for Untold {
    fn default() -> Self {
        Self::NotEnough(NotEnough::default())
    }
}

impl From<NotEnough> for Untold {
    fn from(why: NotEnough) -> Self {
        Self::NotEnough(why)
    }
}

impl From<NotYet> for Untold {
    fn from(why: NotYet) -> Self {
        Self::NotYet(why)
    }
}

/// What is still to be published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotYet {
    /// Not before the first day has closed, and that is then. None: it is being published.
    pub due_at: Option<DateTime<Utc>>,
}

/// How many observations a figure needs, and how many there are where that may be said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotEnough {
    /// Attempts, requests or samples. Not said where users are asked for, nor of what may not be named in connection
    /// with amounts.
    pub n: Option<u64>,
    pub needs: u64,
    /// Distinct users, where the rule asks for them.
    pub needs_users: Option<u64>,
}

impl NotEnough {
    pub fn counts(n: u64, needs: u64) -> Self {
        Self { n: Some(n), needs, needs_users: None }
    }

    /// A rule of labelled traffic, which says what it needs only; 0 samples: it asks for users alone.
    pub fn labelled(needs: u64, needs_users: u64) -> Self {
        Self { n: None, needs, needs_users: Some(needs_users) }
    }

    /// Too few people for an amount to be told.
    pub fn users(needs: u64) -> Self {
        Self::labelled(0, needs)
    }
}

/// A figure or the reason why there is none.
pub type Figure<T> = Result<T, Untold>;

/// Value of `window` against the window before it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Change {
    /// `now / before − 1`
    Ratio(f64),
    /// Nothing before.
    New,
    /// One of the windows has too few requests for a ratio.
    NotEnough(NotEnough),
    /// The window before is still to be published.
    NotYet,
    /// The history does not reach back far enough, or no comparison was asked for.
    #[default]
    Unknown,
}

/// What a figure needs before it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Counted attempts (success + fault) behind an uptime or a state.
    pub counted_attempts: u64,
    /// Requests behind a percentile.
    pub speed_requests: u64,
    /// Distinct users below which their number is not printed; in 28 days, those that a name needs to stand beside
    /// amounts. 0: none, and no gate is asked.
    pub users: u64,
    /// Requests in both windows behind a growth figure.
    pub growth_requests: u64,
    /// Users and samples behind a share of one label.
    pub label_users: u64,
    pub label_samples: u64,
    /// Users and effective samples behind a cross of two labels.
    pub cross_users: u64,
    pub cross_n_eff: u64,
    /// Users of a model row inside a labelled cell; smaller rows are folded into "other models".
    pub model_users: u64,
}

/// Who reads this site; sets the thresholds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    #[default]
    Public,
    /// An operator's own site.
    Private,
    /// Simulated traffic.
    Demo,
}

impl Profile {
    pub fn thresholds(self) -> Thresholds {
        let public = Thresholds {
            counted_attempts: 100,
            speed_requests: 100,
            users: 20,
            growth_requests: 1_000,
            label_users: 20,
            label_samples: 100,
            cross_users: 50,
            cross_n_eff: 30,
            model_users: 10,
        };
        match self {
            Self::Public => public,
            Self::Private => Thresholds {
                counted_attempts: 20,
                speed_requests: 20,
                users: 0,
                growth_requests: 100,
                ..public
            },
            Self::Demo => Thresholds {
                counted_attempts: 20,
                speed_requests: 20,
                users: 3,
                growth_requests: 100,
                label_samples: 20,
                cross_users: 20,
                cross_n_eff: 20,
                ..public
            },
        }
    }
}
