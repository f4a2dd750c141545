//! Native events made by the tests themselves, each with the rows that it must become.
//!
//! Deliberately not the simulator: what a record must give is known by construction, not read back.

use serde_json::{Value, json};

/// One record as it is sent, and what must become of it.
#[derive(Clone, Debug)]
pub struct Record {
    pub key: String,
    pub value: Vec<u8>,
    /// Outcome of each row, in order. Empty for a bad record.
    pub outcomes: Vec<&'static str>,
    /// Reason of the reject. None for a good record.
    pub reject: Option<&'static str>,
}

/// A small generator with a fixed sequence for each seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number in `0..limit`.
    pub fn roll(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

const MODELS: [(&str, &str); 4] = [
    ("acme/large-1", "acme"),
    ("acme/large-1", "nimbus"),
    ("borealis/mini", "nimbus"),
    ("cobalt/coder-7b", "cobalt"),
];

/// Statuses and the outcome that the published table gives them.
const STATUSES: [(u16, &str); 8] = [
    (401, "fault"),
    (429, "rate_limited"),
    (500, "fault"),
    (503, "fault"),
    (504, "fault"),
    (400, "client_error"),
    (413, "client_error"),
    (499, "cancelled"),
];

/// 2026-03-01T00:00:00Z in seconds; events follow each other by half a second.
const FIRST_SECOND: i64 = 1_772_323_200;

pub fn instant(index: u64) -> String {
    let millis = FIRST_SECOND * 1000 + i64::try_from(index).expect("small index") * 500;
    chrono::DateTime::from_timestamp_millis(millis).expect("a time in range").to_rfc3339()
}

/// A good event with `outcomes` as its attempts.
pub fn good(index: u64, dice: &mut Dice) -> Record {
    let key = format!("req-{index:07}");
    let mut event = json!({
        "request_id": key, "started_at": instant(index), "operation": "chat", "streamed": dice.roll(2) == 0,
        "user_id": format!("user-{}", dice.roll(500)), "requested_model": "auto",
    });
    let mut outcomes = Vec::new();
    if dice.roll(50) == 0 {
        event["error_class"] = "budget".into();
        event["http_status"] = 429.into();
        event["attempts"] = json!([]);
        outcomes.push("gateway_error");
    } else {
        let failures = [0, 0, 0, 0, 0, 0, 1, 1, 2, 3][usize::try_from(dice.roll(10)).expect("small")];
        let mut attempts: Vec<Value> = Vec::new();
        for _ in 0..failures {
            let (status, outcome) = STATUSES[usize::try_from(dice.roll(8)).expect("small")];
            attempts.push(attempt(dice, status));
            outcomes.push(outcome);
        }
        // Two in three end well.
        if failures == 0 || dice.roll(3) > 0 {
            attempts.push(attempt(dice, 200));
            outcomes.push("ok");
        }
        event["attempts"] = attempts.into();
    }
    Record { key, value: event.to_string().into_bytes(), outcomes, reject: None }
}

fn attempt(dice: &mut Dice, status: u16) -> Value {
    let (model, provider) = MODELS[usize::try_from(dice.roll(4)).expect("small")];
    let served = status == 200;
    json!({
        "model": model, "provider": provider, "http_status": status,
        "duration_ms": 200 + dice.roll(9000),
        "ttft_ms": if served { json!(50 + dice.roll(150)) } else { Value::Null },
        "input_tokens": 1 + dice.roll(20_000),
        "output_tokens": if served { 1 + dice.roll(2000) } else { 0 },
        "cost_usd": if served { json!(format!("0.{:09}", dice.roll(900_000_000))) } else { Value::Null },
        "finish_reason": if served { json!("stop") } else { Value::Null },
    })
}

/// Kinds of bad records, each with the reason that the reject must give.
pub const BAD: [&str; 8] = [
    "malformed_json",
    "truncated",
    "wrong_type",
    "invalid_value",
    "time_out_of_range",
    "time_out_of_range",
    "missing_field",
    "not_utf8",
];

pub fn bad(index: u64, kind: usize, dice: &mut Dice) -> Record {
    let sound = good(index, dice);
    let mut event: Value = serde_json::from_slice(&sound.value).expect("a good event is JSON");
    let mut first = attempt(dice, 200);
    let value = match kind {
        0 => format!(r#"{{"request_id" "{}"}}"#, sound.key).into_bytes(),
        1 => {
            let mut cut = sound.value;
            cut.truncate(cut.len() / 2);
            cut
        }
        2 => {
            first["output_tokens"] = json!([12]);
            event["attempts"] = json!([first]);
            event.to_string().into_bytes()
        }
        3 => {
            first["input_tokens"] = json!(-5);
            event["attempts"] = json!([first]);
            event.to_string().into_bytes()
        }
        4 | 5 => {
            event["started_at"] =
                if kind == 4 { "1999-12-31T23:59:59Z" } else { "2400-01-01T00:00:00Z" }.into();
            event.to_string().into_bytes()
        }
        6 => {
            event.as_object_mut().expect("an object").remove("started_at");
            event.to_string().into_bytes()
        }
        _ => (0..64).map(|_| 0x80 | u8::try_from(dice.roll(128)).expect("seven bits")).collect(),
    };
    Record { key: sound.key, value, outcomes: Vec::new(), reject: Some(BAD[kind]) }
}

/// `count` records of which every sixtieth is bad, the kinds in turn.
pub fn mixed(count: u64, seed: u64) -> Vec<Record> {
    let mut dice = Dice::new(seed);
    (0..count)
        .map(|index| {
            if index % 60 == 59 {
                let kind = usize::try_from(index / 60).expect("small") % BAD.len();
                bad(index, kind, &mut dice)
            } else {
                good(index, &mut dice)
            }
        })
        .collect()
}
