//! What a simulated month holds, in the terms of the published figures.

use std::collections::{BTreeMap, HashMap};

use bellwether_ingest::event::{Attempt, Event};

use crate::traffic::Simulator;
use crate::{Config, TextMode};

/// The days that are counted; concentration and shares are those of the last seven.
pub const DAYS: i64 = 28;
const WEEK: i64 = 7;

#[derive(Clone, Copy, Default)]
pub struct Usage {
    pub requests: f64,
    pub input: f64,
    pub output: f64,
    pub cached: f64,
    pub tool_calls: f64,
}

impl Usage {
    pub fn tokens(&self) -> f64 {
        self.input + self.output
    }

    fn add(&mut self, attempt: &Attempt<'_>) {
        self.requests += 1.0;
        self.input += attempt.input_tokens.unwrap_or(0) as f64;
        self.output += attempt.output_tokens.unwrap_or(0) as f64;
        self.cached += attempt.cached_input_tokens.unwrap_or(0) as f64;
        self.tool_calls += f64::from(attempt.tool_calls.unwrap_or(0));
    }

    pub fn merge(&mut self, more: &Self) {
        self.requests += more.requests;
        self.input += more.input;
        self.output += more.output;
        self.cached += more.cached;
        self.tool_calls += more.tool_calls;
    }
}

#[derive(Clone, Copy, Default)]
pub struct Outcomes {
    pub all: f64,
    pub good: f64,
    pub fault: f64,
    pub limited: f64,
}

#[derive(Default)]
pub struct Speeds {
    pub ttft: Vec<f64>,
    pub throughput: Vec<f64>,
}

#[derive(Clone, Default)]
pub struct Session {
    pub turns: u32,
    pub cost: f64,
}

#[derive(Default)]
pub struct Sample {
    /// By variant row, over the last week.
    pub week: BTreeMap<String, Usage>,
    /// By variant row and day of the month.
    pub days: Vec<HashMap<String, Usage>>,
    pub requests: f64,
    pub agents: Usage,
    pub talk: Usage,
    /// Requests by context: up to 1 K, 10 K, 100 K tokens of input, and above.
    pub buckets: [f64; 4],
    pub providers: BTreeMap<String, Usage>,
    pub endpoints: HashMap<String, Outcomes>,
    /// Of the last day only.
    pub endpoints_of_day: HashMap<String, Outcomes>,
    pub speeds: HashMap<String, Speeds>,
    pub overhead: Vec<f64>,
    pub languages: BTreeMap<&'static str, f64>,
    pub countries: BTreeMap<String, f64>,
    pub apps: BTreeMap<String, Usage>,
    /// English requests with code, and those of them in Python.
    pub code: [f64; 2],
    /// Tokens of requests with code, in any language.
    pub code_tokens: f64,
    pub sessions: HashMap<String, Session>,
    pub refused: f64,
    pub cancelled: f64,
    pub billed_after_cancel: f64,
    pub with_images: f64,
}

impl Sample {
    /// The last month of a year.
    pub fn new(simulator: &Simulator) -> Self {
        let (end, minutes) = (simulator.end_minute(), DAYS * 1440);
        let mut sample = Self { days: vec![HashMap::new(); DAYS as usize], ..Self::default() };
        for minute in end - minutes..end {
            let day = DAYS - 1 - (end - 1 - minute) / 1440;
            simulator.minute(minute, TextMode::None, &mut |event| sample.observe(simulator, day, event));
        }
        sample
    }

    /// Served tokens of a week that begins with a minute.
    pub fn tokens_of_week(simulator: &Simulator, from: i64) -> f64 {
        let mut usage = Usage::default();
        for minute in from..from + WEEK * 1440 {
            simulator.minute(minute, TextMode::None, &mut |event| {
                event.attempts.iter().filter(|attempt| is_served(attempt)).for_each(|a| usage.add(a));
            });
        }
        usage.tokens()
    }

