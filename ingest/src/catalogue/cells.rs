//! Rows of the lists that ship with the binary: text between commas, which holds none.

use std::str::FromStr;

use super::Error;
use super::facts::Amount;

/// Rows below the head, which begins so; `#` stands in front of what is no row.
pub(super) fn rows<T>(
    text: &str,
    head: &str,
    read: impl Fn(&mut Cells<'_>) -> Option<T>,
) -> Result<Vec<T>, Error> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
    if !lines.next().is_some_and(|(_, line)| line.starts_with(head)) {
        return Err(Error::Line { line: 1 });
    }
    lines
        .map(|(at, line)| {
            let mut cells = Cells(line.split(','));
            let row = read(&mut cells).filter(|_| cells.0.next().is_none());
            row.ok_or(Error::Line { line: at.saturating_add(1) })
        })
        .collect()
}

/// What is left of a row. Each reader takes one cell; None is a row that is none.
pub(super) struct Cells<'a>(std::str::Split<'a, char>);

impl<'a> Cells<'a> {
    pub(super) fn text(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    fn read<T>(&mut self, parse: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
        match self.0.next()? {
            "" => Some(None),
            cell => parse(cell).map(Some),
        }
    }

    pub(super) fn value<T: FromStr>(&mut self) -> Option<Option<T>> {
        self.read(|cell| cell.parse().ok())
    }

    pub(super) fn flag(&mut self) -> Option<Option<bool>> {
        self.read(|cell| match cell {
            "1" => Some(true),
            "0" => Some(false),
            _ => None,
        })
    }

    pub(super) fn amount(&mut self) -> Option<Option<Amount>> {
        self.read(Amount::parse)
    }
}
