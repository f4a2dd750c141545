//! Direct labels: how wide a text is, and how labels move apart so that none covers another.

/// How much wider bold letters are: their size for [`width`] and [`shorten`] is the text's times this.
pub const BOLD: f64 = 1.15;

/// Width in user units of `text` at `size`, in the widest font that `sans-serif` commonly stands for (DejaVu Sans).
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// Advance in em, by class of character; the widest of each class.
fn advance(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | 'I' | '\'' | '’' => 0.3,
        '.' | ',' | ' ' | '\u{a0}' => 0.32,
        ':' | ';' | '|' | '/' => 0.34,
        'f' | 'r' | 't' | '(' | ')' | '-' | '!' => 0.41,
        'm' | '%' => 0.98,
        'M' => 0.87,
        'W' | '…' => 1.0,
        'w' | '+' | '−' | '<' | '→' => 0.84,
        'A'..='Z' => 0.79,
        '0'..='9' | 'a'..='z' => 0.64,
        // CJK, kana, Hangul, full-width forms
        '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' => 1.0,
        _ => 0.79,
    }
}

/// `text` cut with an ellipsis so that it is not wider than `most`.
pub fn shorten(text: &str, size: f64, most: f64) -> String {
    if width(text, size) <= most {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = advance('…') * size;
    for character in text.chars() {
        used += advance(character) * size;
        if used > most {
            break;
        }
        kept.push(character);
    }
    format!("{}…", kept.trim_end())
}

/// Moves positions apart to at least `gap` inside `lo..=hi`, staying in order and as near as possible to
/// where they were. Where they do not fit, the gap shrinks evenly. The result keeps the input's order.
pub fn apart(wanted: &[f64], gap: f64, lo: f64, hi: f64) -> Vec<f64> {
    struct Block {
        start: f64,
        members: usize,
    }
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    let at = |index: usize| wanted.get(index).copied().filter(|value| value.is_finite()).unwrap_or(lo);
    order.sort_by(|a, b| at(*a).total_cmp(&at(*b)).then(a.cmp(b)));
    let gap = match wanted.len() {
        0 | 1 => gap,
        count => gap.min((hi - lo).max(0.0) / (count - 1) as f64),
    };
    let place = |start: f64, members: usize| {
        let room = (hi - gap * (members - 1) as f64).max(lo);
        start.clamp(lo, room)
    };
    // Pool adjacent violators: a block stands at the mean of what its members wanted.
    let mut blocks: Vec<Block> = Vec::new();
    for index in &order {
        let mut block = Block { start: place(at(*index), 1), members: 1 };
        while let Some(before) = blocks.last() {
            if before.start + gap * before.members as f64 <= block.start + 1e-9 {
                break;
            }
            let members = before.members + block.members;
            let sum = before.start * before.members as f64
                + (block.start - gap * before.members as f64) * block.members as f64;
            block = Block { start: place(sum / members as f64, members), members };
            blocks.pop();
        }
        blocks.push(block);
    }
    let mut out = vec![lo; wanted.len()];
    let placed =
        blocks.iter().flat_map(|block| (0..block.members).map(|step| block.start + gap * step as f64));
    for (index, position) in order.iter().zip(placed) {
        if let Some(slot) = out.get_mut(*index) {
            *slot = position;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_that_fit_stay() {
        assert_eq!(apart(&[10.0, 40.0, 80.0], 14.5, 0.0, 100.0), [10.0, 40.0, 80.0]);
    }

    #[test]
    fn labels_at_one_place_spread_around_it() {
        assert_eq!(apart(&[50.0, 50.0, 50.0], 10.0, 0.0, 100.0), [40.0, 50.0, 60.0]);
        assert_eq!(apart(&[99.0, 100.0], 10.0, 0.0, 100.0), [90.0, 100.0]);
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(shorten("abc", 12.0, 100.0), "abc");
        let cut = shorten("a very long name of a model", 12.0, 60.0);
        assert!(cut.ends_with('…') && width(&cut, 12.0) <= 60.0, "{cut}");
    }

    proptest! {
        #[test]
        fn labels_never_overlap_and_stay_inside(wanted in prop::collection::vec(-50f64..250.0, 0..12)) {
            let placed = apart(&wanted, 14.5, 0.0, 200.0);
            prop_assert_eq!(placed.len(), wanted.len());
            let mut sorted = placed.clone();
            sorted.sort_by(f64::total_cmp);
            prop_assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= 14.5 - 1e-6), "{:?}", sorted);
            prop_assert!(placed.iter().all(|at| (-1e-6..=200.0 + 1e-6).contains(at)), "{:?}", placed);
            for (a, pa) in wanted.iter().zip(&placed) {
                for (b, pb) in wanted.iter().zip(&placed) {
                    prop_assert!(a >= b || pa <= pb, "order kept");
                }
            }
        }
    }
}
