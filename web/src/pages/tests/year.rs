//! A year of made-up traffic, the same at every run: enough models, providers and labels to fill each page.

use std::collections::BTreeMap;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing as rows;
use chrono::{DateTime, Days, NaiveDate, TimeDelta};
use serde_json::{Value, json};

use crate::data::Names;
use crate::data::testing::{Fixture, day, hours, sketch, users};

/// (id, name, author's name, first day counted back, size at the end, monthly growth factor, providers)
const MODELS: [(&str, &str, u64, f64, f64); 24] = [
    ("deepseek/deepseek-v3.2", "DeepSeek V3.2", 300, 13.9, 1.10),
    ("tencent/hunyuan-a13b", "Hunyuan A13B", 260, 10.6, 1.35),
    ("openai/gpt-5-mini", "GPT-5 mini", 371, 8.9, 1.04),
    ("z-ai/glm-4.6", "GLM-4.6", 200, 7.3, 1.30),
    ("xiaomi/mimo-v2-flash", "MiMo-V2 Flash", 120, 6.1, 1.60),
    ("z-ai/glm-4.5-air", "GLM-4.5 Air", 300, 4.6, 1.05),
    ("openai/gpt-5", "GPT-5", 371, 4.0, 1.02),
    ("tencent/hunyuan-turbo", "Hunyuan Turbo", 180, 3.3, 1.2),
    ("openai/gpt-oss-120b", "gpt-oss-120b", 230, 2.8, 1.12),
    ("google/gemini-2.5-flash", "Gemini 2.5 Flash", 371, 2.4, 0.92),
    ("nvidia/nemotron-nano-9b-v2", "Nemotron Nano 9B v2", 160, 2.2, 1.2),
    ("deepseek/deepseek-r1", "DeepSeek R1", 371, 1.8, 0.95),
    ("anthropic/claude-sonnet-4.5", "Claude Sonnet 4.5", 371, 1.7, 0.90),
    ("google/gemini-2.5-pro", "Gemini 2.5 Pro", 371, 1.3, 0.9),
    ("meta/llama-4-maverick", "Llama 4 Maverick", 371, 1.2, 1.0),
    ("anthropic/claude-haiku-4.5", "Claude Haiku 4.5", 371, 1.1, 0.93),
    ("qwen/qwen3-coder", "Qwen3 Coder", 220, 0.9, 1.05),
    ("moonshotai/kimi-k2", "Kimi K2", 250, 0.9, 1.0),
    ("x-ai/grok-4-fast", "Grok 4 Fast", 371, 0.8, 0.80),
    ("x-ai/grok-code-fast-1", "Grok Code Fast 1", 371, 0.5, 0.74),
    ("minimax/minimax-m2", "MiniMax M2", 140, 0.7, 1.1),
    ("mistralai/mistral-small-3.2", "Mistral Small 3.2", 371, 0.6, 1.0),
    ("microsoft/phi-4", "Phi-4", 371, 0.5, 0.98),
    ("arcee-ai/trinity-mini", "Trinity Mini", 5, 0.2, 1.0),
];

/// (id, name, uptime in 0.1 ‰ off, ms of a median first token)
const PROVIDERS: [(&str, &str, u64, u32); 12] = [
    ("deepseek", "DeepSeek", 6, 612),
    ("siliconflow", "SiliconFlow", 38, 884),
    ("deepinfra", "DeepInfra", 9, 412),
    ("novita", "Novita", 113, 971),
    ("azure", "Azure", 3, 702),
    ("fireworks", "Fireworks", 12, 468),
    ("together", "Together", 30, 533),
    ("harbour", "Harbour", 320, 1_204),
    ("groq", "Groq", 19, 296),
    ("nebius", "Nebius", 7, 655),
    ("larkspur", "Larkspur", 900, 3_912),
    ("tern", "Tern", 20, 800),
];

pub(super) const MODEL: &str = MODELS[0].0;
pub(super) const PROVIDER: &str = PROVIDERS[7].0;

