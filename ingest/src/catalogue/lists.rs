//! Models and prices of the catalogue that ships with the binary: one line each, with cells that hold neither a comma nor a
//! quote. TOML of this size would take longer to read than everything else at a start.

use super::cells::rows;
use super::facts::{ModelFacts, Price};
use super::file::{File, Model};
use super::read::read;
use super::{Error, STANDARD, tiers};

/// Authors, providers, families and aliases.
const STARTER: &str = include_str!("../../catalogue/starter.toml");
const MODELS: &str = include_str!("../../catalogue/models.csv");
const PRICES: &str = include_str!("../../catalogue/prices.csv");

/// The catalogue that ships with the binary.
pub(super) fn starter() -> Result<File, Error> {
    let mut prices = prices(PRICES)?;
    tiers::add_to(&mut prices)?;
    Ok(File { models: models(MODELS)?, prices, ..read(STARTER)? })
}

fn models(text: &str) -> Result<Vec<Model>, Error> {
    rows(text, "id,name,names,", |cells| {
        let model = Model {
            id: cells.text()?.to_owned(),
            name: cells.text()?.to_owned(),
            names: cells.text()?.split_ascii_whitespace().map(str::to_owned).collect(),
            facts: ModelFacts {
                released_on: cells.value()?,
                context_tokens: cells.value()?,
                max_output_tokens: cells.value()?,
                license: cells.value()?,
                has_open_weights: cells.flag()?,
                accepts_images: cells.flag()?,
                accepts_audio: cells.flag()?,
                accepts_video: cells.flag()?,
                makes_images: cells.flag()?,
                calls_tools: cells.flag()?,
                structures_output: cells.flag()?,
                reasons: cells.flag()?,
            },
        };
        Some(model)
    })
}

fn prices(text: &str) -> Result<Vec<Price>, Error> {
    rows(text, "model,variant,provider,", |cells| {
        let price = Price {
            model: cells.text()?.to_owned(),
            variant: Some(cells.text()?).filter(|text| !text.is_empty()).unwrap_or(STANDARD).to_owned(),
            provider: cells.value()?,
            valid_from: cells.value()?,
            valid_to: None,
            input: cells.amount()?,
            cached_input: cells.amount()?,
            cache_write: cells.amount()?,
            output: cells.amount()?,
            ..Price::default()
        };
        Some(price)
    })
}

#[cfg(test)]
mod tests {
    use super::super::facts::Amount;
    use super::*;

    const HEAD: &str = "# Sources.\nid,name,names,released_on,context_tokens,max_output_tokens,license,has_open_weights,accepts_images,accepts_audio,accepts_video,makes_images,calls_tools,structures_output,reasons\n";

    #[test]
    fn an_empty_cell_is_unknown_and_a_line_that_is_no_row_is_named() {
        let read = |line: &str| models(&format!("{HEAD}acme/one,One,,,,,,,,,,,,,\n{line}"));
        let two = Model {
            id: "acme/two".into(),
            name: "Two".into(),
            names: vec!["deux".into(), "zwei".into()],
            facts: ModelFacts {
                released_on: Some("2026-03-01".parse().unwrap()),
                context_tokens: Some(8192),
                license: Some("MIT".into()),
                has_open_weights: Some(true),
                accepts_images: Some(false),
                reasons: Some(true),
                ..ModelFacts::default()
            },
        };
        let found = read("acme/two,Two,deux zwei,2026-03-01,8192,,MIT,1,0,,,,,,1\n").unwrap();
        assert_eq!(found[0], Model { id: "acme/one".into(), name: "One".into(), ..Model::default() });
        assert_eq!(found[1..], [two]);
        for wrong in [
            "acme/two,Two",
            "acme/two,Two,,2026-13-01,,,,,,,,,,,",
            "acme/two,Two,,,,,,yes,,,,,,,",
            "a,b,,,,,,,,,,,,,,",
        ] {
            assert!(matches!(read(wrong).unwrap_err(), Error::Line { line: 4 }), "{wrong}");
        }
        assert!(matches!(models("acme/one,One").unwrap_err(), Error::Line { line: 1 }));
    }

    #[test]
    fn prices_are_exact() {
        let found = prices("model,variant,provider,valid_from,input,cached_input,cache_write,output\nacme/one,,north,2026-01-02,0.25,,,1.000000001\nacme/one,free,,,0,,,0\n").unwrap();
        let usd = 1_000_000_000;
        assert_eq!((found[0].variant.as_str(), found[0].provider.as_deref()), ("standard", Some("north")));
        assert_eq!((found[0].input, found[0].cached_input), (Some(Amount(usd / 4)), None));
        assert_eq!(found[0].output, Some(Amount(usd + 1)));
        assert_eq!(found[0].valid_from, Some("2026-01-02".parse().unwrap()));
        assert_eq!((found[1].variant.as_str(), found[1].provider.as_deref()), ("free", None));
        assert_eq!(found[1].input, Some(Amount(0)));
    }
}
