//! What is one record, also when the stream is broken, and that chunk borders do not matter.

use bellwether_warehouse::World;
use proptest::prelude::*;

use super::{Piece, Splitter};

/// Pieces as text: records as they are, `large:<size>` and `cut:<bytes>`.
fn split(stream: &[u8], chunk: usize, limit: usize) -> Vec<String> {
    let mut splitter = Splitter::new(limit);
    let mut pieces = Vec::new();
    let mut emit = |piece: Piece<'_>| {
        pieces.push(match piece {
            Piece::Record { bytes, .. } => String::from_utf8_lossy(bytes).into_owned(),
            Piece::TooLarge { size_bytes, .. } => format!("large:{size_bytes}"),
            Piece::Zeros { size_bytes, .. } => format!("zeros:{size_bytes}"),
            Piece::Truncated { bytes, .. } => format!("cut:{}", String::from_utf8_lossy(bytes)),
        });
    };
    for part in stream.chunks(chunk.max(1)) {
        splitter.push(part, &mut emit);
    }
    splitter.finish(&mut emit);
    pieces
}

fn check(stream: &str, expected: &[&str]) {
    for chunk in [1, 2, 3, 7, 4096] {
        assert_eq!(split(stream.as_bytes(), chunk, 1000), expected, "chunks of {chunk} of {stream:?}");
    }
}