pub(super) fn names() -> Names {
    let authors = [
        ("deepseek", "DeepSeek"),
        ("openai", "OpenAI"),
        ("tencent", "Tencent"),
        ("z-ai", "Z.ai"),
        ("google", "Google"),
        ("xiaomi", "Xiaomi"),
        ("anthropic", "Anthropic"),
        ("nvidia", "NVIDIA"),
        ("x-ai", "xAI"),
        ("meta", "Meta"),
        ("qwen", "Qwen"),
        ("moonshotai", "Moonshot AI"),
        ("minimax", "MiniMax"),
        ("mistralai", "Mistral"),
        ("microsoft", "Microsoft"),
        ("arcee-ai", "Arcee AI"),
    ];
    let owned = |(id, name): (&str, &str)| (id.to_owned(), name.to_owned());
    Names {
        models: MODELS.iter().map(|model| owned((model.0, model.1))).collect(),
        authors: authors.into_iter().map(owned).collect(),
        providers: PROVIDERS
            .iter()
            .map(|provider| owned((provider.0, provider.1)))
            .collect::<BTreeMap<_, _>>(),
    }
}

/// A number from 0 to 1 that depends on its inputs only.
fn noise(a: u64, b: u64) -> f64 {
    let mut x = a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    x ^= x >> 31;
    x = x.wrapping_mul(0xff51_afd7_ed55_8ccd);
    x ^= x >> 33;
    (x % 10_000) as f64 / 10_000.0
}

/// Providers of a model, the first carries half.
fn serving(model: usize) -> Vec<(usize, f64)> {
    let count = if model == 0 { 12 } else { [6, 2, 1, 4, 1, 3, 2, 1][model % 8] };
    (0..count)
        .map(|place| ((model + place * 5) % PROVIDERS.len(), 0.5f64.powi(i32::try_from(place).unwrap() + 1)))
        .collect()
}

pub(super) async fn fixture() -> Fixture {
    let fixture = Fixture::empty().await;
    let models = MODELS.map(|model| model.0);
    fixture
        .name(&[&models[..], &["nvidia/nemotron-nano-9b-v2:free"]].concat(), &PROVIDERS.map(|one| one.0))
        .await;
    fixture.append(TableId::UsageDaily, usage()).await;
    fixture.append(TableId::HealthDaily, health_days()).await;
    let buckets = buckets();
    fixture.append(TableId::HealthHourly, hours(&buckets)).await;
    fixture.append(TableId::Health5m, buckets).await;
    fixture.append(TableId::RoutingHourly, routing()).await;
    fixture.append(TableId::LabelCells, labels()).await;
    fixture
        .append(
            TableId::IntakeDaily,
            vec![json!({ "date": "2026-11-25", "source": "litellm", "rows": 99_700, "rejects": 240, "duplicates": 60 })],
        )
        .await;
    fixture.attempts(&hour()).await;
    fixture.fold(0).await;
    fixture
}

fn back(days: u64) -> NaiveDate {
    day("2026-11-25").checked_sub_days(Days::new(days)).unwrap()
}

fn usage() -> Vec<Value> {
    let weekday = [1.06, 1.06, 1.09, 1.08, 1.03, 0.85, 0.87];
    let mut rows = Vec::new();
    for days in 0..=371u64 {
        let date = back(days);
        let day_factor = weekday[chrono::Datelike::weekday(&date).num_days_from_monday() as usize];
        // The running day is half over; all traffic grew tenfold over the year.
        let part = if days == 0 { 0.5 } else { 1.0 } * 10f64.powf(-(days as f64) / 371.0);
        for (index, (id, _, since, size, growth)) in
            MODELS.iter().enumerate().filter(|(_, model)| days <= model.2)
        {
            let author = id.split('/').next().unwrap();
            let ramp = ((since - days) as f64 / 30.0 + 0.05).min(1.0);
            let trend = growth.powf(-(days as f64) / 30.0);
            let wobble = 0.85 + 0.3 * noise(index as u64, days / 4);
            let mega = size * trend * ramp * wobble * day_factor * part;
            for (provider, share) in serving(index) {
                let tokens = mega * share * 1e9;
                let requests = (tokens / 9_000.0).max(1.0).round();
                let mut row = json!({
                    "date": date.to_string(), "model_id": id, "author": author, "variant": "standard",
                    "provider_id": PROVIDERS[provider].0, "requests": requests, "requests_with_user": requests,
                    "streamed_requests": (requests * 0.8).round(), "requests_tool_call": (requests * 0.26).round(),
                    "input_tokens": (tokens * 0.93).round(), "output_tokens": (tokens * 0.07).round(),
                    "cached_input_tokens": (tokens * 0.55).round(),
                    "cost_usd": format!("{:.4}", tokens * (0.1 + 0.15 * noise(index as u64, provider as u64)) / 1e6),
                });
                if days <= 60 && share == 0.5 {
                    let first = 1 + (index as i64) * 40;
                    row["users"] = json!(users(first..=first + 60 + (size * 40.0) as i64));
                }
                rows.push(row);
            }
        }
        if days <= 250 {
            rows.push(json!({
                "date": date.to_string(), "model_id": "nvidia/nemotron-nano-9b-v2", "author": "nvidia", "variant": "free",
                "provider_id": "deepinfra", "requests": (40_000.0 * part).round(), "input_tokens": (9e8 * part).round(),
                "output_tokens": (6e7 * part).round(), "requests_with_user": (40_000.0 * part).round(),
                "unpriced_requests": (40_000.0 * part).round(), "unpriced_tokens": (9.6e8 * part).round(),
                "users": if days <= 60 { json!(users(1..=90)) } else { Value::Null },
            }));
        }
        rows.push(json!({
            "date": date.to_string(), "variant": "standard", "provider_id": "deepinfra", "requests": 40,
            "input_tokens": (2e7 * part).round(), "output_tokens": 100_000,
        }));
    }
    rows
}

