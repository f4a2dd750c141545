//! One author: share, models, weekly history.

use super::{AUTHORS, MODELS, SHARE};
use crate::place::{self, Address, Found, PageContext, PageError, Place, Section, address};
use crate::url::{Format, Query as _, Resolved, query};
use askama::Template;

use super::controls;
use super::parts::{Figure, Html, Picker, Table, cells};
use super::ranked::{self, Sparks};
use super::rankings::{Fact, ModelsQuery};
use super::shell::{Shell, crumbs};
use super::usage_charts;
use crate::data::{
    AuthorId, Dataset, Filter, Group, GroupBy, Metric, Ranking, RankingQuery, RankingRow, UserQuery, WEEKS,
};
use crate::format;

pub static AUTHOR: Place = Place {
    path: "/authors/{author}",
    title: "One author",
    section: Section::Rankings,
    find: |address, data| {
        let known = data.spelled_author(address.name(0));
        Found::by_name(address, known)
    },
    page: Some(place::Page::of::<Page>()),
    ..Place::DEFAULT
};

pub fn author_page(id: &str) -> Address {
    Address::new(&AUTHOR, [id])
}

query! {
    /// By what is ranked, over which days, and what they are compared with.
    AuthorQuery { metric, period + From + To, vs }
}

#[derive(Template)]
#[template(path = "author.html")]
struct Page {
    shell: Shell,
    crumbs: Html,
    finding: String,
    deck: Html,
    pickers: Vec<Picker>,
    window: Html,
    facts: Vec<Fact>,
    volume: Figure,
    share: Figure,
    models: Table,
    all_models: String,
}

impl place::Draw for Page {
    type Query = AuthorQuery;

    fn draw(ctx: &PageContext, query: &AuthorQuery, data: &Dataset) -> Result<String, PageError> {
        render(ctx, query, data, ctx.page.name(0))
    }

    fn users(ctx: &PageContext, query: &AuthorQuery, data: &Dataset) -> Vec<UserQuery> {
        let Some(author) = data.dictionary.find_author(ctx.page.name(0)) else { return Vec::new() };
        queries(query, data, author).iter().flat_map(RankingQuery::users).collect()
    }
}

fn queries(query: &AuthorQuery, data: &Dataset, author: AuthorId) -> [RankingQuery; 2] {
    let Resolved { window, before, .. } = query.period.resolve(query.vs, data);
    let metric = query.metric;
    [
        RankingQuery { by: GroupBy::Author, metric, window, before, filter: Filter::All },
        RankingQuery { by: GroupBy::Series, metric, window, before, filter: Filter::Author(author) },
    ]
}

fn render(ctx: &PageContext, query: &AuthorQuery, data: &Dataset, id: &str) -> Result<String, PageError> {
    let author = data.dictionary.find_author(id).ok_or_else(|| PageError::NotFound(id.to_owned()))?;
    let group = Group::Author(author);
    let [all, own] = queries(query, data, author).map(|ranked| data.ranking(ranked));
    let metric = query.metric;
    let name = data.author_name(author).to_owned();
    let row = all.find(group);
    let finding = match row {
        Some(row) => match row.share {
            Some(share) => format!(
                "{name} holds {} of {}{}",
                format::percent_sign(share, 1),
                metric.word(),
                ranked::place(row, &all, ", number")
            ),
            None => format!("{name}{} by {}", ranked::place(row, &all, " is number"), metric.word()),
        },
        None => ranked::nothing(data, &name),
    };
    let hidden = data.usage_withheld(all.query.window, GroupBy::Author, group);
    let deck = row.map_or_else(Html::default, |row| deck(data, &all, row, &own));
    let weekly = data.weekly(GroupBy::Author, WEEKS, Filter::All);
    let weekly_own = data.weekly(GroupBy::Series, WEEKS, Filter::Author(author));
    let sparks = Sparks::of(&weekly_own, metric);
    let narrowed = ModelsQuery { author: Some(id.to_owned()), ..ModelsQuery::of(&query.state()) };
    let all_models = address(&MODELS.here(), Format::Html, &narrowed);
    let mut models = ranked::short_table(data, &own, &sparks, 20, &all_models);
    models.title = own.rows.first().map_or("No model in this window".to_owned(), |first| {
        format!("{} carries most of it", ranked::label(data, first.group))
    });
    models.note = Html::text("Share is of this author's own traffic");
    models.label = format!("Models of {name}");
    let [volume, share] = match hidden {
        Some(why) => usage_charts::withheld(&Html::text(&ranked::withheld(&why))),
        None => [
            usage_charts::volume(group, &weekly, metric, controls::files_of(&AUTHORS, query)),
            usage_charts::share(data, group, &weekly, metric, controls::files_of(&SHARE, query)),
        ],
    };
    // Five short columns over a whole page are too far apart to be read as rows.
    models.class = "dense mini narrow";
    let page = Page {
        shell: Shell::new(ctx, Some(data), &name, &finding),
        crumbs: crumbs(&[("Authors", Some(AUTHORS.here().path())), (&name, None)]),
        pickers: controls::pickers(ctx, query),
        window: controls::window_note(data, &query.period.resolve(query.vs, data)),
        facts: facts(row, own.rows.len()),
        volume,
        share,
        models,
        all_models,
        finding,
        deck,
    };
    Ok(page.render()?)
}

