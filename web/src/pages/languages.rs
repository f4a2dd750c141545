//! Natural languages: share of each, leaders inside one, and crosses with programming languages.

use crate::files;
use crate::place::{self, Address, Found, PageContext, PageError, Place, Section};
use crate::url::View;
use askama::Template;

use super::controls;
use super::labelled::{self, Matrix};
use super::parts::{Cell, Column, Downloads, Figure, Html, Picker, Row, Table, cells};
use super::rankings::Fact;
use super::shares::midnight;
use super::shell::{Shell, crumbs};
use crate::charts::{Caption, Dash, Domain, Line, LineChart, Partial, bar, sparkline};
use crate::data::{self, Dataset, Group, LabelCell, Untold, code_name, language_name};
use crate::format;
use crate::views::View as _;
use crate::views::cross::Cross;
use crate::views::languages::{Labelled, LanguageRow, Languages, UNDETERMINED};

pub static LANGUAGES: Place = Place {
    path: "/rankings/languages",
    aliases: &["/rankings/cross"],
    api: Some("/api/v1/languages"),
    title: "Natural languages",
    section: Section::Languages,
    navigation: Some("Languages"),
    in_sitemap: true,
    page: Some(place::Page::of::<Overview>()),
    file: Some(files::of::<Languages>("natural languages with intervals")),
    ..Place::DEFAULT
};

pub static LANGUAGE: Place = Place {
    path: "/rankings/languages/{code}",
    api: Some("/api/v1/languages/{code}"),
    title: "Models asked in one language",
    section: Section::Languages,
    find: lower_case,
    page: Some(place::Page::of::<InLanguage>()),
    file: Some(files::of::<Cross>("models asked in one natural language")),
    ..Place::DEFAULT
};

pub static CROSS: Place = Place {
    path: "/rankings/cross/nl/{nl}/code-out/{code}",
    // The other order of the same cross.
    aliases: &["/rankings/cross/code-out/{code}/nl/{nl}"],
    api: Some("/api/v1/cross/nl/{nl}/code-out/{code}"),
    title: "Models asked in one language for code in another",
    section: Section::Languages,
    find: lower_case,
    page: Some(place::Page::of::<InCross>()),
    file: Some(files::of::<Cross>("models asked in one language for code in another")),
    ..Place::DEFAULT
};

pub fn language_page(code: &str) -> Address {
    Address::new(&LANGUAGE, [code])
}

pub fn cross_page(nl: &str, code: &str) -> Address {
    Address::new(&CROSS, [nl, code])
}

/// Labels are lower case in the data. Whether one was ever seen, the page says.
fn lower_case(address: Address, _: &Dataset) -> Found {
    Found::Here(address.lower_case())
}

#[derive(Template)]
#[template(path = "languages.html")]
struct Overview {
    shell: Shell,
    finding: String,
    deck: Html,
    pickers: Vec<Picker>,
    window: Html,
    withheld: Option<Html>,
    table: Table,
    chart: Option<Figure>,
    matrix: Option<Matrix>,
    downloads: Downloads,
}

impl place::Draw for Overview {
    type Query = Labelled;

    fn draw(ctx: &PageContext, query: &Labelled, data: &Dataset) -> Result<String, PageError> {
        let languages = Languages::of(ctx, query, data)?;
        let downloads = controls::downloads(ctx);
        let (finding, deck, window, withheld, table, chart) = match &languages.all {
            Ok(all) => (
                finding(&languages),
                deck(&languages, all),
                Html::text(&labelled::window(all.window)),
                None,
                table(data, &languages),
                chart(&languages, all, controls::downloads(ctx)).filter(|_| query.view == View::Both),
            ),
            Err(why) => (
                match why {
                    Untold::NotEnough(_) => "Not enough labelled traffic to rank languages".to_owned(),
                    Untold::NotYet(_) => format!("Languages: {}", cells::why(why)),
                },
                Html::default(),
                Html::default(),
                Some(labelled::withheld(data, why, false)),
                Table::default(),
                None,
            ),
        };
        let page = Overview {
            shell: Shell::new(ctx, Some(data), "Natural languages", &finding),
            pickers: controls::pickers(ctx, query),
            matrix: labelled::matrix(data, None),
            downloads,
            finding,
            deck,
            window,
            withheld,
            table,
            chart,
        };
        Ok(page.render()?)
    }
}