/// Faults per 10,000 of a provider on a day.
fn faults(provider: usize, days: u64) -> f64 {
    let usual = PROVIDERS[provider].2 as f64 * (0.3 + 1.2 * noise(provider as u64 + 77, days));
    match (PROVIDERS[provider].0, days) {
        ("harbour", 39) => 2_870.0,
        ("harbour", 57 | 3) => 1_300.0,
        ("larkspur", 1 | 2) => 3_700.0,
        _ => usual,
    }
}

fn health_days() -> Vec<Value> {
    let mut rows = Vec::new();
    for days in 1..=92u64 {
        let date = back(days).to_string();
        for (index, (id, ..)) in MODELS.iter().enumerate().filter(|(_, model)| days <= model.2) {
            for (provider, share) in serving(index) {
                if PROVIDERS[provider].0 == "tern" && days < 7
                    || PROVIDERS[provider].0 == "harbour" && (84..=85).contains(&days)
                {
                    continue;
                }
                let attempts = (400.0 + 4_000.0 * share).round();
                let fault = (attempts * faults(provider, days) / 10_000.0).round();
                let limited = (attempts * 0.02 * noise(index as u64, provider as u64)).round();
                let mut row = json!({
                    "date": date, "model_id": id, "variant": "standard", "provider_id": PROVIDERS[provider].0,
                    "endpoint_id": format!("{}/{id}", PROVIDERS[provider].0), "attempts": attempts + limited,
                    "ok": attempts - fault, "fault": fault, "fault_server_error": (fault * 0.6).round(),
                    "fault_timeout": (fault * 0.25).round(), "fault_stream_error": fault - (fault * 0.6).round() - (fault * 0.25).round(),
                    "rate_limited": limited, "tool_finishes": 200, "tool_error_requests": 3,
                });
                if days <= 28 {
                    let base = f64::from(PROVIDERS[provider].3) * (0.9 + 0.2 * noise(days, provider as u64));
                    let spread = |factor: f64, scale: f64| {
                        (1..=120u32).map(move |step| {
                            (scale * factor * (0.4 + (f64::from(step) / 60.0).powi(3))) as u32 + 1
                        })
                    };
                    row["ttft_ms"] = json!(sketch(spread(base / 1.4, 1.0)));
                    row["tokens_per_s_decode"] =
                        json!(sketch(spread(45.0, 0.7 + 0.3 * noise(index as u64, days))));
                    row["tokens_per_s_e2e"] = json!(sketch(spread(38.0, 0.7)));
                }
                rows.push(row);
            }
        }
    }
    rows
}

