use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn a_day_closes_after_two_hours_and_is_final_after_a_day_more() {
    for (at, expected) in [
        ("2026-11-25T01:59:59Z", Stage::Open),
        ("2026-11-25T02:00:00Z", Stage::Closed),
        ("2026-11-26T01:59:59Z", Stage::Closed),
        ("2026-11-26T02:00:00Z", Stage::Final),
    ] {
        assert_eq!(Stage::of(day("2026-11-24"), at.parse().unwrap()), expected, "{at}");
    }
}

#[test]
fn what_was_replaced_is_read_as_it_was_written() {
    let dates = [("2026-11-01", 1), ("2026-11-02", 1), ("2026-11-03", 2), ("2026-11-05", 2)];
    let dates = dates.map(|(date, revision)| (day(date), revision));
    for reason in Reason::ALL {
        let joined = Revised::join("rankings", dates, reason);
        let lines: Vec<String> = joined.iter().map(ToString::to_string).collect();
        let word = reason.word();
        assert_eq!(
            lines,
            [
                format!("rankings 2026-11-01 2026-11-02 1 {word}"),
                format!("rankings 2026-11-03 2026-11-03 2 {word}"),
                format!("rankings 2026-11-05 2026-11-05 2 {word}"),
            ]
        );
        let read: Vec<Revised> = lines.iter().map(|line| line.parse().unwrap()).collect();
        assert_eq!(read, joined);
    }
    for bad in ["", "rankings 2026-11-01 2026-11-02 1", "rankings 2026-11-01 2026-11-02 1 whim"] {
        assert!(bad.parse::<Revised>().unwrap_err().to_string().contains("is no revision"), "{bad}");
    }
}
