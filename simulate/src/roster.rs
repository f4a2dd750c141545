//! Who takes part: providers, models and where each model is served, read from the tables in `data/`. Names are
//! labels; the figures are made up to fit `calibration`, and only providers with invented names ever look bad.

use std::sync::LazyLock;

/// A provider. `pace` orders its endpoints from fast (0) to slow (1); `invented` ones may fail.
pub(crate) struct ProviderRow {
    pub id: &'static str,
    pub pace: f64,
    pub cache_hit: f64,
    pub invented: bool,
    /// Region that serves callers from the Americas, Europe and Africa, Asia and Oceania.
    pub regions: [&'static str; 3],
}

/// A model or variant of it. Days count from the last day of the calibrated year: launches and retirements
/// within the year are negative numbers above −364.
pub(crate) struct ModelRow {
    /// `author/slug`, with `:variant` where it is not the standard one.
    pub name: &'static str,
    pub launch: i64,
    pub retire: Option<i64>,
    /// Weight within the author a year ago (or at launch) and now.
    pub weight: (f64, f64),
    /// Mean tokens of a request, in thousands, and mean output tokens of it.
    pub k_tokens: f64,
    pub output: f64,
    /// USD per million input and output tokens at the cheapest endpoint; None costs nothing.
    pub price: Option<(f64, f64)>,
    /// Share of input read from the provider's prompt cache where the provider is average.
    pub cached: f64,
    pub kind: Kind,
    /// Index of the provider and share of the model's requests that are sent there first.
    pub endpoints: Vec<(usize, f64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// Thinks before it answers: part of the output is reasoning.
    Reasons,
    /// Takes images.
    Sees,
    Embeds,
    Batch,
}

pub(crate) struct Roster {
    pub providers: Vec<ProviderRow>,
    pub models: Vec<ModelRow>,
}

const PROVIDERS: &str = include_str!("../data/providers.csv");
const MODELS: &str = include_str!("../data/models.csv");

/// Older than the calibrated year and still served.
const ALWAYS: i64 = -500;

impl Roster {
    pub(crate) fn shared() -> &'static Self {
        static ROSTER: LazyLock<Roster> = LazyLock::new(|| {
            let providers: Vec<ProviderRow> = lines(PROVIDERS).filter_map(provider).collect();
            let models = lines(MODELS).filter_map(|line| model(line, &providers)).collect();
            Roster { providers, models }
        });
        &ROSTER
    }
}

/// Rows of a table: lines that are no comments. A row that cannot be read is left out, which a test would see.
fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#'))
}

fn provider(line: &'static str) -> Option<ProviderRow> {
    let mut cells = line.split(',');
    Some(ProviderRow {
        id: cells.next()?,
        pace: cells.next()?.parse().ok()?,
        cache_hit: cells.next()?.parse().ok()?,
        invented: match cells.next()? {
            "invented" => true,
            "real" => false,
            _ => return None,
        },
        regions: match cells.next()? {
            "world" => ["us-east", "eu-west", "ap-southeast"],
            "atlantic" => ["us-east", "eu-west", "us-west"],
            "america" => ["us-west", "us-east", "us-west"],
            "europe" => ["eu-west", "eu-west", "eu-north"],
            "china" => ["ap-singapore", "ap-singapore", "cn-east"],
            _ => return None,
        },
    })
}