fn finding(languages: &Languages) -> String {
    let rows = languages.named();
    let Some(first) = rows.first() else {
        return "No language has enough traffic to be shown".to_owned();
    };
    let places = labelled::decimals(first.n_eff).max(1);
    let next: Vec<String> = rows
        .iter()
        .skip(1)
        .take(2)
        .map(|row| format!("{} {}", language_name(&row.code), format::percent_sign(row.share, places)))
        .collect();
    let lead = format!(
        "{} is the language of {} of labelled tokens",
        language_name(&first.code),
        format::percent_sign(first.share, places)
    );
    if next.is_empty() { lead } else { format!("{lead}; then {}", format::list(&next)) }
}

fn deck(languages: &Languages, all: &data::Languages) -> Html {
    let sampled = all
        .sampled
        .map_or(String::new(), |share| format!(", {} of served tokens", format::percent_sign(share, 1)));
    let unknown = format::percent_sign(languages.undetermined(), 0);
    let unknown = if unknown == format::percent_sign(0.0, 0) {
        "Nearly every labelled token has a known language.".to_owned()
    } else {
        format!("{unknown} of labelled tokens have no known language.")
    };
    Html::text(&format!(
        "{} labelled requests{sampled}; language {}. Small figures are 95\u{a0}% intervals. {unknown}",
        format::count(all.n),
        labelled::source(all.source)
    ))
}

fn table(data: &Dataset, languages: &Languages) -> Table {
    let largest = languages.named().first().map_or(0.0, |row| row.share);
    let named = languages.named().iter().zip(1..);
    let mut rows: Vec<Row> = named.map(|(row, place)| language_row(data, row, place, largest)).collect();
    rows.extend(languages.rest().iter().map(rest_row));
    Table {
        label: "Natural languages of prompts".to_owned(),
        columns: vec![
            Column::new("#", "rk"),
            Column::new("Language", "nm"),
            Column::number("Share", "% of labelled tokens").defined("label-share", "Share").descending(),
            Column::silent("Share as a bar", "g opt"),
            Column::number("Change", "pp").optional(),
            Column::new("12 weeks", "g opt").unit("share"),
            Column::new("Used most", "top"),
            Column::number("Users", "band").optional(),
        ],
        rows,
        empty: "No language can be shown.".to_owned(),
        ..Table::default()
    }
}

/// Many languages as one row.
fn rest_row(row: &LanguageRow) -> Row {
    let name = if row.code == UNDETERMINED { "Undetermined" } else { "Other languages" };
    let mut cells = vec!["".into(), Cell::head(Html::text(name)), format::percent(row.share, 0).into()];
    cells.extend((0..5).map(|_| "".into()));
    Row::new(cells).class("others")
}

fn language_row(data: &Dataset, row: &LanguageRow, place: u32, largest: f64) -> Row {
    let places = labelled::decimals(row.n_eff).max(1);
    let leader = row.leader_id.zip(row.leader_share).map_or_else(cells::unknown, |(model, share)| {
        Html::markup(format!(
            "{} <span class=\"by\">{}</span>",
            Html::link_or_text(data.href(Group::Model(model)).as_deref(), data.model_name(model)),
            format::percent_sign(share, 0)
        ))
    });
    let interval = (row.share_low.unwrap_or(row.share), row.share_high.unwrap_or(row.share));
    Row::new(vec![
        place.to_string().into(),
        Cell::head(Html::link(&language_page(&row.code).path(), language_name(&row.code))),
        labelled::share(row.share, interval, places).into(),
        Html::markup(bar(
            if largest > 0.0 { row.share / largest } else { 0.0 },
            if place == 1 { "hot" } else { "" },
        ))
        .into(),
        row.change_pp.map_or_else(cells::unknown, |change| cells::points(change, 1)).into(),
        Html::markup(sparkline(&row.weekly)).into(),
        leader.into(),
        labelled::band(row.users_at_least.map(|users| users.0)).into(),
    ])
}

