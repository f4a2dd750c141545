//! Who may be named, ahead of publication.

use bellwether_metrics::publications::{self, Publication};

use super::{NOW, add, dates_of_gate, of_user, published, publisher, versions};
use crate::testing::{Fixture, at};

#[tokio::test]
async fn names_are_decided_before_anything_is_published_and_the_next_publication_names_what_they_became() {
    let mut f = Fixture::new().await;
    let mut first = publisher(&f, 2).await;
    let count = "SELECT count(*) FILTER (WHERE is_public), count(*) FROM gate WHERE dimension = 'variant'";
    add(&mut f, &[of_user("a", 2, 1), of_user("b", 1, 2), of_user("c", 0, 3)], NOW).await;
    let report = first.decide(at(NOW)).await.unwrap();
    assert_eq!((report.number, dates_of_gate(&report)), (None, 3));
    assert!(Publication::newest(&f.snapshot(publications::id()).await).await.unwrap().is_none());
    // What was decided is not computed again, though nothing was published in between.
    let before = versions(&f).await;
    assert_eq!(first.decide(at(NOW)).await.unwrap().tables.len(), 0);
    assert_eq!(versions(&f).await, before);
    add(&mut f, &[of_user("d", 1, 4)], NOW).await;
    let report = first.decide(at(NOW)).await.unwrap();
    assert_eq!((report.number, dates_of_gate(&report)), (None, 2));
    // Another hand publishes: the same decisions, which then belong to a publication.
    let report = publisher(&f, 2).await.publish(at(NOW)).await.unwrap();
    assert_eq!((report.number, dates_of_gate(&report)), (Some(0), 0));
    assert_eq!(published(&f, count).await, ["2 3"]);
}
