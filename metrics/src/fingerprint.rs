//! By what publications of other terms are told apart.

use chrono::{DateTime, NaiveDate};

use crate::metric::steps_of;
use crate::{Catalogue, METRICS, Terms, views};

impl Terms {
    /// Of all that decides what is published and does not move by itself: configuration, catalogue, and the statements of
    /// this program.
    pub fn fingerprint(&self) -> String {
        let still = Self { watermark: DateTime::UNIX_EPOCH, today: NaiveDate::default(), ..self.clone() };
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("{still:?}").as_bytes());
        hasher.update(format!("{:?}", views::VIEWS).as_bytes());
        for metric in METRICS {
            hasher.update(format!("{:?} {:?}", metric.history, metric.table).as_bytes());
            hasher.update(metric.sql.as_bytes());
            hasher.update(format!("{:?}", steps_of(metric.table)).as_bytes());
        }
        short(&hasher)
    }

    /// Of the catalogue alone.
    pub fn catalogue_fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("{:?}", self.catalogue).as_bytes());
        short(&hasher)
    }

    /// Of all but the catalogue.
    pub fn settings_fingerprint(&self) -> String {
        Self { catalogue: Catalogue::default(), ..self.clone() }.fingerprint()
    }
}

fn short(hasher: &blake3::Hasher) -> String {
    hasher.finalize().to_hex().chars().take(16).collect()
}