/// Languages after the first over time: the first would flatten all others.
fn chart(languages: &Languages, all: &data::Languages, downloads: Downloads) -> Option<Figure> {
    let shown: Vec<_> = languages
        .named()
        .iter()
        .skip(1)
        .filter(|row| row.weekly.iter().flatten().count() >= 2)
        .take(4)
        .collect();
    if all.weeks.len() < 3 || shown.is_empty() {
        return None;
    }
    let at: Vec<_> = all.weeks.iter().map(|week| midnight(*week)).collect();
    let dashes = [Dash::Solid, Dash::Long, Dash::Dots, Dash::Mixed];
    let classes = ["s0", "s1", "s2", "s3"];
    let lines: Vec<Line> = shown
        .iter()
        .zip(classes.into_iter().zip(dashes))
        .map(|(row, (class, dash))| Line {
            label: format!("{} {}", language_name(&row.code), format::percent(row.share, 1)),
            class,
            dash,
            bold: false,
            values: row.weekly.iter().map(|share| share.map(|share| share * 100.0)).collect(),
        })
        .collect();
    let first = languages.named().first()?;
    let title = format!("After {}: the next languages, week by week", language_name(&first.code));
    let note = "Share of labelled tokens, %, complete ISO weeks; a gap is a week without enough data";
    let chart = LineChart {
        caption: Caption { id: "languages-c", title: &title, desc: note },
        unit: "% of labelled tokens",
        at: &at,
        lines: &lines,
        bands: &[],
        partial_from: at.len(),
        partial: Partial::Dashes,
        domain: Domain::Zero,
        notes: &[],
    };
    let svg = chart.render();
    let mut columns = vec![Column::new("Week of", "nw stay")];
    columns.extend(shown.iter().map(|row| Column::number(language_name(&row.code), "%")));
    let rows = all
        .weeks
        .iter()
        .enumerate()
        .rev()
        .map(|(index, week)| {
            let mut row_cells = vec![Cell::head(cells::date(*week))];
            row_cells.extend(shown.iter().map(|row| {
                let share = row.weekly.get(index).copied().flatten();
                cells::optional(share.map(|share| format::percent(share, 1))).into()
            }));
            Row::new(row_cells)
        })
        .collect();
    Some(Figure {
        id: "languages".to_owned(),
        note: Html::text(note),
        svg: Html::markup(svg),
        table: Table { label: "Share by week".to_owned(), class: "dense", columns, rows, ..Table::default() },
        downloads,
        key: false,
        missing: Html::default(),
        title,
    })
}

/// One language, or one cross of a language and a programming language.
#[derive(Template)]
#[template(path = "cross.html")]
struct Page {
    shell: Shell,
    crumbs: Html,
    kicker: Html,
    finding: String,
    deck: Html,
    pickers: Vec<Picker>,
    window: Html,
    withheld: Option<Html>,
    chart: Option<Figure>,
    facts: Vec<Fact>,
    table: Table,
    matrix: Option<Matrix>,
    downloads: Downloads,
}

/// Models asked in one natural language.
struct InLanguage;

impl place::Draw for InLanguage {
    type Query = Labelled;

    fn draw(ctx: &PageContext, query: &Labelled, data: &Dataset) -> Result<String, PageError> {
        let code = ctx.page.name(0);
        known(data, data::Dimension::Nl, code, language_name(code))?;
        let cross = Cross::of(ctx, query, data)?;
        let name = language_name(code);
        let listed = data
            .languages(cross.cell.as_ref().ok().map(|cell| cell.window.period))
            .is_ok_and(|languages| languages.rows.iter().any(|row| row.code == code));
        let kicker = Html::text(&format!("Asked in {name}"));
        let path = crumbs(&[("Languages", Some(LANGUAGES.here().path())), (name, None)]);
        page((ctx, query), data, name, path, kicker, &cross, Subject::Language { listed })
    }
}

/// Those asked in one for code in another.
struct InCross;

impl place::Draw for InCross {
    type Query = Labelled;

    fn draw(ctx: &PageContext, query: &Labelled, data: &Dataset) -> Result<String, PageError> {
        let (nl, code) = (ctx.page.name(0), ctx.page.name(1));
        known(data, data::Dimension::Nl, nl, language_name(nl))?;
        known(data, data::Dimension::CodeOut, code, code_name(code))?;
        let cross = Cross::of(ctx, query, data)?;
        let name = format!("{} to {}", language_name(nl), code_name(code));
        let asked = Html::link(&language_page(nl).path(), language_name(nl));
        let kicker =
            Html::markup(format!("Asked in {asked}, code written in {}", Html::text(code_name(code))));
        let path = crumbs(&[("Languages", Some(LANGUAGES.here().path())), (&name, None)]);
        page((ctx, query), data, &name, path, kicker, &cross, Subject::Cross(nl, code))
    }
}

#[derive(Clone, Copy)]
enum Subject<'a> {
    Language {
        /// A row of the list of languages, not a part of its "other".
        listed: bool,
    },
    Cross(&'a str, &'a str),
}

