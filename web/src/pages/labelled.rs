//! What pages of labelled traffic share: windows in words, shares with intervals, rows of models.

use super::parts::{Cell, Column, Html, Row, Table, cells};
use super::ranked;
use super::rankings::Fact;
use super::{cross_page, language_page};
use crate::charts::{Caption, Whisker, whiskers};
use crate::data::{
    self, Dataset, Dimension, Figure, Group, LabelCell, LabelPeriod, LabelSource, LabelWindow, Untold,
    UsersBand, code_name, language_name,
};
use crate::format::{self, NBSP};
use crate::views::cross::{Cross, CrossRow};

/// `week of 16 to 22 Nov 2026` or `28 days, 26 Oct to 22 Nov 2026`.
pub fn window(window: LabelWindow) -> String {
    let days = format::span(window.start, window.end);
    match window.period {
        LabelPeriod::Week => format!("ISO week, {days}"),
        LabelPeriod::Epoch => format!("epoch of 28 days, {days}"),
    }
}

pub fn source(source: LabelSource) -> &'static str {
    match source {
        LabelSource::Text => "detected in the text",
        LabelSource::Router => "told by the router",
    }
}

/// Decimals that a sample of this size supports.
pub fn decimals(n_eff: f64) -> usize {
    usize::from(n_eff >= 1_000.0)
}

/// `24` and in grey `19–30`.
pub fn share(value: f64, (low, high): (f64, f64), decimals: usize) -> Html {
    Html::markup(format!(
        "{} <span class=\"iv\">{}–{}</span>",
        Html::text(&format::percent(value, decimals)),
        format::decimal(low * 100.0, decimals),
        format::decimal(high * 100.0, decimals)
    ))
}

pub fn band(at_least: Option<u64>) -> String {
    at_least.map_or_else(
        || format!("below {}", UsersBand::BANDS[0]),
        |least| format!("{}+", format::count(least)),
    )
}

fn rank(row: &CrossRow) -> String {
    match row.rank_best.zip(row.rank_worst) {
        Some((best, worst)) if best == worst => best.to_string(),
        Some((best, worst)) => format!("{best}–{worst}"),
        None => String::new(),
    }
}

pub fn name(row: &CrossRow) -> &str {
    row.name.as_deref().unwrap_or("other models")
}

/// The sentence about who is used most, honest about overlap.
pub fn finding(what: &str, cell: &LabelCell, cross: &Cross) -> String {
    let Some(first) = cross.named().next() else {
        return format!("{what}: no single model has enough users to be named");
    };
    let share = format::percent_sign(first.share, decimals(cell.n_eff));
    let level: Vec<String> = cross
        .named()
        .skip(1)
        .filter(|row| row.rank_best == Some(1))
        .take(2)
        .map(|row| name(row).to_owned())
        .collect();
    let but =
        if level.is_empty() { String::new() } else { format!(", but {} may be level", format::list(&level)) };
    format!("{what}: {} is used most, with {share} of tokens{but}", name(first))
}

/// Dots with whiskers for the named models.
pub fn chart(id: &str, title: &str, cell: &LabelCell, cross: &Cross) -> String {
    let places = decimals(cell.n_eff);
    let rows: Vec<Whisker> = cross
        .named()
        .take(12)
        .map(|row| Whisker {
            rank: rank(row),
            name: name(row).to_owned(),
            share: row.share,
            low: row.share_low.min(row.share),
            high: row.share_high.max(row.share),
            value: format::percent_sign(row.share, places),
            interval: format!(
                "{} to {}",
                format::decimal(row.share_low * 100.0, places),
                format::decimal(row.share_high * 100.0, places)
            ),
            leads: row.rank_best == Some(1),
        })
        .collect();
    let first = rows.first().map_or(String::new(), |row| {
        format!("{} {} of tokens, interval {}.", row.name, row.value, row.interval)
    });
    whiskers(&Caption { id, title, desc: &first }, &rows)
}

