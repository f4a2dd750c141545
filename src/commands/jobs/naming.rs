//! The catalogue as the jobs ask it.

use bellwether_ingest::catalogue::Catalogue;
use bellwether_ingest::normalise::price_again;
use bellwether_jobs::Naming;
use bellwether_warehouse::tables::attempts::{AttemptRow, Named};

pub struct ByCatalogue(pub Catalogue);

impl Naming for ByCatalogue {
    fn name(&self, row: &AttemptRow<'_>) -> Option<Named> {
        self.0.named_again(row)
    }

    fn price<'r>(&'r self, row: &mut AttemptRow<'r>) {
        price_again(row, &self.0);
    }
}