fn buckets() -> Vec<Value> {
    let end: DateTime<chrono::Utc> = "2026-11-25T12:05:00Z".parse().unwrap();
    let mut rows = Vec::new();
    for bucket in 1..=288u64 {
        let at = end - TimeDelta::minutes(5 * i64::try_from(bucket).unwrap());
        for (index, (id, ..)) in MODELS.iter().enumerate().take(16) {
            for (provider, share) in serving(index).into_iter().take(if index == 0 { 12 } else { 2 }) {
                let name = PROVIDERS[provider].0;
                if name == "harbour" && (200..206).contains(&bucket) {
                    continue;
                }
                let attempts =
                    if name == "tern" { u64::from(bucket % 3 == 0) * 2 } else { 60 + (share * 200.0) as u64 };
                let per_10k = match name {
                    "larkspur" if bucket < 9 => 4_000.0,
                    "harbour" if bucket < 12 => 900.0,
                    "larkspur" => 200.0,
                    _ => PROVIDERS[provider].2 as f64 * noise(bucket, provider as u64),
                };
                let fault =
                    (attempts as f64 * per_10k / 10_000.0 + noise(bucket, index as u64) * 0.4).round() as u64;
                let fault = fault.min(attempts);
                rows.push(json!({
                    "date": at.date_naive().to_string(), "bucket_at": at.to_rfc3339(), "model_id": id, "variant": "standard",
                    "provider_id": name, "endpoint_id": format!("{name}/{id}"), "attempts": attempts, "ok": attempts - fault,
                    "fault": fault, "fault_server_error": fault,
                }));
            }
        }
    }
    rows
}

fn routing() -> Vec<Value> {
    let mut rows = Vec::new();
    for days in 1..=28u64 {
        let date = back(days).to_string();
        for (index, (id, ..)) in MODELS.iter().enumerate().take(20) {
            let requests = 40_000.0 / (index as f64 + 1.0);
            let first = (requests * (1.0 - 0.03 * noise(index as u64, 5))).round();
            let routed = (requests - (requests - first) * 0.08).round();
            let limited = (requests * 0.02).round();
            rows.push(json!({
                "date": date, "hour": format!("{date}T10:00:00Z"), "model_id": id,
                "all_requests": (requests * 1.03).round(), "attempts": (requests * 1.09).round(), "requests": requests.round(),
                "routed_ok": routed, "first_ok": first, "requests_with_rate_limits": requests.round() + limited,
                "routed_ok_with_rate_limits": routed + (limited * 0.9).round(), "first_ok_with_rate_limits": first,
            }));
        }
    }
    rows
}

fn labels() -> Vec<Value> {
    let languages = [("en", 400), ("zh", 120), ("ru", 80), ("es", 60), ("ja", 60), ("de", 40), ("th", 8)];
    let codes = ["python", "typescript", "java", "go", "rust", "none"];
    let mut rows = Vec::new();
    for week in 0..13u64 {
        let monday = day("2026-11-23").checked_sub_days(Days::new(7 * week)).unwrap().to_string();
        for (place, (nl, people)) in languages.iter().enumerate() {
            for user in 0..*people {
                let draw = |salt: u64| noise(salt * 1_000 + place as u64 * 31 + week, user);
                let code = codes[((draw(1) * draw(1) * 6.0) as usize).min(5)];
                let model = MODELS[((draw(2) * draw(3) * 14.0) as usize + place) % 14].0;
                let tokens = 200.0 + (draw(4) * 40.0).powi(2);
                let n = 1 + (draw(5) * 3.0) as u64;
                rows.push(json!({
                    "week": monday, "nl": nl, "nl_src": "rule:1", "code_in": "none", "code_in_src": "rule:1",
                    "code_out": code, "code_out_src": "fence", "cat": "unclassified", "cat_src": "rule:1",
                    "model_id": model, "user_key": place as u64 * 1_000 + user + 1, "n": n, "sum_w": n as f64,
                    "sum_wt": n as f64 * tokens, "sum_wt2": n as f64 * tokens * tokens,
                    "sum_w_ok": if draw(6) < 0.03 { 0.0 } else { n as f64 },
                }));
            }
        }
    }
    rows
}

fn hour() -> Vec<AttemptRow<'static>> {
    let newest: DateTime<chrono::Utc> = "2026-11-25T12:07:20Z".parse().unwrap();
    let ids: Vec<&'static str> = (0..4_000).map(|n| &*Box::leak(format!("e{n}").into_boxed_str())).collect();
    ids.iter()
        .zip(0u64..)
        .map(|(id, n)| {
            let back = (noise(n, 9) * 3_590.0 * 1e6) as i64;
            let started_at = newest.timestamp_micros() - back;
            let fault = noise(n, 4) < 0.01;
            AttemptRow {
                started_at,
                ingested_at: started_at,
                outcome: if fault { "fault" } else { "ok" },
                error_class: fault.then_some("timeout"),
                input_tokens: Some(4_000 + (noise(n, 2) * 20_000.0) as i64),
                model_id: Some(MODELS[(noise(n, 3) * 24.0) as usize].0),
                ..rows::attempt(id)
            }
        })
        .collect()
}