/// Every publishable column of a cell, model by model.
pub fn table(data: &Dataset, cell: &LabelCell, cross: &Cross) -> Table {
    let places = decimals(cell.n_eff);
    // A column in which every row lacks data is one sentence.
    let grows = cross.data.iter().any(|row| row.growth_factor.0.is_ok());
    let rows = cross
        .data
        .iter()
        .map(|row| {
            let link = row
                .model
                .map_or_else(|| Html::text("Other models"), |model| ranked::name(data, Group::Model(model)));
            let lift = match (row.model, row.lift) {
                (_, Some(lift)) => Html::text(&format!("{}×", format::decimal(lift, 1))),
                (Some(_), None) => Html::markup("<span class=\"fine\">about 1</span>"),
                (None, None) => cells::unknown(),
            };
            let growth =
                cells::figure(&row.growth_factor.0, |factor| format!("{}×", format::decimal(factor, 2)));
            let success = match &row.success.0 {
                Ok(rate) => share(*rate, row.success_low.zip(row.success_high).unwrap_or((*rate, *rate)), 0),
                Err(why) => cells::untold(why),
            };
            let users = Html::text(&band(row.users_at_least.map(|users| users.0)));
            let users_share = share(row.users_share, (row.users_share_low, row.users_share_high), 0);
            let mut row_cells: Vec<Cell> = vec![
                rank(row).into(),
                Cell::head(link),
                share(row.share, (row.share_low, row.share_high), places).into(),
                users_share.clone().into(),
                lift.into(),
            ];
            let mut more = vec![("Users' share, %".to_owned(), users_share)];
            if grows {
                row_cells.push(growth.clone().into());
                more.push(("Growth, × window before".to_owned(), growth));
            }
            row_cells.extend([success.clone().into(), users.clone().into()]);
            more.extend([("Success, %".to_owned(), success), ("Users, band".to_owned(), users)]);
            Row {
                cells: row_cells,
                more,
                class: if row.model.is_some() { "" } else { "others" },
                ..Row::default()
            }
        })
        .collect();
    let mut columns = vec![
        Column::new("Rank", "rk nw"),
        Column::new("Model", "nm"),
        Column::number("Token share", "%").defined("label-share", "Token share").descending(),
        Column::number("Users' share", "%").optional(),
        Column::number("Lift", "× all labelled").defined("lift", "Lift"),
    ];
    if grows {
        columns.push(Column::number("Growth", "× window before").optional());
    }
    columns.extend([Column::number("Success", "%").optional(), Column::number("Users", "band").optional()]);
    Table {
        label: "Models, most used first".to_owned(),
        note: if grows { Html::default() } else { no_growth(cross) },
        columns,
        rows,
        empty: "No model can be shown.".to_owned(),
        ..Table::default()
    }
}

/// Why no row has any.
fn no_growth(cross: &Cross) -> Html {
    let why = cross.data.iter().find_map(|row| row.growth_factor.0.err());
    let why = match why {
        Some(why @ Untold::NotYet(_)) => cells::why(&why),
        _ => "not enough data for any row".to_owned(),
    };
    Html::text(&format!("Growth on the window before: {why}"))
}

/// How sure the figures of a cell are.
pub fn sureness(data: &Dataset, cell: &LabelCell, is_cross: bool, listed: bool) -> Vec<Fact> {
    let thresholds = &data.thresholds;
    let (needs, needs_users) = if is_cross {
        (thresholds.cross_n_eff, thresholds.cross_users)
    } else {
        (thresholds.label_samples, thresholds.label_users)
    };
    let places = decimals(cell.n_eff);
    let mut out = vec![
        Fact::new("Users", band(cell.users.0), "", &format!("band; needs {needs_users}")),
        Fact::new(
            "Effective sample",
            format!("n\u{a0}=\u{a0}{}", format::decimal(cell.n_eff, 0)),
            "",
            &if is_cross {
                format!("needs {needs}")
            } else {
                format!("{} labelled requests, needs {needs}", format::count(cell.n))
            },
        ),
    ];
    // A language inside "other" keeps its share to itself: the difference would be that of another one.
    if listed {
        out.push(Fact::new(
            "Share of labelled tokens",
            format::percent_sign(cell.share, places.max(1)),
            "",
            &format!(
                "{} to {}{NBSP}%",
                format::decimal(cell.interval.low * 100.0, places.max(1)),
                format::decimal(cell.interval.high * 100.0, places.max(1))
            ),
        ));
    }
    out.push(Fact::new("Labels", source(cell.source), "", "one source per page, never mixed"));
    if let Some(coverage) = cell.coverage {
        out.push(Fact::new(
            "Coverage",
            format::percent_sign(coverage, 0),
            "",
            "of labelled tokens have a known language",
        ));
    }
    out
}

