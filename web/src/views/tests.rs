//! What rows have in common, and their schemas.

use super::*;
use crate::data::{NotEnough, NotYet};

#[test]
fn a_withheld_figure_says_what_it_needs() {
    let counts = Some(NotEnough::counts(37, 100).into());
    assert_eq!(
        withheld(&[("uptime", counts), ("ttft", None), ("usage", Some(NotEnough::users(20).into()))])
            .unwrap(),
        "uptime: n = 37, needs 100; usage: needs 20 users"
    );
    let untold = NotEnough { n: None, ..NotEnough::counts(0, 100) };
    assert_eq!(withheld(&[("a", Some(untold.into()))]).unwrap(), "a: needs n = 100");
    assert_eq!(
        withheld(&[("a", Some(NotEnough::labelled(30, 50).into()))]).unwrap(),
        "a: needs n = 30 and 50 users"
    );
    assert_eq!(withheld(&[("a", None)]), None);
    assert_eq!(withheld(&[("a", Some(NotYet::default().into()))]).unwrap(), "a: not published yet");
}
