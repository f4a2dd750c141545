//! The columns of an attempt that a catalogue makes of its raw names.

use super::AttemptRow;

/// What the names of an attempt were taken for. It may be made anew of the row's raw names; nothing else of the row moves
/// with it but what a price stands behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Named {
    pub model_id: Option<String>,
    pub variant: Option<String>,
    pub author: Option<String>,
    pub provider_id: Option<String>,
}

impl Named {
    pub fn of(row: &AttemptRow<'_>) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self {
            model_id: owned(row.model_id),
            variant: owned(row.variant),
            author: owned(row.author),
            provider_id: owned(row.provider_id),
        }
    }
}
