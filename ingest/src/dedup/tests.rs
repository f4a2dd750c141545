mod table;

use std::collections::VecDeque;

use proptest::prelude::*;

use super::{Fingerprint, Window};

fn window(limit: usize, rows: &[(i64, u64)]) -> Window {
    let mut window = Window::new(limit);
    for (offset, id) in rows {
        window.insert(*offset, Fingerprint(*id));
    }
    window
}

fn held(window: &Window) -> Vec<u64> {
    window.order.iter().map(|id| id.0).collect()
}

#[test]
fn an_id_is_new_once_until_it_is_forgotten() {
    let mut window = window(2, &[(0, 10), (1, 11)]);
    assert!(!window.insert(2, Fingerprint(10)));
    assert!(window.insert(2, Fingerprint(12)));
    assert_eq!(held(&window), [11, 12]);
    assert!(!window.contains(Fingerprint(10)));
    assert!(window.insert(3, Fingerprint(10)));
}

#[test]
fn the_rows_of_one_offset_are_forgotten_together() {
    let window = window(3, &[(0, 1), (0, 2), (1, 3), (2, 4)]);
    assert_eq!(held(&window), [3, 4]);
}

#[test]
fn one_offset_may_exceed_the_limit() {
    let window = window(2, &[(0, 1), (5, 2), (5, 3), (5, 4)]);
    assert_eq!(held(&window), [2, 3, 4]);
}

#[test]
fn a_window_stands_behind_that_of_an_earlier_log_within_one_limit() {
    let earlier = window(2, &[(7, 1), (8, 2)]);
    let mut both = window(3, &[(0, 3), (0, 4)]).behind(earlier, 3);
    assert_eq!(held(&both), [2, 3, 4]);
    assert!(!both.insert(1, Fingerprint(2)));
    // Offsets go on as in the later log, each forgotten as a whole.
    assert!(both.insert(1, Fingerprint(5)));
    assert_eq!(held(&both), [3, 4, 5]);
    assert!(both.insert(2, Fingerprint(6)));
    assert_eq!(held(&both), [5, 6]);
}

#[test]
fn a_fingerprint_is_the_beginning_of_the_hash() {
    // BLAKE3 of the empty text begins af 13 49 b9 f5 f9 a1 a6 (published test vector).
    assert_eq!(
        Fingerprint::of(""),
        Fingerprint(u64::from_le_bytes([0xaf, 0x13, 0x49, 0xb9, 0xf5, 0xf9, 0xa1, 0xa6]))
    );
}

/// Newest whole offsets whose ids fit into `limit`, written without the window.
fn newest_that_fit(rows: &[(i64, u64)], limit: usize) -> Vec<u64> {
    let mut groups: Vec<(i64, Vec<u64>)> = Vec::new();
    for (offset, id) in rows {
        match groups.last_mut().filter(|(last, _)| last == offset) {
            Some((_, ids)) => ids.push(*id),
            None => groups.push((*offset, vec![*id])),
        }
    }
    let mut kept = VecDeque::new();
    for (_, ids) in groups.iter().rev() {
        if !kept.is_empty() && kept.len() + ids.len() > limit {
            break;
        }
        for id in ids.iter().rev() {
            kept.push_front(*id);
        }
    }
    kept.into()
}

proptest! {
    /// What makes a window that was read back equal to the one that was lost.
    #[test]
    fn the_window_holds_the_newest_offsets_that_fit(
        sizes in proptest::collection::vec(1u64..4, 1..60),
        limit in 1usize..20,
    ) {
        let mut id = 0;
        let mut rows = Vec::new();
        for (offset, size) in sizes.iter().enumerate() {
            for _ in 0..*size {
                rows.push((offset as i64, id));
                id += 1;
            }
        }
        prop_assert_eq!(held(&window(limit, &rows)), newest_that_fit(&rows, limit));
    }
}