/// A label that has a name is a page even before it has traffic; anything else must have been seen.
fn known(data: &Dataset, dimension: data::Dimension, label: &str, name: &str) -> Result<(), PageError> {
    let named = name != label;
    if named || data.label_values(dimension).iter().any(|value| value == label) {
        return Ok(());
    }
    Err(PageError::NotFound(label.to_owned()))
}

fn page(
    (ctx, query): (&PageContext, &Labelled),
    data: &Dataset,
    name: &str,
    crumbs: Html,
    kicker: Html,
    cross: &Cross,
    subject: Subject<'_>,
) -> Result<String, PageError> {
    let (is_cross, listed, here) = match subject {
        Subject::Language { listed } => (false, listed, None),
        Subject::Cross(nl, code) => (true, true, Some((nl, code))),
    };
    let (finding, deck, window, withheld, chart, facts, table) = match &cross.cell {
        Ok(cell) => (
            labelled::finding(name, cell, cross),
            cross_deck(cross),
            Html::text(&labelled::window(cell.window)),
            None,
            Some(whisker_figure(ctx, cell, cross)).filter(|_| query.view == View::Both),
            labelled::sureness(data, cell, is_cross, listed),
            labelled::table(data, cell, cross),
        ),
        Err(why) => (
            match why {
                Untold::NotEnough(_) => format!("{name}: not enough data"),
                Untold::NotYet(_) => format!("{name}: {}", cells::why(why)),
            },
            Html::default(),
            Html::default(),
            Some(labelled::withheld(data, why, is_cross)),
            None,
            Vec::new(),
            Table::default(),
        ),
    };
    let page = Page {
        shell: Shell::new(ctx, Some(data), name, &finding),
        pickers: controls::pickers(ctx, query),
        matrix: labelled::matrix(data, here),
        downloads: controls::downloads(ctx),
        crumbs,
        kicker,
        finding,
        deck,
        window,
        withheld,
        chart,
        facts,
        table,
    };
    Ok(page.render()?)
}

fn cross_deck(cross: &Cross) -> Html {
    let mut out = String::new();
    let by_users = cross.named().max_by(|a, b| a.users_share.total_cmp(&b.users_share));
    if let Some(model) = by_users {
        let is_first = cross.named().next().is_some_and(|first| first.id == model.id);
        let share = format::percent_sign(model.users_share, 0);
        out.push_str(&if is_first {
            format!("With every user weighed alike it stays first, at {share}. ")
        } else {
            let name = Html::text(labelled::name(model));
            format!("With every user weighed alike {name} comes first, at {share}. ")
        });
    }
    let lifted = cross
        .named()
        .filter_map(|row| Some((row, row.lift?)))
        .filter(|(_, lift)| *lift > 1.0)
        .max_by(|a, b| a.1.total_cmp(&b.1));
    if let Some((model, lift)) = lifted {
        out.push_str(&format!(
            "Compared with all labelled traffic, <b>{} is used {} times as much</b> here. ",
            Html::text(labelled::name(model)),
            format::decimal(lift, 1)
        ));
    }
    out.push_str("“Used most”, never “best”.");
    Html::markup(out)
}

fn whisker_figure(ctx: &PageContext, cell: &LabelCell, cross: &Cross) -> Figure {
    let top = cross.named().filter(|row| row.rank_best == Some(1)).count();
    let title = match top {
        0 => "No model can be named".to_owned(),
        1 => "One model leads beyond its interval".to_owned(),
        n => format!("{} models may share the top", format::capitalised(&format::in_words(n))),
    };
    Figure {
        id: "whiskers".to_owned(),
        note: Html::text(
            "Token share in this cell, %, with 95 % interval: the wider of the request and the user interval",
        ),
        svg: Html::markup(labelled::chart("whiskers-c", &title, cell, cross)),
        table: Table {
            label: "Shares with intervals".to_owned(),
            class: "dense",
            columns: vec![
                Column::new("Model", "nm"),
                Column::number("Share", "%"),
                Column::number("Lower", "%"),
                Column::number("Upper", "%"),
            ],
            rows: cross
                .named()
                .map(|row| {
                    let places = labelled::decimals(cell.n_eff);
                    Row::new(vec![
                        Cell::head(Html::text(labelled::name(row))),
                        format::percent(row.share, places).into(),
                        format::decimal(row.share_low * 100.0, places).into(),
                        format::decimal(row.share_high * 100.0, places).into(),
                    ])
                })
                .collect(),
            ..Table::default()
        },
        downloads: controls::downloads(ctx),
        key: false,
        missing: Html::default(),
        title,
    }
}
