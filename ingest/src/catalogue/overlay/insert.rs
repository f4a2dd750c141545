//! Rows of a list, put into the text of a TOML file that keeps its order and its comments.

use toml::de::DeTable;

use super::super::Error;

/// The members of one row, values as TOML writes them.
pub(super) type Members = Vec<(&'static str, String)>;

pub(super) fn insert(text: &str, list: &str, rows: &[Members]) -> Result<String, Error> {
    let table = DeTable::parse(text).map_err(|error| Error::Toml(Box::new(error)))?;
    let found = table.get_ref().iter().find(|(key, _)| key.get_ref() == list).map(|(_, value)| value);
    let Some(array) = found.and_then(|value| value.get_ref().as_array().map(|array| (value.span(), array)))
    else {
        return Ok(appended(text, list, rows));
    };
    let (span, array) = array;
    let last = array.last().map(|row| row.span());
    // `[[models]]` is a list as well, and grows at the end of the file.
    let is_inline = |at: usize| text.get(at..).is_some_and(|rest| rest.starts_with('{'));
    if last.as_ref().is_some_and(|last| !is_inline(last.start)) {
        return Ok(appended(text, list, rows));
    }
    let end = last.as_ref().map_or(span.start.saturating_add(1), |last| last.end);
    let close = span.end.saturating_sub(1);
    let (Some(head), Some(between), Some(tail)) = (text.get(..end), text.get(end..close), text.get(close..))
    else {
        return Ok(appended(text, list, rows));
    };
    let comma = comma(between);
    let line = line_end(between, comma.map_or(0, |at| at.saturating_add(1)));
    let (before, after) = between.split_at_checked(line).unwrap_or((between, ""));
    let mut grown = String::with_capacity(text.len().saturating_add(rows.len().saturating_mul(128)));
    grown.push_str(head);
    if last.is_some() && comma.is_none() {
        grown.push(',');
    }
    grown.push_str(before);
    for row in rows {
        let members: Vec<String> = row.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        grown.push_str(&format!("\n  {{ {} }},", members.join(", ")));
    }
    if !after.contains('\n') {
        grown.push('\n');
    }
    grown.push_str(after);
    grown.push_str(tail);
    Ok(grown)
}

fn appended(text: &str, list: &str, rows: &[Members]) -> String {
    let mut grown = text.trim_end().to_owned();
    for row in rows {
        if !grown.is_empty() {
            grown.push_str("\n\n");
        }
        grown.push_str(&format!("[[{list}]]"));
        for (key, value) in row {
            grown.push_str(&format!("\n{key} = {value}"));
        }
    }
    grown.push('\n');
    grown
}

/// Where the comma behind a row is, which a comment may hold others of.
fn comma(between: &str) -> Option<usize> {
    let mut is_comment = false;
    between.char_indices().find_map(|(at, c)| {
        is_comment = match c {
            '#' => true,
            '\n' => false,
            _ => is_comment,
        };
        (c == ',' && !is_comment).then_some(at)
    })
}

/// The end of the line in which `from` is, a comment of the row before included; before the bracket if that follows.
fn line_end(between: &str, from: usize) -> usize {
    let rest = between.get(from..).unwrap_or_default();
    match rest.find('\n') {
        Some(at) => from.saturating_add(at),
        None => from.saturating_add(rest.trim_end().len()),
    }
}