#[test]
fn elements_of_an_array_are_records() {
    check(
        r#"[{"a":1},{"b":"x,]}"}, {"c":[1,{"d":2}]} ]"#,
        &[r#"{"a":1}"#, r#"{"b":"x,]}"}"#, r#"{"c":[1,{"d":2}]}"#],
    );
    check("[]", &[]);
    check(" [ ] \n", &[]);
    check("", &[]);
}

#[test]
fn lines_are_records_with_blank_lines_and_without_a_last_line_end() {
    check(
        "\n{\"a\":1}\r\n\n{\"b\":\"\\\"}\\\\\"}\n{\"c\":3}",
        &[r#"{"a":1}"#, r#"{"b":"\"}\\"}"#, r#"{"c":3}"#],
    );
}

#[test]
fn one_pretty_printed_object_is_one_record() {
    check(
        "{\n  \"a\": [\n{\n\"b\": 1\n},\n{\n\"c\": 2\n}\n]\n}\n",
        &["{\n  \"a\": [\n{\n\"b\": 1\n},\n{\n\"c\": 2\n}\n]\n}"],
    );
}

#[test]
fn concatenated_objects_are_records() {
    check(r#"{"a":1}{"b":2} {"c":3}"#, &[r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#]);
}

#[test]
fn a_byte_order_mark_is_no_record() {
    check("\u{feff}{\"a\":1}", &[r#"{"a":1}"#]);
    check("\u{feff}[{\"a\":1}]", &[r#"{"a":1}"#]);
}

#[test]
fn a_broken_line_costs_only_itself() {
    check("{\"a\":1}\n{\"b\":\n{\"c\":3}\n", &[r#"{"a":1}"#, r#"{"b":"#, r#"{"c":3}"#]);
    check("{\"a\":1}\n{\"b\":\"open\n{\"c\":3}\n", &[r#"{"a":1}"#, r#"{"b":"open"#, r#"{"c":3}"#]);
    check("{\"a\":1}\nhello {world}\n{\"c\":3}\n", &[r#"{"a":1}"#, "hello {world}", r#"{"c":3}"#]);
    check("{\"a\":1}}\n{\"c\":3}\n", &[r#"{"a":1}}"#, r#"{"c":3}"#]);
    // The first line is the broken one, before anything tells that this is NDJSON.
    check("{\"a\":\"open\n{\"c\":3}\n", &[r#"{"a":"open"#, r#"{"c":3}"#]);
    check("{\"a\":1\n{\"c\":3}\n", &["{\"a\":1", r#"{"c":3}"#]);
}

#[test]
fn a_broken_element_costs_only_itself() {
    check(r#"[{"a":1},{"b":tru},{"c":3}]"#, &[r#"{"a":1}"#, r#"{"b":tru}"#, r#"{"c":3}"#]);
    check(r#"[{"a":1},{"b":[1,2},{"c":3}]"#, &[r#"{"a":1}"#, r#"{"b":[1,2}"#, r#"{"c":3}"#]);
    check(r#"[{"a":1},17,"x,]",{"c":3}]"#, &[r#"{"a":1}"#, "17", r#""x,]""#, r#"{"c":3}"#]);
    check("[{\"a\":1},\n{\"b\":\"open},\n{\"c\":3}\n]", &[r#"{"a":1}"#, r#"{"b":"open},"#, r#"{"c":3}"#]);
    check(r#"[{"a":1},{"b":2]"#, &[r#"{"a":1}"#, r#"{"b":2"#]);
}

#[test]
fn a_stream_that_ends_early_says_so() {
    check(r#"[{"a":1},{"b":"#, &[r#"{"a":1}"#, r#"cut:{"b":"#]);
    check(r#"[{"a":1},"#, &[r#"{"a":1}"#, "cut:"]);
    check("{\"a\":1}\n{\"b\":", &[r#"{"a":1}"#, r#"cut:{"b":"#]);
}

#[test]
fn a_long_record_is_dropped_and_the_next_ones_are_not() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(2000));
    let size = long.len();
    check(
        &format!("[{{\"b\":1}},{long},{{\"c\":3}}]"),
        &[r#"{"b":1}"#, &format!("large:{size}"), r#"{"c":3}"#],
    );
    check(&format!("{long}\n{{\"c\":3}}\n"), &[&format!("large:{size}"), r#"{"c":3}"#]);
}

#[test]
fn binary_noise_is_one_record() {
    let mut noise = vec![0x00, 0xff, 0x80, b'\n', 0x01, b'{', b'\n', b'\n', 0x90];
    noise.extend_from_slice(b"\n{\"c\":3}\n");
    for chunk in [1, 2, 100] {
        let pieces = split(&noise, chunk, 1000);
        assert_eq!(pieces.len(), 2, "{pieces:?}");
        assert_eq!(pieces[1], r#"{"c":3}"#);
    }
}

#[test]
fn a_run_of_zero_bytes_is_one_piece_and_costs_no_neighbour() {
    check("\0\0\0{\"a\":1}\n", &["zeros:3", r#"{"a":1}"#]);
    check("{\"a\":1}\n\0\0{\"b\":2}\n", &[r#"{"a":1}"#, "zeros:2", r#"{"b":2}"#]);
    check("{\"a\":1}\n\0\0\n{\"b\":2}\n\0", &[r#"{"a":1}"#, "zeros:2", r#"{"b":2}"#, "zeros:1"]);
    check("{\"a\":1}\0\n", &[r#"{"a":1}"#, "zeros:1"]);
    // A line that was cut by them, inside a text or between members.
    check("{\"a\":\"te\0\0{\"b\":2}\n", &[r#"{"a":"te"#, "zeros:2", r#"{"b":2}"#]);
    check("{\"a\":1,\0\0\0{\"b\":2}\n", &[r#"{"a":1,"#, "zeros:3", r#"{"b":2}"#]);
    check("junk\0{\"b\":2}\n", &["junk", "zeros:1", r#"{"b":2}"#]);
    // They say nothing of what the stream is.
    check("\0\0[{\"a\":1},{\"b\":2}]", &["zeros:2", r#"{"a":1}"#, r#"{"b":2}"#]);
    check("[{\"a\":1},\0\0{\"b\":2}]\0", &[r#"{"a":1}"#, "zeros:2", r#"{"b":2}"#, "zeros:1"]);
    check("[\0", &["zeros:1", "cut:"]);
    let hole = "\0".repeat(5_000) + "{\"a\":1}\n";
    check(&hole, &["zeros:5000", r#"{"a":1}"#]);
    let mut splitter = Splitter::new(100);
    assert!(splitter.is_empty());
    splitter.push(b"\0", |_| {});
    assert!(!splitter.is_empty());
}

#[test]
fn a_wrong_bracket_closes_the_nearest_open_one_that_fits() {
    // Written without the scanner: the nearest fitting one is looked for.
    fn open_after(brackets: &[u8]) -> Vec<u8> {
        let mut open: Vec<u8> = Vec::new();
        for bracket in brackets {
            let opening = match bracket {
                b'}' => b'{',
                b']' => b'[',
                other => {
                    open.push(*other);
                    continue;
                }
            };
            if let Some(depth) = open.iter().rposition(|other| *other == opening) {
                open.truncate(depth);
            }
        }
        open
    }
    let brackets = b"{[}]";
    for number in 0..4_u32.pow(6) {
        let tail = (0..6).map(|place| brackets[(number / 4_u32.pow(place) % 4) as usize]);
        let record: Vec<u8> = [b'{'].into_iter().chain(tail).collect();
        for length in 1..=record.len() {
            let start = &record[..length];
            let is_whole = open_after(start).is_empty();
            let mut splitter = Splitter::new(100);
            splitter.push(start, |piece| panic!("{piece:?} of {start:?}"));
            let mut ended = false;
            splitter.finish(|piece| ended = matches!(piece, Piece::Record { .. }));
            assert_eq!(ended, is_whole, "{}", String::from_utf8_lossy(start));
            if is_whole {
                break;
            }
        }
    }
}

#[test]
fn wrong_brackets_cost_no_more_than_other_bytes() {
    let fitting = format!("[{}{}", "[".repeat(4_096), "[]".repeat(1 << 19));
    let hostile = format!("[{}{}", "[".repeat(4_096), "}".repeat(1 << 20));
    // The least of some runs, as others may want the processor too.
    let took = |text: &str| {
        let world = World::default();
        let run = || {
            let started = world.now();
            Splitter::new(1 << 23).push(text.as_bytes(), |_| {});
            world.since(started)
        };
        (0..3).map(|_| run()).min().unwrap()
    };
    // Looking through all that is open for each wrong one takes some thousand times as long.
    assert!(took(&hostile) < 20 * took(&fitting));
}

#[test]
fn pieces_tell_their_position() {
    let mut at = Vec::new();
    let mut splitter = Splitter::new(100);
    let mut emit = |piece: Piece<'_>| match piece {
        Piece::Record { at: position, .. } => at.push(position),
        other => panic!("unexpected {other:?}"),
    };
    splitter.push(b"[{\"a\":1}, {\"b", &mut emit);
    splitter.push(b"\":2}]", &mut emit);
    splitter.finish(&mut emit);
    assert_eq!(at, [1, 10]);
}

#[test]
fn deep_nesting_stays_bounded_and_ends_where_it_should() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let stream = format!("{deep}\n{{\"b\":1}}\n");
    assert_eq!(split(stream.as_bytes(), 4096, 1 << 20), [deep.as_str(), r#"{"b":1}"#]);
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_pieces(
        stream in proptest::collection::vec(
            prop_oneof![
                Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'"'), Just(b'\\'), Just(b'\n'),
                Just(b','), Just(b':'), Just(b' '), Just(b'1'), any::<u8>(),
            ],
            0..200,
        ),
        chunk in 1usize..40,
        limit in 1usize..60,
    ) {
        prop_assert_eq!(split(&stream, chunk, limit), split(&stream, stream.len().max(1), limit));
    }

    #[test]
    fn valid_records_come_out_as_they_went_in(
        texts in proptest::collection::vec("[^\\p{Cc}]{0,30}", 0..20),
        chunk in 1usize..40,
    ) {
        let records: Vec<String> = texts
            .iter()
            .map(|text| serde_json::json!({"text": text, "list": [text, {"n": 1}]}).to_string())
            .collect();
        let array = format!("[{}]", records.join(",\n "));
        prop_assert_eq!(split(array.as_bytes(), chunk, 1 << 20), records.clone());
        let lines = records.join("\n");
        prop_assert_eq!(split(lines.as_bytes(), chunk, 1 << 20), records.clone());
        let concatenated = records.concat();
        prop_assert_eq!(split(concatenated.as_bytes(), chunk, 1 << 20), records);
    }
}