/// Who stands next to it, how it moved, and what carries it.
fn deck(data: &Dataset, all: &Ranking, row: &RankingRow, own: &Ranking) -> Html {
    let mut out = String::new();
    // The rival that says most: the one above, or the runner-up of a leader.
    let other = row.rank.map(|rank| if rank == 1 { 2 } else { rank - 1 });
    let rival = all.rows.iter().find(|rival| other.is_some() && rival.rank == other);
    if let Some((rival, points)) = rival.and_then(|rival| Some((rival, (row.share? - rival.share?) * 100.0)))
    {
        out.push_str(&format!(
            "{} points {} {}. ",
            format::decimal(points.abs(), 1),
            if points < 0.0 { "behind" } else { "ahead of" },
            Html::text(&ranked::label(data, rival.group))
        ));
    }
    if let (Some(share), Some(before)) = (row.share, row.share_before) {
        let points = (share - before) * 100.0;
        let text = format::decimal(points.abs(), 1);
        out.push_str(&match (text.as_str(), points > 0.0) {
            ("0.0", _) => "Unchanged on the window before. ".to_owned(),
            (_, true) => format!("Up {text} points on the window before. "),
            (_, false) => format!("Down {text} points on the window before. "),
        });
    }
    if let Some((first, share)) = own.rows.first().and_then(|first| Some((first, first.share?))) {
        out.push_str(&format!(
            "{} carries <b>{}</b> of it.",
            Html::text(&ranked::label(data, first.group)),
            format::percent_sign(share, 1)
        ));
    }
    Html::markup(out)
}

fn facts(row: Option<&RankingRow>, models: usize) -> Vec<Fact> {
    let mut out = vec![Fact::new("Models", format::count(models as u64), "", "with a request in the window")];
    let Some(row) = row else { return out };
    let tokens = format::compact(row.totals.tokens() as f64);
    let change = cells::change_words(&row.change).unwrap_or_default();
    out.push(Fact::new("Tokens", tokens.value, tokens.unit, &change));
    let requests = format::compact(row.totals.requests as f64);
    out.push(Fact::new("Requests", requests.value, requests.unit, ""));
    out.push(if row.totals.unpriced_requests >= row.totals.requests {
        Fact::new("Spend", "–", "", "no request has a price")
    } else {
        Fact::new("Spend", format::usd(row.totals.spend()).joined(), Metric::Spend.unit(), "")
    });
    out.push(match row.users {
        Some(users) => {
            Fact::new("Users", format::compact(users as f64).joined(), "", "distinct in the window, ±2 %")
        }
        None => Fact::new("Users", "–", "", "no user ids, or too few users"),
    });
    out
}