/// Why a cell is withheld, in a paragraph.
pub fn withheld(data: &Dataset, why: &Untold, is_cross: bool) -> Html {
    let thresholds = &data.thresholds;
    let (samples, users) = if is_cross {
        (thresholds.cross_n_eff, thresholds.cross_users)
    } else {
        (thresholds.label_samples, thresholds.label_users)
    };
    Html::markup(format!(
        "{} A {} is shown from {} users and {} {}, in one week or one epoch. One user may make up at most 30&nbsp;% of it, two at most 50&nbsp;%.",
        cells::untold(why),
        if is_cross { "cross" } else { "language" },
        format::count(users),
        format::count(samples),
        if is_cross { "effective samples" } else { "labelled requests" },
    ))
}

/// Languages by code languages: the model used most in each cross.
pub fn matrix(data: &Dataset, here: Option<(&str, &str)>) -> Option<Matrix> {
    let languages: Vec<String> = data.label_values(Dimension::Nl).into_iter().take(7).collect();
    let codes: Vec<String> = data.label_values(Dimension::CodeOut).into_iter().take(5).collect();
    let mut rows: Vec<(Html, Vec<MatrixCell>)> = languages
        .iter()
        .map(|nl| {
            let cells = codes.iter().map(|code| matrix_cell(data, nl, code, here)).collect();
            (Html::link(&language_page(nl).path(), language_name(nl)), cells)
        })
        .collect();
    // A language of which no cross can be told has no place in it, neither as a row nor as a column.
    rows.retain(|(_, cells)| cells.iter().any(|cell| cell.is_told));
    let told: Vec<bool> = (0..codes.len())
        .map(|column| rows.iter().any(|(_, cells)| cells.get(column).is_some_and(|cell| cell.is_told)))
        .collect();
    for (_, cells) in &mut rows {
        cells.retain(with(&told));
    }
    let mut codes: Vec<String> = codes.iter().map(|code| code_name(code).to_owned()).collect();
    codes.retain(with(&told));
    (!rows.is_empty()).then_some(Matrix { codes, rows })
}

/// Keeps, of as many as there are columns, those of columns that are told.
fn with<T>(told: &[bool]) -> impl FnMut(&T) -> bool {
    let mut told = told.iter().copied();
    move |_| told.next().unwrap_or(false)
}

pub struct Matrix {
    pub codes: Vec<String>,
    pub rows: Vec<(Html, Vec<MatrixCell>)>,
}

pub struct MatrixCell {
    pub class: String,
    /// Stands in the cell on a phone, where the columns are folded.
    pub code: String,
    pub html: Html,
    is_told: bool,
}

fn matrix_cell(dataset: &Dataset, nl: &str, code: &str, here: Option<(&str, &str)>) -> MatrixCell {
    let mark = if here == Some((nl, code)) { " here" } else { "" };
    let cross: Figure<data::Cross> = dataset.cross(Some(nl), Some(code), None);
    let href = cross_page(nl, code).path();
    let label = format!("{} to {}", language_name(nl), code_name(code));
    let first = cross.as_ref().ok().and_then(|cross| cross.rows.iter().find(|row| row.model.is_some()));
    match (&cross, first) {
        (Ok(cross), Some(row)) => {
            let depth = match row.share {
                share if share < 0.1 => "q1",
                share if share < 0.2 => "q2",
                share if share < 0.3 => "q3",
                _ => "q4",
            };
            let share = format::percent_sign(row.share, decimals(cross.cell.n_eff));
            let html = format!(
                "<a href=\"{href}\"><span class=\"vh\">{label}: </span>{}<small>{share}</small></a>",
                Html::text(row.model.map_or("", |model| dataset.model_name(model)))
            );
            MatrixCell {
                class: format!("{depth}{mark}"),
                code: code_name(code).to_owned(),
                html: Html::markup(html),
                is_told: true,
            }
        }
        (cross, _) => MatrixCell {
            class: format!("q0{mark}"),
            code: code_name(code).to_owned(),
            html: Html::markup(format!(
                "<a href=\"{href}\"><span class=\"vh\">{label}: </span>{}</a>",
                match cross {
                    Err(why @ Untold::NotYet(_)) => cells::why(why),
                    _ => "not enough data".to_owned(),
                }
            )),
            is_told: false,
        },
    }
}
