//! Records that no reader may accept, sent between the good ones.

use bellwether_ingest::event::Event;

use crate::chance::{Chance, hash_name, unit};

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BadKind {
    /// A JSON object that ends in its middle.
    Malformed,
    /// A list where `attempts` must hold objects has a number.
    WrongType,
    NegativeTokens,
    /// Began in 1999.
    AbsurdTime,
    /// Bytes that are no text.
    Noise,
}

impl BadKind {
    pub const ALL: [Self; 5] =
        [Self::Malformed, Self::WrongType, Self::NegativeTokens, Self::AbsurdTime, Self::Noise];

    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::WrongType => "wrong_type",
            Self::NegativeTokens => "negative_tokens",
            Self::AbsurdTime => "absurd_time",
            Self::Noise => "noise",
        }
    }
}

/// Which events are followed by a bad record, fixed by seed and request id.
#[derive(Clone, Copy, Debug)]
pub struct Corruption {
    seed: u64,
    rate: f64,
}

impl Corruption {
    /// `rate` bad records for each good one, 0 to 1.
    pub fn new(seed: u64, rate: f64) -> Self {
        Self { seed, rate }
    }

    /// Appends the bad record that follows this event, with a newline, and says which kind it is. Its request id
    /// is its own, so the good records stay complete.
    pub fn after(&self, event: &Event<'_>, out: &mut Vec<u8>) -> Option<BadKind> {
        let salt = hash_name(&event.request_id) ^ self.seed;
        let mut chance = Chance::new(&[salt, 0xbad]);
        if !chance.happens(self.rate) {
            return None;
        }
        let kind = BadKind::ALL[chance.below(BadKind::ALL.len() as u32) as usize];
        let id = format!("bad-{}", event.request_id);
        let record = |started_at: &str, attempts: &str| {
            format!(r#"{{"request_id":"{id}","started_at":"{started_at}","attempts":{attempts}}}"#)
                .into_bytes()
        };
        let now = chrono::DateTime::from_timestamp_micros(event.started_at_us).unwrap_or_default();
        let now = now.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        let good = r#"[{"model":"openai/gpt-5-mini","provider":"openai","input_tokens":7}]"#;
        let mut bytes = match kind {
            BadKind::Malformed => {
                let mut whole = record(&now, good);
                whole.truncate(whole.len() / 2);
                whole
            }
            BadKind::WrongType => record(&now, "[42]"),
            BadKind::NegativeTokens => record(&now, &good.replace(":7", ":-7")),
            BadKind::AbsurdTime => record("1999-12-31T23:59:59.000000Z", good),
            BadKind::Noise => noise(&mut chance),
        };
        bytes.push(b'\n');
        out.append(&mut bytes);
        Some(kind)
    }
}

/// Never a newline, which would split it, never text, and never the magic of a compressed body.
fn noise(chance: &mut Chance) -> Vec<u8> {
    let length = 16 + chance.below(48);
    std::iter::once(0xff)
        .chain((0..length).map(|_| {
            let byte = (unit(chance.bits()) * 256.0) as u8;
            if byte == b'\n' || byte == b'\r' { 0xfe } else { byte }
        }))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn event(id: usize) -> Event<'static> {
        Event {
            request_id: Cow::Owned(format!("sim-1-2-{id}")),
            started_at_us: 1_795_564_800_000_000,
            ..Event::default()
        }
    }

    #[test]
    fn bad_records_come_at_their_rate_in_all_kinds_and_alike_on_replay() {
        let corruption = Corruption::new(3, 0.1);
        let all: Vec<_> = (0..5000)
            .map(|id| {
                let mut out = Vec::new();
                let kind = corruption.after(&event(id), &mut out);
                (kind, out)
            })
            .collect();
        let bad = all.iter().filter(|(kind, _)| kind.is_some()).count();
        assert!((420..=580).contains(&bad), "{bad}");
        for kind in BadKind::ALL {
            assert!(all.iter().filter(|(found, _)| *found == Some(kind)).count() > 50, "{kind:?}");
        }
        let mut again = Vec::new();
        assert_eq!(corruption.after(&event(7), &mut again), all[7].0);
        assert_eq!(again, all[7].1);
    }

    #[test]
    fn each_kind_is_bad_in_its_own_way_on_one_line() {
        let corruption = Corruption::new(3, 1.0);
        for id in 0..500 {
            let mut out = Vec::new();
            let kind = corruption.after(&event(id), &mut out).unwrap();
            assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
            let parsed = serde_json::from_slice::<serde_json::Value>(&out);
            match kind {
                BadKind::Malformed => assert!(parsed.is_err() && std::str::from_utf8(&out).is_ok()),
                BadKind::Noise => assert!(std::str::from_utf8(&out).is_err()),
                BadKind::WrongType => assert!(parsed.unwrap()["attempts"][0].is_number()),
                BadKind::NegativeTokens => assert_eq!(parsed.unwrap()["attempts"][0]["input_tokens"], -7),
                BadKind::AbsurdTime => {
                    assert_eq!(parsed.unwrap()["started_at"], "1999-12-31T23:59:59.000000Z")
                }
            }
        }
    }
}
