use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Date32Type};
use bellwether_warehouse::TableId;
use bellwether_warehouse::session::without_files;
use bellwether_warehouse::sketches::hll::Hll;
use chrono::{Days, NaiveDate};
use datafusion::prelude::SessionContext;

use crate::{Catalogue, Keyless, Model, Named, Terms, gate};

pub(crate) const DIMENSIONS: [&str; 6] =
    ["total", "author", "model", "variant", "provider", "model_provider"];

/// Id, the author that the log gave, the author that the catalogue gives.
const MODELS: [(Option<&str>, Option<&str>, Option<&str>); 7] = [
    (Some("acme/one"), Some("acme"), Some("acme")),
    (Some("acme/two"), Some("acme"), Some("acme")),
    // Catalogued since: the log of its day knew no author.
    (Some("beta/late"), None, Some("beta")),
    (Some("beta/one"), Some("beta"), Some("beta")),
    (Some("solo/one"), Some("solo"), Some("solo")),
    (Some("raw-model"), None, None),
    (None, None, None),
];
const VARIANTS: [Option<&str>; 3] = [None, Some("standard"), Some("free")];
const PROVIDERS: [Option<&str>; 5] =
    [Some("north"), Some("south"), Some("west"), Some("host:10.0.0.1"), None];

/// SplitMix64: the same numbers everywhere.
pub(crate) struct Dice(pub u64);

impl Dice {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }
}

/// One partial row of `usage_daily`; several may have the same names.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub date: NaiveDate,
    pub model: Option<&'static str>,
    pub logged_author: Option<&'static str>,
    pub author: Option<&'static str>,
    pub variant: Option<&'static str>,
    pub provider: Option<&'static str>,
    pub counts: BTreeMap<String, i64>,
    /// 10⁻⁹ USD
    pub cost: i128,
    /// The part of it that was not served. None: a row of before that was known, which holds none of it.
    pub unserved: Option<i128>,
    pub users: BTreeSet<i64>,
}

impl Cell {
    pub(crate) fn count(&self, name: &str) -> i64 {
        match name {
            "tokens" => self.counts["input_tokens"] + self.counts["output_tokens"],
            name => self.counts[name],
        }
    }

    pub(crate) fn variant_key(&self) -> Option<String> {
        let model = self.model?;
        Some(if self.variant == Some("free") { format!("{model}:free") } else { model.to_owned() })
    }
}

pub(crate) struct World {
    pub cells: Vec<Cell>,
    /// Dimension, key, day: those that are public.
    pub public: BTreeSet<(&'static str, String, NaiveDate)>,
    pub first: NaiveDate,
    /// The last day with traffic.
    pub last: NaiveDate,
    pub terms: Terms,
}

impl World {
    /// `days` days of traffic from `first` on; `today` is the running day.
    pub(crate) fn new(seed: u64, first: NaiveDate, days: u64, today: NaiveDate) -> Self {
        let mut dice = Dice(seed);
        let terms = Terms {
            catalogue: catalogue(),
            users: dice.of(&[0, 20, 20, 20]),
            keyless: Keyless::Hide,
            has_raw_names: dice.one_in(3),
            growth_requests: dice.of(&[0, 30, 100]),
            counted_attempts: 100,
            speed_requests: 100,
            watermark: today.and_hms_opt(12, 0, 0).unwrap().and_utc(),
            today,
        };
        let dates: Vec<NaiveDate> = (0..days).map(|day| first + Days::new(day)).collect();
        let mut cells = Vec::new();
        for date in &dates {
            for _ in 0..dice.below(14) {
                cells.push(cell(&mut dice, *date));
            }
        }
        // The history begins and ends where it should.
        cells.push(cell(&mut dice, dates[0]));
        cells.push(cell(&mut dice, dates[dates.len() - 1]));
        // Of the first half of the days some rows are of before.
        let half = first + Days::new(days / 2);
        for cell in &mut cells {
            let is_old = cell.date < half && cell.counts["input_images"] % 4 == 0;
            cell.unserved =
                (!is_old).then_some(cell.cost / (1 + i128::from(cell.counts["input_video"] % 7)) / 2);
        }
        let mut world = Self { cells, public: BTreeSet::new(), first, last: dates[dates.len() - 1], terms };
        world.decide(&mut dice, &dates);
        world
    }