fn model(line: &'static str, providers: &[ProviderRow]) -> Option<ModelRow> {
    let mut cells = line.split(',');
    let name = cells.next()?;
    let mut number = || cells.next().map(|cell| (cell, cell.parse::<f64>().ok()));
    let (launch, retire) = (number()?, number()?);
    let (weight, tokens) = ((number()?.1?, number()?.1?), (number()?.1?, number()?.1?));
    let (input_price, output_price) = (number()?, number()?);
    let kind = match number()?.0 {
        "text" => Kind::Text,
        "reasons" => Kind::Reasons,
        "sees" => Kind::Sees,
        "embeds" => Kind::Embeds,
        "batch" => Kind::Batch,
        _ => return None,
    };
    let cached = number()?.1?;
    let mut words = number()?.0.split(' ');
    let mut endpoints = Vec::new();
    while let Some(id) = words.next() {
        let at = providers.iter().position(|provider| provider.id == id)?;
        endpoints.push((at, words.next()?.parse().ok()?));
    }
    Some(ModelRow {
        name,
        launch: launch.1.map_or(ALWAYS, |day| day as i64),
        retire: retire.1.map(|day| day as i64),
        weight,
        k_tokens: tokens.0,
        output: tokens.1,
        price: input_price.1.zip(output_price.1),
        cached,
        kind,
        endpoints,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bellwether_ingest::catalogue::{Catalogue, Price};

    use super::*;

    #[test]
    fn every_row_of_the_tables_is_read() {
        let roster = Roster::shared();
        assert_eq!(roster.providers.len(), lines(PROVIDERS).count());
        assert_eq!(roster.models.len(), lines(MODELS).count());
        let deepseek = &roster.models[0];
        assert_eq!((deepseek.name, deepseek.launch, deepseek.retire), ("deepseek/deepseek-v3.2", -303, None));
        assert_eq!((deepseek.price, deepseek.kind), (Some((0.24, 0.36)), Kind::Text));
        assert_eq!(roster.providers[deepseek.endpoints[1].0].id, "larkspur");
    }

    /// Names that the starter catalogue does not know would be listed as unmapped in every demo.
    #[test]
    fn the_starter_catalogue_knows_every_name() {
        let catalogue = Catalogue::starter();
        let roster = Roster::shared();
        for row in &roster.models {
            let found = catalogue.resolve("native", Some(row.name), None, None);
            let (id, variant) = row.name.split_once(':').unwrap_or((row.name, "standard"));
            assert_eq!((found.model_id.as_deref(), found.variant.as_str()), (Some(id), variant));
            assert_eq!(found.author.as_deref(), id.split('/').next(), "{id}");
            assert!(catalogue.model_name(id).is_some(), "{id} has no display name");
        }
        for row in &roster.providers {
            let found = catalogue.resolve("native", None, Some(row.id), None);
            assert_eq!((found.provider_id.as_deref(), found.provider_mapped), (Some(row.id), true));
        }
    }

    /// The answer file counts what has no cost as unpriced and what costs nothing as priced. It is right only while the
    /// catalogue has no price for the former, and the name says the latter.
    #[test]
    fn the_starter_catalogue_prices_nothing_that_the_answer_file_has_otherwise() {
        let catalogue = Catalogue::starter();
        let unpriced = Some(crate::calibration::UNPRICED_PROVIDER);
        let of_it = |price: &&Price| price.provider.is_none() || price.provider.as_deref() == unpriced;
        assert_eq!(catalogue.prices().iter().find(of_it), None);
        let roster = Roster::shared();
        assert!(roster.providers.iter().any(|row| Some(row.id) == unpriced));
        for row in roster.models.iter().filter(|row| row.price.is_none()) {
            assert!(row.name.ends_with(":free"), "{}", row.name);
        }
    }

    /// At a quantile of sorted counts.
    fn at(counts: &[usize], quantile: f64) -> usize {
        counts[(quantile * (counts.len() - 1) as f64) as usize]
    }

    #[test]
    fn the_market_has_its_size() {
        let roster = Roster::shared();
        let live: Vec<&ModelRow> = roster.models.iter().filter(|row| row.retire.is_none()).collect();
        let standard: Vec<&&ModelRow> = live.iter().filter(|row| !row.name.contains(':')).collect();
        let authors: BTreeSet<&str> = live.iter().filter_map(|row| row.name.split('/').next()).collect();
        assert!(live.len() >= 560, "{} variants", live.len());
        assert!(standard.len() >= 400, "{} models", standard.len());
        assert!(authors.len() >= 75, "{} authors", authors.len());
        assert!(roster.providers.len() >= 60);
        assert!(live.iter().map(|row| row.endpoints.len()).sum::<usize>() >= 1_000);
        // Rankings: 51 % of models have one endpoint, p75 3, p90 8, max 62.
        let mut counts: Vec<usize> = standard.iter().map(|row| row.endpoints.len()).collect();
        counts.sort_unstable();
        let one = counts.iter().filter(|count| **count == 1).count() as f64 / counts.len() as f64;
        assert!((one - 0.51).abs() < 0.02, "{one}");
        assert_eq!((at(&counts, 0.75), at(&counts, 0.9), at(&counts, 1.0)), (3, 8, 62));
        // The busiest endpoint of a model with several carries 54 % (median).
        let mut busiest: Vec<usize> = standard
            .iter()
            .filter(|row| row.endpoints.len() > 1)
            .map(|row| {
                let weights = || row.endpoints.iter().map(|(_, weight)| *weight);
                (1000.0 * weights().fold(0.0, f64::max) / weights().sum::<f64>()) as usize
            })
            .collect();
        busiest.sort_unstable();
        assert!(at(&busiest, 0.5).abs_diff(540) < 30, "{}", at(&busiest, 0.5));
        let launched = live.iter().filter(|row| row.launch > -364).count();
        let retired = roster.models.iter().filter(|row| row.retire.is_some()).count();
        assert!(launched >= 150 && retired >= 30, "{launched} launched, {retired} retired");
    }
}
