//! `label_cells`: partial sums of the labelled requests of one commit.
//!
//! A cell holds no request id and no stable user key, and the rows leave in an order that tells nothing about
//! the order of the requests. The same records give the same rows on replay.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::tables::label_cells::{Builder, LabelCellRow};

use super::sampling::{SamplingParams, inclusion};
use super::{FENCE, RULE, closed, code};
use crate::event::{Event, Str};
use crate::identity::{self, Identities};

/// Bytes that one cell takes in memory, its map entry included.
const CELL_BYTES: usize = size_of::<(Key, Cell)>() + 16;

#[derive(Debug, Default)]
pub struct Cells {
    names: Interner,
    cells: HashMap<Key, Cell>,
}

/// The dimensions of a cell; texts by their number in the interner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    week: i32,
    nl: [u32; 2],
    code_in: [u32; 2],
    code_out: [u32; 2],
    cat: [u32; 2],
    task: Option<u32>,
    model_id: Option<u32>,
    user_key: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    order: i64,
    n: i64,
    sum_w: f64,
    sum_wt: f64,
    sum_wt2: f64,
    sum_w_ok: f64,
}

impl Cells {
    /// Adds one row of the stripped event; call it for each row that `normalise` gives. Rows that are not a
    /// request's last attempt, answers of the gateway itself, and events without labels add nothing.
    ///
    /// # Errors
    /// When the secret of the label epoch cannot be read or created.
    pub fn add(
        &mut self,
        event: &Event<'_>,
        row: &AttemptRow<'_>,
        ids: &Identities,
    ) -> Result<(), identity::Error> {
        let Some(labels) = &event.labels else { return Ok(()) };
        if row.is_final == Some(false) || row.gateway_cache_hit || row.provider_id.is_none() {
            return Ok(());
        }
        let week = identity::week_of(row.started_at);
        let epoch = identity::epoch_of(row.started_at);
        let user_key = row.user_key.map(|user| ids.label_user(epoch, user)).transpose()?;
        let key = Key {
            week: i32::try_from(week).unwrap_or_default(),
            nl: self.names.pair(&labels.nl, closed::UNDETERMINED, RULE),
            code_in: self.names.pair(&labels.code_in, code::NONE, FENCE),
            code_out: self.names.pair(&labels.code_out, code::NONE, FENCE),
            cat: self.names.pair(&labels.cat, closed::UNCLASSIFIED, RULE),
            task: labels.task.as_ref().map(|task| self.names.number(task)),
            model_id: row.model_id.map(|model| self.names.number(model)),
            user_key,
        };
        let order = match self.cells.get(&key) {
            Some(cell) => cell.order,
            None => ids.label_order(epoch, &self.names.bytes(&key))?,
        };
        let cell = self.cells.entry(key).or_insert(Cell {
            order,
            n: 0,
            sum_w: 0.0,
            sum_wt: 0.0,
            sum_wt2: 0.0,
            sum_w_ok: 0.0,
        });
        let tokens = row.input_tokens.unwrap_or(0).saturating_add(row.output_tokens.unwrap_or(0));
        let rounded = two_significant_digits(tokens.unsigned_abs());
        // Every request is kept for now; the sums are ready for weights.
        let weight = 1.0 / inclusion(rounded, &SamplingParams::ALL);
        let weighted = weight * rounded as f64;
        cell.n += 1;
        cell.sum_w += weight;
        cell.sum_wt += weighted;
        cell.sum_wt2 += weighted * weighted;
        cell.sum_w_ok += if row.outcome == "ok" { weight } else { 0.0 };
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Bytes held, for the memory budget.
    pub fn size_bytes(&self) -> usize {
        self.cells.capacity() * CELL_BYTES + self.names.size_bytes
    }

    /// The rows so far; leaves the state empty. None without rows.
    pub fn finish(&mut self) -> Option<RecordBatch> {
        let names = std::mem::take(&mut self.names);
        let mut sorted: Vec<(Key, Cell)> = std::mem::take(&mut self.cells).into_iter().collect();
        if sorted.is_empty() {
            return None;
        }
        // Numbers of names depend on the order of records only, so even equal hashes sort alike on replay.
        sorted.sort_unstable_by_key(|(key, cell)| (cell.order, *key));
        let mut builder = Builder::default();
        for (key, cell) in &sorted {
            let [nl, nl_src] = names.texts(key.nl);
            let [code_in, code_in_src] = names.texts(key.code_in);
            let [code_out, code_out_src] = names.texts(key.code_out);
            let [cat, cat_src] = names.texts(key.cat);
            builder.push(&LabelCellRow {
                week: key.week,
                nl,
                nl_src,
                code_in,
                code_in_src,
                code_out,
                code_out_src,
                cat,
                cat_src,
                task: key.task.map(|task| names.text(task)),
                model_id: key.model_id.map(|model| names.text(model)),
                user_key: key.user_key,
                n: cell.n,
                sum_w: cell.sum_w,
                sum_wt: cell.sum_wt,
                sum_wt2: cell.sum_wt2,
                sum_w_ok: cell.sum_w_ok,
            });
        }
        Some(builder.finish())
    }
}

/// 1,234 → 1,200; half is rounded up.
fn two_significant_digits(tokens: u64) -> u64 {
    if tokens < 100 {
        return tokens;
    }
    let unit = 10_u64.pow(tokens.ilog10() - 1);
    (tokens / unit + u64::from(tokens % unit >= unit / 2)).saturating_mul(unit)
}

/// Texts by number, so that keys are small and need no allocation to be looked up.
#[derive(Debug, Default)]
struct Interner {
    numbers: HashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
    size_bytes: usize,
}

impl Interner {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        self.size_bytes += 2 * text.len() + 64;
        number
    }

    fn pair(&mut self, label: &Option<(Str<'_>, Str<'_>)>, unknown: &str, source: &str) -> [u32; 2] {
        match label {
            Some((value, source)) => [self.number(value), self.number(source)],
            None => [self.number(unknown), self.number(source)],
        }
    }

    fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", |text| text)
    }

    fn texts(&self, numbers: [u32; 2]) -> [&str; 2] {
        numbers.map(|number| self.text(number))
    }

    /// The key spelled out, the same whatever the numbers are.
    fn bytes(&self, key: &Key) -> Vec<u8> {
        let mut bytes = key.week.to_le_bytes().to_vec();
        let labels = [key.nl, key.code_in, key.code_out, key.cat].into_iter().flatten().map(Some);
        for number in labels.chain([key.task, key.model_id]) {
            bytes.extend_from_slice(number.map_or("", |number| self.text(number)).as_bytes());
            bytes.push(0);
        }
        bytes.extend_from_slice(&key.user_key.unwrap_or_default().to_le_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests;