    /// The same with so many times the tokens.
    pub(crate) fn of_more_tokens(mut self, times: i64) -> Self {
        for cell in &mut self.cells {
            for name in ["input_tokens", "cached_input_tokens", "output_tokens", "unpriced_tokens"] {
                *cell.counts.get_mut(name).unwrap() *= times;
            }
        }
        self
    }

    fn decide(&mut self, dice: &mut Dice, dates: &[NaiveDate]) {
        let variants = self.cells.iter().filter_map(Cell::variant_key).map(|key| ("variant", key));
        let providers = self.cells.iter().filter_map(|cell| Some(("provider", cell.provider?.to_owned())));
        let keys: BTreeSet<_> = variants.chain(providers).collect();
        for (dimension, key) in keys {
            // Most are public always or from some day on, few never or now and then.
            let from = dice.of(&[0, 0, 0, dates.len() as u64 / 2, u64::MAX]);
            let holes = dice.of(&[0, 0, 7]);
            for (at, date) in (0..).zip(dates) {
                if at >= from && (holes == 0 || !dice.one_in(holes)) {
                    self.public.insert((dimension, key.clone(), *date));
                }
            }
        }
    }

    fn may_name(&self, dimension: &'static str, key: &str, date: NaiveDate) -> bool {
        self.terms.users == 0 || self.public.contains(&(dimension, key.to_owned(), date))
    }

    pub(crate) fn is_public(&self, cell: &Cell) -> bool {
        let has_name = cell.author.is_some() || self.terms.has_raw_names;
        has_name
            && cell
                .variant_key()
                .map_or(self.terms.users == 0, |key| self.may_name("variant", &key, cell.date))
    }

    /// What the cell would be called.
    pub(crate) fn own_key(&self, cell: &Cell, dimension: &str) -> Option<String> {
        match dimension {
            "total" => Some("total".to_owned()),
            "author" => cell.author.map(str::to_owned),
            "model" => cell.model.map(str::to_owned),
            "variant" => cell.variant_key(),
            "provider" => cell.provider.map(str::to_owned),
            "model_provider" => Some(format!("{}@{}", cell.model?, cell.provider?)),
            other => panic!("{other}"),
        }
    }

    /// Kind and key of the row that a cell is part of.
    pub(crate) fn place(&self, cell: &Cell, dimension: &str) -> (String, String) {
        let alone = |kind: &str| (kind.to_owned(), kind.to_owned());
        if dimension == "total" {
            return alone("total");
        }
        if !self.is_public(cell) {
            return alone("hidden");
        }
        if dimension.contains("provider") {
            let Some(provider) = cell.provider else { return alone("none") };
            let has_name = self.terms.has_raw_names || !provider.starts_with("host:");
            if !has_name || !self.may_name("provider", provider, cell.date) {
                return alone("hidden");
            }
        }
        match self.own_key(cell, dimension) {
            Some(key) => ("key".to_owned(), key),
            None => alone("unmapped"),
        }
    }

    /// A session with the cells, the gate and the views.
    pub(crate) async fn session(&self) -> SessionContext {
        let ctx = self.tables();
        crate::register(&ctx, &self.terms).await.unwrap();
        ctx
    }

    /// The same without the views, for tests that add further tables.
    pub(crate) fn tables(&self) -> SessionContext {
        let ctx = without_files(2);
        ctx.register_batch("usage_daily", self.usage()).unwrap();
        ctx.register_batch("gate", self.gate()).unwrap();
        ctx
    }

    fn usage(&self) -> RecordBatch {
        let schema = TableId::UsageDaily.schema();
        let text = |of: fn(&Cell) -> Option<&'static str>| -> ArrayRef {
            Arc::new(self.cells.iter().map(of).collect::<StringArray>())
        };
        let column = |name: &str, of: &DataType| -> ArrayRef {
            match (name, of) {
                ("date", _) => Arc::new(
                    self.cells
                        .iter()
                        .map(|cell| Some(Date32Type::from_naive_date(cell.date)))
                        .collect::<Date32Array>(),
                ),
                ("model_id", _) => text(|cell| cell.model),
                ("author", _) => text(|cell| cell.logged_author),
                ("variant", _) => text(|cell| cell.variant),
                ("provider_id", _) => text(|cell| cell.provider),
                ("users", _) => {
                    Arc::new(self.cells.iter().map(|cell| sketch(&cell.users)).collect::<BinaryArray>())
                }
                (name, DataType::Decimal128(..)) => {
                    let amount = |cell: &Cell| match name {
                        "cost_usd" => Some(cell.cost),
                        "unserved_cost_usd" => cell.unserved,
                        other => panic!("{other}"),
                    };
                    let amounts: Decimal128Array = self.cells.iter().map(amount).collect();
                    Arc::new(amounts.with_precision_and_scale(38, 9).unwrap())
                }
                (name, _) => Arc::new(Int64Array::from_iter_values(
                    self.cells.iter().map(|cell| cell.counts.get(name).copied().unwrap_or(0)),
                )),
            }
        };
        let columns = schema.fields().iter().map(|field| column(field.name(), field.data_type())).collect();
        RecordBatch::try_new(schema, columns).unwrap()
    }

