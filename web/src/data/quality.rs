//! How good the data are: what every page prints in its footer.

/// Shares are 0 to 1; `None` = nothing to divide by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quality {
    /// Tokens without a price / all tokens, last 7 complete days.
    pub unpriced: Option<f64>,
    /// Served requests whose model or provider no alias maps / all, last 7 complete days.
    pub unmapped: Option<f64>,
    /// Served requests with a user id / all, last 7 complete days.
    pub with_user: Option<f64>,
    /// Rows that arrived in the last 7 days (by arrival) and what was dropped beside them.
    pub rows: u64,
    pub duplicates: u64,
    pub rejects: u64,
    /// Labelled tokens with a known natural language / all labelled tokens, newest published window.
    pub label_coverage: Option<f64>,
    /// Raw names that no alias maps, most attempts first, newest two days; none on a public site.
    pub unmapped_names: Vec<UnmappedName>,
    /// Attempts with such a name for a model and for a provider.
    pub unmapped_attempts: Unmapped,
    /// Why records were refused in the last 7 days, most first.
    pub reject_reasons: Vec<RejectReason>,
}

impl Quality {
    /// Duplicates / everything that arrived, 0 to 1.
    pub fn duplicate_share(&self) -> Option<f64> {
        super::totals::ratio(self.duplicates, self.rows + self.duplicates + self.rejects)
    }

    pub fn reject_share(&self) -> Option<f64> {
        super::totals::ratio(self.rejects, self.rows + self.duplicates + self.rejects)
    }
}

/// Attempts of the newest two days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unmapped {
    pub models: u64,
    pub providers: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnmappedName {
    /// `model` or `provider`.
    pub kind: &'static str,
    pub name: String,
    pub attempts: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectReason {
    pub reason: String,
    pub n: u64,
}
