//! Query string to state. Pages drop what they do not understand; the API names it.

use chrono::NaiveDate;

use super::print::{HEALTH, LABELS, print};
use super::state::{By, Param, Period, Sort, SortKey, State, Variants, View, Vs};
use super::values::Values;
use crate::data::Metric;

/// Pairs read from a query.
const MAX_PAIRS: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// This page has no such parameter.
    Unknown,
    Invalid,
    /// The value cannot be dropped silently: from after to, a span too long, a date that does not exist.
    Impossible,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub why: Why,
    pub param: String,
    /// What would have been understood.
    pub allowed: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    pub state: State,
    pub problems: Vec<Problem>,
    /// The canonical query; equal to what was asked when nothing has to be redirected.
    pub canonical: String,
}

/// Of a page that reads these parameters.
pub fn parse(allowed: &[Param], query: &str) -> Parsed {
    let mut state = State::default();
    let mut problems = Vec::new();
    let (mut from, mut to) = (None, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()).take(MAX_PAIRS) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name), decode(value).to_lowercase());
        let param = Param::ALL.into_iter().find(|param| param.word() == name && allowed.contains(param));
        let Some(param) = param else {
            let allowed = allowed.iter().map(|param| param.word().to_owned()).collect();
            problems.push(Problem { why: Why::Unknown, param: name, allowed });
            continue;
        };
        match param {
            Param::From => from = Some(value),
            Param::To => to = Some(value),
            _ => {
                if set(param, &value, &mut state).is_none() {
                    let allowed = param.values().allowed();
                    problems.push(Problem { why: Why::Invalid, param: name, allowed });
                }
            }
        }
    }
    if from.is_some() || to.is_some() {
        match dates(from.as_deref(), to.as_deref()) {
            Ok(period) => state.period = period,
            Err(problem) => problems.push(problem),
        }
    }
    let canonical = print(allowed, &state);
    Parsed { state, problems, canonical }
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

fn dates(from: Option<&str>, to: Option<&str>) -> Result<Period, Problem> {
    let problem = |param: &str, allowed: &str| Problem {
        why: Why::Impossible,
        param: param.to_owned(),
        allowed: vec![allowed.to_owned()],
    };
    let day = |name, text: Option<&str>| {
        let text = text.ok_or_else(|| problem(name, "both from and to are needed"))?;
        // Dates are written in one way only, so that they have one address.
        text.parse::<NaiveDate>()
            .ok()
            .filter(|date| date.to_string() == text)
            .ok_or_else(|| problem(name, "a date such as 2026-11-24"))
    };
    let (from, to) = (day("from", from)?, day("to", to)?);
    if from > to {
        return Err(problem("from", "a date not after `to`"));
    }
    if (to - from).num_days() >= Period::MAX_DAYS {
        return Err(problem("from", "at most 366 days before `to`"));
    }
    Ok(Period::Dates(from, to))
}

/// `None`: not a value of this parameter.
fn set(param: Param, value: &str, state: &mut State) -> Option<()> {
    match param {
        Param::Metric => state.metric = pick(value, Metric::ALL, Metric::word)?,
        Param::Period => state.period = Period::from_word(value)?,
        Param::Vs => state.vs = pick(value, Vs::ALL, Vs::word)?,
        Param::By => state.by = pick(value, By::ALL, By::word)?,
        Param::Variants => state.variants = pick(value, Variants::ALL, Variants::word)?,
        Param::View => state.view = pick(value, View::ALL, View::word)?,
        Param::Author => {
            if value.is_empty() || value.len() > 100 {
                return None;
            }
            state.author = Some(value.to_owned());
        }
        Param::Window => state.health = pick(value, HEALTH, |(_, word)| word)?.0,
        Param::LabelWindow => state.labels = Some(pick(value, LABELS, |(_, word)| word)?.0),
        Param::Sort => {
            let (descending, word) = value.strip_prefix('-').map_or((false, value), |word| (true, word));
            let key = pick(word, SortKey::ALL, SortKey::word)?;
            state.sort = Some(Sort { key, descending });
        }
        Param::N => state.all_rows = (value == "all").then_some(true)?,
        Param::Skip => state.skip = number(param, value)?,
        Param::Limit => state.limit = number(param, value)?,
        Param::Offset => state.offset = number(param, value)?,
        Param::From | Param::To => {}
    }
    Some(())
}

fn pick<T: Copy, const N: usize>(value: &str, all: [T; N], word: impl Fn(T) -> &'static str) -> Option<T> {
    all.into_iter().find(|item| word(*item) == value)
}

fn number(param: Param, value: &str) -> Option<u32> {
    let Values::Whole { least, most } = param.values() else { return None };
    value.parse().ok().filter(|number| (least..=most).contains(number))
}