    fn gate(&self) -> RecordBatch {
        // Keys that are not public have a row that says so on every other day, and none on the rest.
        let mut rows: Vec<(&str, &str, NaiveDate, bool)> = self
            .public
            .iter()
            .map(|(dimension, key, date)| (*dimension, key.as_str(), *date, true))
            .collect();
        let refused: BTreeSet<_> = self
            .cells
            .iter()
            .filter_map(|cell| Some(("variant", cell.variant_key()?, cell.date)))
            .filter(|row| !self.public.contains(row) && Date32Type::from_naive_date(row.2) % 2 == 0)
            .collect();
        rows.extend(refused.iter().map(|(dimension, key, date)| (*dimension, key.as_str(), *date, false)));
        let schema = gate::TABLE.schema();
        let column = |name: &str| -> ArrayRef {
            match name {
                "dimension" => Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0))),
                "key" => Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1))),
                "month" | "date" => Arc::new(Date32Array::from_iter_values(
                    rows.iter().map(|row| Date32Type::from_naive_date(row.2)),
                )),
                "is_public" => Arc::new(rows.iter().map(|row| Some(row.3)).collect::<BooleanArray>()),
                _ => Arc::new(Int64Array::from_iter_values(rows.iter().map(|_| 0))),
            }
        };
        let columns = schema.fields().iter().map(|field| column(field.name())).collect();
        RecordBatch::try_new(schema, columns).unwrap()
    }
}

fn cell(dice: &mut Dice, date: NaiveDate) -> Cell {
    let (model, logged_author, author) = dice.of(&MODELS);
    let requests = i64::try_from(dice.below(60)).unwrap();
    let unpriced = match dice.below(4) {
        0 => requests,
        1 => requests / 2,
        _ => 0,
    };
    let mut counts = BTreeMap::new();
    for field in TableId::UsageDaily.schema().fields() {
        if field.data_type() == &DataType::Int64 {
            counts.insert(field.name().clone(), i64::try_from(dice.below(1_000)).unwrap());
        }
    }
    let users: BTreeSet<i64> = (0..dice.below(12)).map(|_| i64::try_from(dice.below(60)).unwrap()).collect();
    let tokens = counts["input_tokens"] + counts["output_tokens"];
    counts.insert("cached_input_tokens".to_owned(), counts["input_tokens"] / 3);
    counts.insert("requests".to_owned(), requests);
    counts.insert("unpriced_requests".to_owned(), unpriced);
    counts.insert("unpriced_tokens".to_owned(), if unpriced == requests { tokens } else { unpriced });
    counts.insert("requests_with_user".to_owned(), if users.is_empty() { 0 } else { requests / 2 });
    let variant = dice.of(&VARIANTS);
    // Free is a price.
    let costs_nothing = unpriced == requests || variant == Some("free");
    Cell {
        date,
        model,
        logged_author,
        author,
        variant,
        provider: dice.of(&PROVIDERS),
        counts,
        cost: if costs_nothing { 0 } else { i128::from(dice.below(3_000_000_000)) },
        unserved: None,
        users,
    }
}

fn sketch(users: &BTreeSet<i64>) -> Option<Vec<u8>> {
    (!users.is_empty()).then(|| users.iter().copied().collect::<Hll>().to_bytes())
}

fn catalogue() -> Catalogue {
    let named = |id: &str| Named { id: id.to_owned(), name: format!("Name of {id}") };
    let models = MODELS.iter().filter_map(|(id, _, author)| {
        let (id, author) = ((*id)?, (*author)?);
        Some(Model { id: id.to_owned(), author: author.to_owned(), name: format!("Name of {id}") })
    });
    Catalogue {
        models: models.collect(),
        // `solo` and `west` have none: their key stands for it.
        authors: ["acme", "beta"].map(named).into(),
        providers: ["north", "south"].map(named).into(),
        ..Catalogue::default()
    }
}
