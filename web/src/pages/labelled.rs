//! What pages of labelled traffic share: windows in words, shares with intervals, rows of models.

use super::parts::{Cell, Column, Html, Row, Table, cells};
use super::ranked;
use super::rankings::Fact;
use super::{cross_page, language_page};
use crate::charts::{Caption, Whisker, whiskers};
use crate::data::{
    Cross, CrossRow, Dataset, Dimension, Figure, Group, Interval, LabelCell, LabelPeriod, LabelSource,
    LabelWindow, NotEnough, UsersBand, code_name, language_name,
};
use crate::format::{self, NBSP};
use crate::place::address;
use crate::url::{Format, State};

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
pub fn share(value: f64, interval: Interval, decimals: usize) -> Html {
    Html::markup(format!(
        "{} <span class=\"iv\">{}–{}</span>",
        Html::text(&format::percent(value, decimals)),
        format::decimal(interval.low * 100.0, decimals),
        format::decimal(interval.high * 100.0, decimals)
    ))
}

pub fn band(band: UsersBand) -> String {
    band.0.map_or_else(
        || format!("below {}", UsersBand::BANDS[0]),
        |least| format!("{}+", format::count(least)),
    )
}

fn rank(row: &CrossRow) -> String {
    match row.rank {
        Some((best, worst)) if best == worst => best.to_string(),
        Some((best, worst)) => format!("{best}–{worst}"),
        None => String::new(),
    }
}

fn name(data: &Dataset, row: &CrossRow) -> String {
    row.model.map_or_else(|| "other models".to_owned(), |model| data.model_name(model).to_owned())
}

/// The sentence about who is used most, honest about overlap.
pub fn finding(data: &Dataset, what: &str, cross: &Cross) -> String {
    let named: Vec<&CrossRow> = cross.rows.iter().filter(|row| row.model.is_some()).collect();
    let Some(first) = named.first() else {
        return format!("{what}: no single model has enough users to be named");
    };
    let share = format::percent_sign(first.share, decimals(cross.cell.n_eff));
    let level: Vec<String> = named
        .iter()
        .skip(1)
        .filter(|row| row.rank.is_some_and(|(best, _)| best == 1))
        .take(2)
        .map(|row| name(data, row))
        .collect();
    let but =
        if level.is_empty() { String::new() } else { format!(", but {} may be level", format::list(&level)) };
    format!("{what}: {} is used most, with {share} of tokens{but}", name(data, first))
}

/// Dots with whiskers for the named models.
pub fn chart(data: &Dataset, id: &str, title: &str, cross: &Cross) -> String {
    let places = decimals(cross.cell.n_eff);
    let rows: Vec<Whisker> = cross
        .rows
        .iter()
        .filter(|row| row.model.is_some())
        .take(12)
        .map(|row| Whisker {
            rank: rank(row),
            name: name(data, row),
            share: row.share,
            low: row.interval.low.min(row.share),
            high: row.interval.high.max(row.share),
            value: format::percent_sign(row.share, places),
            interval: format!(
                "{} to {}",
                format::decimal(row.interval.low * 100.0, places),
                format::decimal(row.interval.high * 100.0, places)
            ),
            leads: row.rank.is_some_and(|(best, _)| best == 1),
        })
        .collect();
    let first = rows.first().map_or(String::new(), |row| {
        format!("{} {} of tokens, interval {}.", row.name, row.value, row.interval)
    });
    whiskers(&Caption { id, title, desc: &first }, &rows)
}

/// Every publishable column of a cell, model by model.
pub fn table(data: &Dataset, cross: &Cross) -> Table {
    let places = decimals(cross.cell.n_eff);
    // A column in which every row lacks data is one sentence.
    let grows = cross.rows.iter().any(|row| row.growth.is_ok());
    let rows = cross
        .rows
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
            let growth = cells::figure(&row.growth.map_err(Into::into), |factor| {
                format!("{}×", format::decimal(factor, 2))
            });
            let success = match &row.success {
                Ok((rate, interval)) => share(*rate, *interval, 0),
                Err(why) => cells::not_enough(&(*why).into()),
            };
            let users = Html::text(&band(row.users));
            let mut row_cells: Vec<Cell> = vec![
                rank(row).into(),
                Cell::head(link),
                share(row.share, row.interval, places).into(),
                share(row.users_share, row.users_interval, 0).into(),
                lift.into(),
            ];
            let mut more =
                vec![("Users' share, %".to_owned(), share(row.users_share, row.users_interval, 0))];
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
        note: Html::text(if grows { "" } else { "Growth on the window before: not enough data for any row" }),
        columns,
        rows,
        empty: "No model can be shown.".to_owned(),
        ..Table::default()
    }
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
        Fact::new("Users", band(cell.users), "", &format!("band; needs {needs_users}")),
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
pub fn withheld(data: &Dataset, why: &NotEnough, is_cross: bool) -> Html {
    let thresholds = &data.thresholds;
    let (samples, users) = if is_cross {
        (thresholds.cross_n_eff, thresholds.cross_users)
    } else {
        (thresholds.label_samples, thresholds.label_users)
    };
    Html::markup(format!(
        "{} A {} is shown from {} users and {} {}, in one week or one epoch. One user may make up at most 30&nbsp;% of it, two at most 50&nbsp;%.",
        cells::not_enough(why),
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
    if languages.is_empty() || codes.is_empty() {
        return None;
    }
    let rows = languages
        .iter()
        .map(|nl| {
            let cells = codes.iter().map(|code| matrix_cell(data, nl, code, here)).collect();
            let page = language_page(nl);
            (Html::link(&page.path(), language_name(nl)), cells)
        })
        .collect();
    Some(Matrix { codes: codes.iter().map(|code| code_name(code).to_owned()).collect(), rows })
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
}

fn matrix_cell(data: &Dataset, nl: &str, code: &str, here: Option<(&str, &str)>) -> MatrixCell {
    let mark = if here == Some((nl, code)) { " here" } else { "" };
    let cross: Figure<Cross> = data.cross(Some(nl), Some(code), None);
    let page = cross_page(nl, code);
    let href = address(&page, Format::Html, &State::default());
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
                Html::text(&name(data, row))
            );
            MatrixCell {
                class: format!("{depth}{mark}"),
                code: code_name(code).to_owned(),
                html: Html::markup(html),
            }
        }
        _ => MatrixCell {
            class: format!("q0{mark}"),
            code: code_name(code).to_owned(),
            html: Html::markup(format!(
                "<a href=\"{href}\"><span class=\"vh\">{label}: </span>not enough data</a>"
            )),
        },
    }
}
