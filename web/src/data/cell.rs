//! Under which names a usage row counts. The one place at which the gate is asked.

use chrono::NaiveDate;

use super::dictionary::{Dictionary, ProviderId, SeriesId};
use super::gate::{Gate, Kind, variant_key};

/// Names of one usage row as they are stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CellName<'a> {
    pub model: Option<&'a str>,
    pub variant: &'a str,
    pub provider: Option<&'a str>,
}

/// Under what one name of a usage row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Named,
    Unmapped,
    Hidden,
}

impl Dictionary {
    /// Where the amounts of a usage row of a day stand. The one place at which the gate is asked.
    fn places(&self, gate: &Gate, name: CellName<'_>, date: NaiveDate) -> (Place, Place) {
        let raw = if self.raw_names { Place::Unmapped } else { Place::Hidden };
        let place = |is_public: bool| if is_public { Place::Named } else { Place::Hidden };
        let series = match name.model.filter(|model| !model.is_empty()) {
            None => raw,
            Some(model) if !self.raw_names && !self.known.contains_key(model) => Place::Hidden,
            Some(model) => place(gate.names(Kind::Variant, &variant_key(model, name.variant), date)),
        };
        // What has no name has no provider either: a hidden row is the same amount in every dimension.
        let provider = match name.provider.filter(|provider| !provider.is_empty()) {
            _ if series == Place::Hidden => Place::Hidden,
            None => raw,
            Some(provider) if !self.tells_provider(provider) => Place::Hidden,
            Some(provider) => place(gate.names(Kind::Provider, provider, date)),
        };
        (series, provider)
    }

    /// Series and provider under which a usage row counts.
    pub(crate) fn intern_cell(
        &mut self,
        gate: &Gate,
        name: CellName<'_>,
        date: NaiveDate,
    ) -> (SeriesId, ProviderId) {
        let (series, provider) = self.places(gate, name, date);
        let series = match series {
            Place::Named => self.intern_series(name.model, name.variant),
            Place::Unmapped => SeriesId::UNKNOWN,
            Place::Hidden => {
                if let Some(model) = name.model.filter(|model| !self.raw_names && !self.knows(Some(model))) {
                    self.taken_for_raw.insert(model.into());
                }
                SeriesId::HIDDEN
            }
        };
        let provider = match provider {
            Place::Named => self.intern_provider(name.provider),
            Place::Unmapped => ProviderId::UNKNOWN,
            Place::Hidden => ProviderId::HIDDEN,
        };
        (series, provider)
    }

    /// The same of a row that has been counted before.
    pub(crate) fn find_cell(
        &self,
        gate: &Gate,
        name: CellName<'_>,
        date: NaiveDate,
    ) -> (SeriesId, ProviderId) {
        let (series, provider) = self.places(gate, name, date);
        let series = match series {
            Place::Named => self.find_series(name.model, name.variant),
            Place::Unmapped => SeriesId::UNKNOWN,
            Place::Hidden => SeriesId::HIDDEN,
        };
        let provider = match provider {
            Place::Named => name.provider.and_then(|provider| self.find_provider(provider)),
            Place::Unmapped => None,
            Place::Hidden => Some(ProviderId::HIDDEN),
        };
        (series, provider.unwrap_or(ProviderId::UNKNOWN))
    }
}
