//! A table of aliases as CSV: one line each, with a head that says the columns.

use super::super::{Alias, Catalogue, Entry};
use super::Error;

pub(super) const HEAD: &str = "source,raw_model,raw_provider,model_id";

pub(super) fn is_head(line: &str) -> bool {
    line.trim_end() == HEAD
}

pub(super) fn read(text: &str, catalogue: &Catalogue) -> Result<Vec<Entry>, Error> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let rows = lines.skip(1).map(|(at, line)| {
        let refused = |why: String| Error::Line { line: at.saturating_add(1), why };
        let cells = cells(line).ok_or_else(|| refused("a quote is not closed".to_owned()))?;
        let [source, model, provider, id] = cells.as_slice() else {
            return Err(refused(format!("has {} cells and not the 4 of `{HEAD}`", cells.len())));
        };
        if model.is_empty() {
            return Err(refused("`raw_model` is empty, and an alias is of a name".to_owned()));
        }
        if catalogue.model_name(id).is_none() {
            return Err(refused(format!(
                "`model_id` is `{id}`, which the catalogue does not list; add the model first"
            )));
        }
        let filled = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Ok(Entry::Alias(Alias {
            source: filled(source),
            raw_model: filled(model),
            raw_provider: filled(provider),
            model_id: filled(id),
            ..Alias::default()
        }))
    });
    rows.collect()
}

/// Cells of a line; one in quotes may hold commas and doubled quotes. None: a quote is not closed.
fn cells(line: &str) -> Option<Vec<String>> {
    let (mut cells, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.trim_end_matches('\r').chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if is_quoted || cell.is_empty() => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells.push(cell);
    (!is_quoted).then_some(cells)
}
