//! Languages and crosses: shares with intervals, never counts.

use super::View;
use super::meta::{Confidence, Meta, Missing};
use super::table::{Cell, Table};
use crate::data::{Dataset, Group, Interval, NotEnough, UsersBand, language_name};
use crate::place::PageContext;

pub(super) fn languages(context: &PageContext, dataset: &Dataset) -> View {
    let mut table = Table::new(&[
        "code",
        "name",
        "share",
        "share_low",
        "share_high",
        "users_at_least",
        "change_pp",
        "leader",
        "leader_share",
    ]);
    let mut meta = Meta::new(context, dataset, "languages");
    match dataset.languages(context.state.labels) {
        Err(why) => meta.not_enough_data = Some(Missing::from(why)),
        Ok(languages) => {
            meta.labels(languages.window, languages.source);
            for row in &languages.rows {
                let leader = row.leader.as_ref();
                let [low, high] = interval(row.cell.interval);
                table.rows.push(vec![
                    Cell::Text(row.code.clone()),
                    Cell::Text(language_name(&row.code).to_owned()),
                    Cell::Number(row.cell.share),
                    low,
                    high,
                    band(row.cell.users),
                    Cell::number(row.change),
                    leader.map_or(Cell::Null, |leader| Cell::Text(dataset.key(Group::Model(leader.model)))),
                    Cell::number(leader.map(|leader| leader.share)),
                ]);
            }
            for (code, share) in [("und", languages.undetermined), ("other", languages.other)] {
                let mut cells = vec![Cell::Text(code.to_owned()), Cell::Null, Cell::Number(percent(share))];
                cells.resize(table.columns.len(), Cell::Null);
                table.rows.push(cells);
            }
        }
    }
    View { main: table, more: Vec::new(), meta }
}

/// Shares are published in whole percentage points.
fn percent(share: f64) -> f64 {
    (share * 100.0).round() / 100.0
}

pub(super) fn cell(context: &PageContext, dataset: &Dataset, nl: Option<&str>, code: Option<&str>) -> View {
    let mut table = Table::new(&[
        "rank_best",
        "rank_worst",
        "id",
        "name",
        "share",
        "share_low",
        "share_high",
        "users_share",
        "users_share_low",
        "users_share_high",
        "users_at_least",
        "lift",
        "growth_factor",
        "success",
        "success_low",
        "success_high",
        "withheld",
    ]);
    let mut meta = Meta::new(context, dataset, "crosses");
    match dataset.cross(nl, code, context.state.labels) {
        Err(why) => meta.not_enough_data = Some(Missing::from(why)),
        Ok(cross) => {
            meta.labels(cross.cell.window, cross.cell.source);
            meta.confidence = Some(Confidence {
                n_eff: cross.cell.n_eff.round(),
                users_band: cross.cell.users.0,
                coverage: cross.cell.coverage.map(percent),
                interval: "95 %, the wider of the request and the user interval",
            });
            for row in &cross.rows {
                let group = row.model.map(Group::Model);
                let [low, high] = interval(row.interval);
                let [users_low, users_high] = interval(row.users_interval);
                let success = row.success.ok();
                let [success_low, success_high] =
                    success.map_or([Cell::Null, Cell::Null], |(_, bounds)| interval(bounds));
                table.rows.push(vec![
                    Cell::whole(row.rank.map(|(best, _)| i64::from(best))),
                    Cell::whole(row.rank.map(|(_, worst)| i64::from(worst))),
                    Cell::Text(group.map_or_else(|| "other".to_owned(), |group| dataset.key(group))),
                    group.map_or(Cell::Null, |group| Cell::Text(dataset.name(group).to_owned())),
                    Cell::Number(row.share),
                    low,
                    high,
                    Cell::Number(row.users_share),
                    users_low,
                    users_high,
                    band(row.users),
                    Cell::number(row.lift.map(factor)),
                    Cell::figure(row.growth.map(factor).map_err(Into::into)),
                    Cell::number(success.map(|(rate, _)| rate)),
                    success_low,
                    success_high,
                    withheld(&[("growth", reason(row.growth)), ("success", reason(row.success))]),
                ]);
            }
        }
    }
    View { main: table, more: Vec::new(), meta }
}

fn interval(interval: Interval) -> [Cell; 2] {
    [Cell::Number(interval.low), Cell::Number(interval.high)]
}

fn band(band: UsersBand) -> Cell {
    Cell::count(band.0)
}

pub(super) fn reason<T>(figure: Result<T, impl Into<NotEnough>>) -> Option<NotEnough> {
    figure.err().map(Into::into)
}

fn plain(why: &NotEnough) -> String {
    match (why.needs, why.needs_users, why.n) {
        (needs, None, Some(n)) => format!("n = {n}, needs {needs}"),
        (needs, None, None) => format!("needs n = {needs}"),
        (0, Some(users), _) => format!("needs {users} users"),
        (needs, Some(users), _) => format!("needs n = {needs} and {users} users"),
    }
}

/// Two decimals, as the page prints at most: more would tell exact shares.
fn factor(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// `uptime: n = 37, needs 100; success: needs 20 users; …`
pub(super) fn withheld(reasons: &[(&str, Option<NotEnough>)]) -> Cell {
    let texts: Vec<String> =
        reasons.iter().filter_map(|(name, why)| why.map(|why| format!("{name}: {}", plain(&why)))).collect();
    if texts.is_empty() { Cell::Null } else { Cell::Text(texts.join("; ")) }
}
