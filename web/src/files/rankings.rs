//! Leaderboards, market share and growth.

use chrono::NaiveDate;

use super::View;
use super::meta::Meta;
use super::table::{Cell, Table};
use crate::data::{
    Change, Dataset, Filter, Group, Metric, ModelId, NAMED, Ranking, RankingQuery, RankingRow, Remainder,
    Totals, Volume, WEEKS, plus,
};
use crate::place::{PageContext, PageError, empty_because};
use crate::url::State;

const COLUMNS: [&str; 19] = [
    "rank",
    "id",
    "name",
    "author",
    "variant",
    "rank_before",
    "tokens",
    "input_tokens",
    "output_tokens",
    "requests",
    "spend_usd",
    "users",
    "share",
    "share_before",
    "growth",
    "growth_state",
    "cached_input_share",
    "unpriced_share",
    "price_usd_per_million",
];

/// The query of a ranking page; `None` for other pages.
pub(super) fn query(context: &PageContext, dataset: &Dataset) -> Option<RankingQuery> {
    let by = context.page.grouping(context.state.variants)?;
    let days = context.state.resolve(dataset);
    let author = context.state.author.as_deref().and_then(|author| dataset.dictionary.find_author(author));
    Some(RankingQuery {
        by,
        metric: context.state.metric,
        window: days.window,
        before: days.before,
        filter: author.map_or(Filter::All, Filter::Author),
    })
}

pub(super) fn ranking(context: &PageContext, dataset: &Dataset) -> Result<View, PageError> {
    let query = query(context, dataset).ok_or_else(|| PageError::NotFound(context.page.path()))?;
    let ranking = dataset.ranking(query);
    let State { limit, offset, all_rows, .. } = context.state;
    let offset = offset as usize;
    let end = if all_rows { ranking.rows.len() } else { (offset + limit as usize).min(ranking.rows.len()) };
    let mut table = Table::new(&COLUMNS);
    table.rows.extend(
        ranking.rows.get(offset.min(end)..end).unwrap_or_default().iter().map(|row| cells(dataset, row)),
    );
    // What is not listed stays in the sum: all rows together hold every share. A filter by author keeps neither.
    for (id, remainder) in [("hidden", ranking.hidden), ("unmapped", ranking.unmapped)] {
        if let Some(remainder) = remainder {
            table.rows.push(remainder_cells(id, &remainder));
        }
    }
    if let Some(other) = other(&ranking, offset.min(end), end) {
        table.rows.push(remainder_cells("other", &other));
    }
    let days = context.state.resolve(dataset);
    let meta = Meta {
        start_date: Some(query.window.start),
        end_date: Some(query.window.end),
        window: Some(context.state.period.word().to_owned()),
        unit: Some(query.metric.unit()),
        clamped: days.clamped,
        partial: days.partial,
        empty_because: empty_because(dataset, &days),
        ..Meta::new(context, dataset, query.metric.word())
    };
    Ok(View { main: table, more: Vec::new(), meta })
}

/// Ranked rows before `start` and from `end` on, as one.
fn other(ranking: &Ranking, start: usize, end: usize) -> Option<Remainder> {
    let head = Ranking { rows: ranking.rows.get(..start)?.to_vec(), ..ranking.clone() }.rest(0);
    match (head, ranking.rest(end)) {
        (Some(mut head), Some(tail)) => {
            head.rows += tail.rows;
            head.totals.add(&tail.totals);
            head.before.add(&tail.before);
            head.value = plus(head.value, tail.value);
            head.share = plus(head.share, tail.share);
            head.share_before = plus(head.share_before, tail.share_before);
            Some(head)
        }
        (head, tail) => head.or(tail),
    }
}

fn cells(dataset: &Dataset, row: &RankingRow) -> Vec<Cell> {
    let author = dataset.author_of(row.group).map(|id| dataset.dictionary.author(id));
    let (growth, state) = match row.change {
        Change::Ratio(ratio) => (Some(ratio), "ok"),
        Change::New => (None, "new"),
        Change::NotEnough(_) => (None, "not_enough_data"),
        Change::Unknown if row.hidden_before => (None, "hidden_before"),
        Change::Unknown => (None, "unknown"),
    };
    let mut cells = vec![
        Cell::whole(row.rank.map(i64::from)),
        Cell::Text(dataset.key(row.group)),
        Cell::Text(dataset.name(row.group).to_owned()),
        Cell::text(author),
        Cell::text(dataset.variant(row.group)),
        Cell::whole(row.rank_before.map(i64::from)),
    ];
    cells.extend(volume(&row.totals));
    cells.extend([
        Cell::count(row.users),
        Cell::number(row.share),
        Cell::number(row.share_before),
        Cell::number(growth),
        Cell::Text(state.to_owned()),
    ]);
    cells.extend(quality(&row.totals));
    cells
}

fn volume(totals: &Totals) -> [Cell; 5] {
    [
        Cell::Count(totals.tokens()),
        Cell::Count(totals.input_tokens),
        Cell::Count(totals.output_tokens),
        Cell::Count(totals.requests),
        Cell::money(totals.known_cost()),
    ]
}

fn quality(totals: &Totals) -> [Cell; 3] {
    [
        Cell::number(totals.cache_hit()),
        Cell::number(totals.unpriced()),
        Cell::number(totals.price_per_million()),
    ]
}

