//! What names mean, and what of that a row keeps.

use bellwether_warehouse::tables::attempts::{AttemptRow, ErrorClass, Outcome};

use super::rates::Offer;

/// What the raw names of an attempt mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub model_id: Option<String>,
    pub variant: String,
    /// None while the model is unmapped.
    pub author: Option<String>,
    pub provider_id: Option<String>,
    pub model_mapped: bool,
    pub provider_mapped: bool,
    /// Empty while one of the two is unmapped: whose price would it be?
    pub offer: Offer,
}

impl Resolved {
    /// Puts the names into a row that says how the attempt ended. `is_bare`: nobody was called, and the row says what was
    /// asked for.
    pub(crate) fn name<'r>(&'r self, row: &mut AttemptRow<'r>, is_bare: bool) {
        row.variant = Some(&self.variant);
        (row.model_id, row.author) = (self.model_id.as_deref(), self.author.as_deref());
        row.provider_id = self.provider_id.as_deref();
        // A failure of the gateway never counts against a provider, whichever the log names.
        if row.outcome == Outcome::GatewayError.as_str() {
            (row.provider_id, row.endpoint_id) = (None, None);
        }
        let has_no_model = row.error_class == Some(ErrorClass::UnknownModel.as_str());
        if has_no_model || (is_bare && !self.model_mapped) {
            (row.model_id, row.author) = (None, None);
        }
        if has_no_model {
            row.variant = None;
        }
    }
}