    fn observe(&mut self, simulator: &Simulator, day: i64, event: &Event<'_>) {
        self.requests += 1.0;
        self.with_images += f64::from(u8::from(event.input_images.is_some_and(|images| images > 0)));
        for attempt in &event.attempts {
            self.observe_health(day, attempt);
        }
        let Some(last) = event.attempts.last() else { return };
        self.overhead.extend(last.overhead_us.map(|us| f64::from(us) / 1000.0));
        if last.outcome.as_deref() == Some("cancelled") {
            self.cancelled += 1.0;
            self.billed_after_cancel += f64::from(u8::from(last.billed_output_tokens > last.output_tokens));
        }
        if !is_served(last) {
            return;
        }
        self.refused += f64::from(u8::from(last.refused == Some(true)));
        let model = last.model.as_deref().unwrap_or_default();
        if let Some(models) = self.days.get_mut(day as usize) {
            slot(models, model).add(last);
        }
        if day >= DAYS - WEEK {
            self.week.entry(model.to_owned()).or_default().add(last);
        }
        let input = last.input_tokens.unwrap_or(0);
        let bucket = [1_000, 10_000, 100_000].iter().take_while(|bound| input > **bound).count();
        self.buckets[bucket] += 1.0;
        // Agents offer five tools or more, people at most three.
        let kind = if event.tools_offered >= Some(5) { &mut self.agents } else { &mut self.talk };
        kind.add(last);
        let tokens = (input + last.output_tokens.unwrap_or(0)) as f64;
        *self.countries.entry(event.country.as_deref().unwrap_or_default().to_owned()).or_default() += tokens;
        self.apps.entry(event.app_id.as_deref().unwrap_or_default().to_owned()).or_default().add(last);
        if let Some(plan) = simulator.text_plan(event) {
            *self.languages.entry(plan.language).or_default() += tokens;
            self.code_tokens += if plan.code.is_some() { tokens } else { 0.0 };
            if plan.language == "en"
                && let Some(code) = plan.code
            {
                self.code[0] += 1.0;
                self.code[1] += f64::from(u8::from(code == "python"));
            }
        }
        if let Some(id) = event.session_id.as_deref() {
            let session = self.sessions.entry(id.to_owned()).or_default();
            session.turns += 1;
            session.cost += last.cost_usd.unwrap_or(0) as f64 / 1e9;
        }
    }

    fn observe_health(&mut self, day: i64, attempt: &Attempt<'_>) {
        if attempt.gateway_cache_hit {
            return;
        }
        let endpoint = attempt.endpoint_id.as_deref().unwrap_or_default();
        let outcome = attempt.outcome.as_deref().unwrap_or_default();
        let count = |outcomes: &mut Outcomes| {
            outcomes.all += 1.0;
            match outcome {
                "fault" => outcomes.fault += 1.0,
                "rate_limited" => outcomes.limited += 1.0,
                _ if is_served(attempt) => outcomes.good += 1.0,
                _ => {}
            }
        };
        count(slot(&mut self.endpoints, endpoint));
        if day == DAYS - 1 {
            count(slot(&mut self.endpoints_of_day, endpoint));
        }
        if outcome != "ok" {
            return;
        }
        if attempt.cached_input_tokens.is_some() {
            let provider = attempt.provider.as_deref().unwrap_or_default();
            self.providers.entry(provider.to_owned()).or_default().add(attempt);
        }
        if let Some(ttft) = attempt.ttft_ms {
            let speeds = slot(&mut self.speeds, endpoint);
            speeds.ttft.push(f64::from(ttft));
            let decode = f64::from(attempt.duration_ms.unwrap_or(0) - ttft) / 1000.0;
            let output = attempt.output_tokens.unwrap_or(0);
            if output >= 50 && decode > 0.1 {
                speeds.throughput.push((output - 1) as f64 / decode);
            }
        }
    }

    /// Usage of the last week by what a name is mapped to.
    pub fn week_by(&self, name: impl Fn(&str) -> &str) -> BTreeMap<&str, Usage> {
        let mut sums: BTreeMap<&str, Usage> = BTreeMap::new();
        for (row, usage) in &self.week {
            let of: &str = row;
            let at = name(of).len();
            sums.entry(&of[..at]).or_default().merge(usage);
        }
        sums
    }
}

fn slot<'m, T: Default>(map: &'m mut HashMap<String, T>, name: &str) -> &'m mut T {
    map.entry(name.to_owned()).or_default()
}

fn is_served(attempt: &Attempt<'_>) -> bool {
    match attempt.outcome.as_deref() {
        Some("ok") => true,
        Some("cancelled") => attempt.output_tokens.is_some_and(|tokens| tokens > 0),
        _ => false,
    }
}

pub fn simulator() -> Simulator {
    let end = chrono::NaiveDate::from_ymd_opt(2026, 11, 25).expect("a date");
    Simulator::new(Config::new(end))
}