fn remainder_cells(id: &str, remainder: &Remainder) -> Vec<Cell> {
    let mut cells = vec![Cell::Null, Cell::Text(id.to_owned())];
    cells.extend([Cell::Null, Cell::Null, Cell::Null, Cell::Null]);
    cells.extend(volume(&remainder.totals));
    cells.extend([Cell::Null, Cell::number(remainder.share), Cell::number(remainder.share_before)]);
    cells.extend([Cell::Null, Cell::Text("unknown".to_owned())]);
    cells.extend(quality(&remainder.totals));
    cells
}

/// Weekly shares of the largest nine and the rest, as the page shows them; long form, one row per week and series.
pub(super) fn share(context: &PageContext, dataset: &Dataset) -> View {
    let State { by, skip, .. } = context.state;
    // Users are not additive over weeks and have no share.
    let metric = if context.state.metric == Metric::Users { Metric::Requests } else { context.state.metric };
    let mut weekly = dataset.weekly(by.group_by(), WEEKS, Filter::All);
    let size = |volumes: &[Volume]| volumes.iter().filter_map(|volume| volume.get(metric)).sum::<f64>();
    weekly.groups.sort_by(|a, b| {
        size(&b.1).total_cmp(&size(&a.1)).then_with(|| dataset.key(a.0).cmp(&dataset.key(b.0)))
    });
    let named: Vec<_> = weekly.groups.iter().filter(|(group, _)| group.is_named()).collect();
    let shown: Vec<_> = named.iter().skip(skip as usize).take(NAMED).collect();
    let mut table = Table::new(&["week", "complete", "id", "name", "value", "share"]);
    for (position, (week, total)) in weekly.weeks.iter().zip(&weekly.total).enumerate() {
        let whole = total.exact(metric).unwrap_or(0) as f64;
        let mut push = |id: String, name: Cell, volume: &Volume| {
            let value = volume.exact(metric);
            let share = value.filter(|_| whole > 0.0).map(|value| value as f64 / whole);
            let complete = Cell::Text(if week.complete { "true" } else { "false" }.to_owned());
            let value = match metric {
                Metric::Spend => Cell::money(value),
                _ => Cell::count(value.map(|value| u64::try_from(value).unwrap_or(u64::MAX))),
            };
            table.rows.push(vec![
                date(week.monday),
                complete,
                Cell::Text(id),
                name,
                value,
                Cell::number(share),
            ]);
        };
        let mut rest = *total;
        for (group, volumes) in &shown {
            let volume = volumes.get(position).copied().unwrap_or_default();
            rest = rest.without(&volume);
            push(dataset.key(*group), Cell::Text(dataset.name(*group).to_owned()), &volume);
        }
        push("other".to_owned(), Cell::Null, &rest);
    }
    let meta = Meta {
        start_date: weekly.weeks.first().map(|week| week.monday),
        end_date: Some(dataset.newest_date()),
        window: Some("12m".to_owned()),
        grain: Some("week"),
        unit: Some(metric.unit()),
        ..Meta::new(context, dataset, "share")
    };
    View { main: table, more: Vec::new(), meta }
}

pub(super) fn growth(context: &PageContext, dataset: &Dataset) -> View {
    let mut table = Table::new(&[
        "month",
        "complete",
        "tokens",
        "requests",
        "spend_usd",
        "active_models",
        "active_models_100",
        "new_models",
        "tokens_growth",
        "requests_growth",
    ]);
    let whole = |count: usize| Cell::Whole(i64::try_from(count).unwrap_or(i64::MAX));
    for month in dataset.months() {
        table.rows.push(vec![
            date(month.start),
            Cell::Text(if month.complete { "true" } else { "false" }.to_owned()),
            Cell::Count(month.totals.tokens()),
            Cell::Count(month.totals.requests),
            Cell::money(month.totals.known_cost()),
            whole(month.active),
            whole(month.active_100),
            month.new.map_or(Cell::Null, whole),
            Cell::number(month.tokens_growth),
            Cell::number(month.requests_growth),
        ]);
    }
    let meta = Meta {
        start_date: Some(dataset.first_date()),
        end_date: Some(dataset.newest_date()),
        grain: Some("month"),
        ..Meta::new(context, dataset, "growth")
    };
    View { main: table, more: Vec::new(), meta }
}

pub(super) fn date(date: NaiveDate) -> Cell {
    Cell::Text(date.to_string())
}

/// Daily usage of one model, oldest first; nothing of days on which it may not be named.
pub(super) fn daily(dataset: &Dataset, window: crate::data::Window, model: ModelId) -> Table {
    let mut table = Table::new(&["date", "tokens", "input_tokens", "output_tokens", "requests", "spend_usd"]);
    let days = dataset.daily(window, Filter::Model(model)).into_iter();
    for (day, totals) in days.filter(|(day, _)| dataset.covers(*day)) {
        let mut cells = vec![date(day)];
        match dataset.tells(Group::Model(model), day) {
            true => cells.extend(volume(&totals)),
            false => cells.extend([const { Cell::Null }; 5]),
        }
        table.rows.push(cells);
    }
    table
}

/// Key of a provider or model row.
pub(super) fn key(dataset: &Dataset, group: Group) -> Cell {
    Cell::Text(dataset.key(group))
}
