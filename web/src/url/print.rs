//! State to query string: fixed order, defaults dropped.

use super::path::escape;
use super::state::{Param, Period, Sort, State, Variants, View, Vs};
use crate::data::{LabelPeriod, Metric, Span};

/// The canonical query of a state on a page that reads these parameters, without `?`; empty when everything is default.
/// Other parameters are left out.
pub fn print(allowed: &[Param], state: &State) -> String {
    let mut out = String::new();
    for param in Param::ALL.into_iter().filter(|param| allowed.contains(param)) {
        if let Some(value) = value(param, state) {
            if !out.is_empty() {
                out.push('&');
            }
            out.push_str(param.word());
            out.push('=');
            out.push_str(&value);
        }
    }
    out
}

fn value(param: Param, state: &State) -> Option<String> {
    let word = |word: &str| Some(word.to_owned());
    match param {
        Param::Metric if state.metric != Metric::default() => word(state.metric.word()),
        Param::Period => match state.period {
            Period::Dates(..) => None,
            period if period == Period::default() => None,
            period => word(period.word()),
        },
        Param::From => match state.period {
            Period::Dates(from, _) => Some(from.to_string()),
            _ => None,
        },
        Param::To => match state.period {
            Period::Dates(_, to) => Some(to.to_string()),
            _ => None,
        },
        Param::Vs if state.vs != Vs::default() => word(state.vs.word()),
        Param::By if state.by != super::By::default() => word(state.by.word()),
        Param::Variants if state.variants != Variants::default() => word(state.variants.word()),
        Param::Author => state.author.as_deref().map(escape),
        Param::LabelWindow => state.labels.map(|period| label_word(period).to_owned()),
        Param::Window if state.health != State::default().health => {
            health_word(state.health).map(str::to_owned)
        }
        Param::Sort => state.sort.map(sort_word),
        Param::View if state.view != View::default() => word(state.view.word()),
        Param::N if state.all_rows => word("all"),
        Param::Skip if state.skip > 0 => Some(state.skip.to_string()),
        Param::Limit if state.limit != State::ROWS => Some(state.limit.to_string()),
        Param::Offset if state.offset > 0 => Some(state.offset.to_string()),
        _ => None,
    }
}

pub(super) fn sort_word(sort: Sort) -> String {
    format!("{}{}", if sort.descending { "-" } else { "" }, sort.key.word())
}

pub(super) const HEALTH: [(Span, &str); 7] = [
    (Span::Minutes5, "5m"),
    (Span::Minutes30, "30m"),
    (Span::Hours6, "6h"),
    (Span::Hours24, "24h"),
    (Span::Days7, "7d"),
    (Span::Days28, "28d"),
    (Span::Days90, "90d"),
];

fn health_word(span: Span) -> Option<&'static str> {
    HEALTH.into_iter().find(|(known, _)| *known == span).map(|(_, word)| word)
}

pub(super) const LABELS: [(LabelPeriod, &str); 2] =
    [(LabelPeriod::Week, "week"), (LabelPeriod::Epoch, "28d")];

fn label_word(period: LabelPeriod) -> &'static str {
    match period {
        LabelPeriod::Week => "week",
        LabelPeriod::Epoch => "28d",
    }
}
