//! Things that happen to a market, switched on for a period, each told in the answer sheet. They bend requests that
//! were drawn as on any other day, so that a simulator without them gives the same bytes as before.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::str::FromStr;

use bellwether_ingest::event::{Attempt, Event, Identity};

use crate::calibration as cal;
use crate::chance::{hash, hash_name, unit};
use crate::outages::{Cause, Outage};
use crate::population::Population;

/// A period `[from_minute, to_minute)`, minutes since the epoch, by the start of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regime {
    pub kind: RegimeKind,
    pub from_minute: i64,
    pub to_minute: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RegimeKind {
    /// Nine calls of ten to one provider fail.
    Outage,
    /// One provider answers slowly and fails no more than before.
    Slow,
    /// One model costs half, and gets more requests for it.
    PriceCut,
    /// Six models that nobody called before take a tenth of the requests. They stay after the period.
    LaunchBurst,
    /// One user sends a quarter of all requests.
    HeavyUser,
    /// Tool calls of one provider cannot be parsed, while its calls succeed.
    BrokenTools,
    /// Every fifth record is written hours after its request.
    Late,
    /// Every twentieth record is written twice.
    Duplicates,
    /// One router of ten has a clock that is ahead.
    ClockSkew,
    /// One app sends no user ids.
    NoUserIds,
    /// One model has another name.
    Rename,
    /// Nothing comes.
    Stop,
}

/// Only invented names may look bad.
const DOWN: &str = "larkspur";
const SLOW: &str = "harbour";
const BROKEN: &str = "wren-cloud";
const CHEAPER: &str = "deepseek/deepseek-v3.2";
const LAUNCHED: [&str; 6] = [
    "z-ai/glm-5.2",
    "qwen/qwen3.7-max",
    "minimax/minimax-m3",
    "anthropic/claude-sonnet-5",
    "moonshotai/kimi-k2.7-code",
    "x-ai/grok-4.3",
];
const HEAVY: u32 = 7;
const ANONYMOUS: &str = "open-webui";
const OLD_NAME: &str = "openai/gpt-5-mini";
const NEW_NAME: &str = "openai/gpt-5-mini-2";

const DOWN_SEVERITY: f64 = 0.9;
/// Time to the first token and per further token, over what they were.
const SLOWNESS: i32 = 5;
/// Rankings: a price that falls by a tenth brings 1.8 to 4.9 % more requests; a half then brings about a quarter.
const CHEAPER_GAIN: f64 = 0.25;
const LAUNCH_SHARE: f64 = 0.10;
const HEAVY_SHARE: f64 = 0.25;
const BROKEN_SHARE: f64 = 0.7;
const LATE_SHARE: f64 = 0.2;
const LATE_MINUTES: (f64, f64) = (60.0, 30.0 * 60.0);
const DOUBLED_SHARE: f64 = 0.05;
const SKEWED_SHARE: f64 = 0.1;
const SKEW_MINUTES: i64 = 9;

impl RegimeKind {
    pub const ALL: [Self; 12] = [
        Self::Outage,
        Self::Slow,
        Self::PriceCut,
        Self::LaunchBurst,
        Self::HeavyUser,
        Self::BrokenTools,
        Self::Late,
        Self::Duplicates,
        Self::ClockSkew,
        Self::NoUserIds,
        Self::Rename,
        Self::Stop,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Outage => "outage",
            Self::Slow => "slow",
            Self::PriceCut => "price-cut",
            Self::LaunchBurst => "launch-burst",
            Self::HeavyUser => "heavy-user",
            Self::BrokenTools => "broken-tools",
            Self::Late => "late",
            Self::Duplicates => "duplicates",
            Self::ClockSkew => "clock-skew",
            Self::NoUserIds => "no-user-ids",
            Self::Rename => "rename",
            Self::Stop => "stop",
        }
    }

    /// Whom it is about: a provider, models, a user, an app; nothing where it is about the records.
    pub fn subject(self) -> String {
        match self {
            Self::Outage => DOWN.to_owned(),
            Self::Slow => SLOW.to_owned(),
            Self::BrokenTools => BROKEN.to_owned(),
            Self::PriceCut => CHEAPER.to_owned(),
            Self::LaunchBurst => LAUNCHED.join(" "),
            Self::HeavyUser => format!("u{HEAVY}"),
            Self::NoUserIds => ANONYMOUS.to_owned(),
            Self::Rename => format!("{OLD_NAME} {NEW_NAME}"),
            Self::Late | Self::Duplicates | Self::ClockSkew | Self::Stop => String::new(),
        }
    }

    /// How strong it is: the share of calls, requests or records it is meant for, the factor of a price or a time,
    /// or minutes that a clock is ahead.
    pub fn strength(self) -> f64 {
        match self {
            Self::Outage => DOWN_SEVERITY,
            Self::Slow => f64::from(SLOWNESS),
            Self::PriceCut => 0.5,
            Self::LaunchBurst => LAUNCH_SHARE,
            Self::HeavyUser => HEAVY_SHARE,
            Self::BrokenTools => BROKEN_SHARE,
            Self::Late => LATE_SHARE,
            Self::Duplicates => DOUBLED_SHARE,
            Self::ClockSkew => SKEW_MINUTES as f64,
            Self::NoUserIds | Self::Rename | Self::Stop => 1.0,
        }
    }
}

impl FromStr for RegimeKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|kind| kind.name()).collect();
            format!("no regime `{name}`; there are {}", names.join(", "))
        })
    }
}

/// The regimes of a simulator, with their models looked up.
pub(crate) struct Regimes {
    seed: u64,
    all: Vec<Regime>,
    launched: Vec<usize>,
    cheaper: usize,
}

/// Kinds that hold during a minute.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Active(u16);

impl Active {
    pub(crate) fn has(self, kind: RegimeKind) -> bool {
        self.0 & (1 << kind as u16) != 0
    }
}

impl Regimes {
    pub(crate) fn new(seed: u64, all: Vec<Regime>, population: &Population) -> Self {
        let at = |name: &str| population.models.iter().position(|model| model.name == name);
        Self {
            seed,
            all,
            launched: LAUNCHED.iter().filter_map(|name| at(name)).collect(),
            cheaper: at(CHEAPER).unwrap_or(0),
        }
    }

    pub(crate) fn all(&self) -> &[Regime] {
        &self.all
    }

    pub(crate) fn active(&self, minute: i64) -> Active {
        let holds = |regime: &&Regime| (regime.from_minute..regime.to_minute).contains(&minute);
        Active(self.all.iter().filter(holds).fold(0, |flags, regime| flags | 1 << regime.kind as u16))
    }

    /// Outages that come on top of the schedule.
    pub(crate) fn outages(&self, population: &Population) -> Vec<Outage> {
        let regimes = self.all.iter().filter(|regime| regime.kind == RegimeKind::Outage);
        regimes
            .flat_map(|regime| {
                let of_provider = population.endpoints.iter().enumerate().filter(|(_, e)| e.provider == DOWN);
                of_provider.map(|(endpoint, _)| Outage {
                    endpoint,
                    from_minute: regime.from_minute,
                    to_minute: regime.to_minute,
                    cause: Cause::Crash,
                    severity: DOWN_SEVERITY,
                    provider_wide: true,
                })
            })
            .collect()
    }

    /// Who sends the request, and for which model, where a regime decides that.
    pub(crate) fn redirect(&self, minute: i64, index: u32, user: &mut u32, model: &mut usize) {
        if self.all.is_empty() {
            return;
        }
        let draw = |what: u64| unit(hash(&[self.seed, 0x4e91, minute as u64, u64::from(index), what]));
        let active = self.active(minute);
        let to_come = |regime: &Regime| regime.kind == RegimeKind::LaunchBurst && minute < regime.from_minute;
        if self.launched.contains(model) && self.all.iter().any(to_come) {
            *model = self.cheaper;
        }
        if active.has(RegimeKind::LaunchBurst) && draw(1) < LAUNCH_SHARE {
            let at = (draw(2) * self.launched.len() as f64) as usize;
            *model = self.launched.get(at).copied().unwrap_or(*model);
        }
        // What others would have got; the model has about 7 % of the requests.
        if active.has(RegimeKind::PriceCut) && draw(3) < CHEAPER_GAIN * 0.07 {
            *model = self.cheaper;
        }
        if active.has(RegimeKind::HeavyUser) && draw(4) < HEAVY_SHARE {
            *user = HEAVY;
        }
    }

    /// Changes a finished request; its instants are shifted last.
    pub(crate) fn bend(&self, active: Active, event: &mut Event<'_>) {
        if active.0 == 0 {
            return;
        }
        let luck = self.luck(&event.request_id, 5);
        if active.has(RegimeKind::NoUserIds) && event.app_id.as_deref() == Some(ANONYMOUS) {
            event.user = None;
        }
        if active.has(RegimeKind::Rename) && event.requested_model.as_deref() == Some(OLD_NAME) {
            event.requested_model = Some(Cow::Borrowed(NEW_NAME));
        }
        for attempt in &mut event.attempts {
            bend_attempt(active, luck, attempt);
        }
        if active.has(RegimeKind::ClockSkew) && self.is_skewed(&event.request_id) {
            let ahead_us = SKEW_MINUTES * 60_000_000;
            event.started_at_us += ahead_us;
            for at in event.attempts.iter_mut().filter_map(|attempt| attempt.started_at_us.as_mut()) {
                *at += ahead_us;
            }
        }
    }

    /// Minutes after its request at which a record is written.
    pub(crate) fn delay_minutes(&self, minute: i64, request_id: &str) -> i64 {
        let luck = self.luck(request_id, 6) / LATE_SHARE;
        if !self.active(minute).has(RegimeKind::Late) || luck >= 1.0 {
            return 0;
        }
        (LATE_MINUTES.0 + (LATE_MINUTES.1 - LATE_MINUTES.0) * luck * luck) as i64
    }

    /// Minutes between a record and its double.
    pub(crate) fn doubled_after(&self, minute: i64, request_id: &str) -> Option<i64> {
        let luck = self.luck(request_id, 7) / DOUBLED_SHARE;
        (self.active(minute).has(RegimeKind::Duplicates) && luck < 1.0).then_some((luck * 90.0) as i64)
    }

    /// How much of a regime is in a request of a minute: what [`crate::truth::RegimeTruth::affected`] counts.
    pub(crate) fn affected(&self, kind: RegimeKind, minute: i64, event: &Event<'_>) -> u64 {
        let calls = |wanted: &dyn Fn(&Attempt<'_>) -> bool| {
            event.attempts.iter().filter(|attempt| wanted(attempt)).count() as u64
        };
        let at = |attempt: &Attempt<'_>, provider: &str| attempt.provider.as_deref() == Some(provider);
        let of = |attempt: &Attempt<'_>, models: &[&str]| {
            attempt.model.as_deref().is_some_and(|name| models.contains(&name))
        };
        match kind {
            RegimeKind::Outage => calls(&|a| at(a, DOWN)),
            RegimeKind::Slow => calls(&|a| at(a, SLOW) && a.outcome.as_deref() == Some("ok")),
            RegimeKind::PriceCut => calls(&|a| of(a, &[CHEAPER]) && a.cost_usd.is_some()),
            RegimeKind::LaunchBurst => calls(&|a| of(a, &LAUNCHED)),
            RegimeKind::Rename => calls(&|a| of(a, &[NEW_NAME])),
            RegimeKind::BrokenTools => {
                let errors =
                    event.attempts.iter().filter(|a| at(a, BROKEN)).filter_map(|a| a.tool_call_errors);
                errors.filter_map(|count| u64::try_from(count).ok()).sum()
            }
            RegimeKind::HeavyUser => u64::from(is_heavy(event)),
            RegimeKind::Late => u64::from(self.delay_minutes(minute, &event.request_id) > 0),
            RegimeKind::Duplicates => u64::from(self.doubled_after(minute, &event.request_id).is_some()),
            RegimeKind::ClockSkew => u64::from(self.is_skewed(&event.request_id)),
            RegimeKind::NoUserIds => u64::from(event.app_id.as_deref() == Some(ANONYMOUS)),
            RegimeKind::Stop => 1,
        }
    }

    fn is_skewed(&self, request_id: &str) -> bool {
        self.luck(request_id, 8) < SKEWED_SHARE
    }

    fn luck(&self, request_id: &str, what: u64) -> f64 {
        unit(hash(&[self.seed, what, hash_name(request_id)]))
    }
}

/// The name under which a renamed model is logged, beside those of the population.
pub(crate) fn new_names() -> [&'static str; 1] {
    [NEW_NAME]
}

fn is_heavy(event: &Event<'_>) -> bool {
    matches!(&event.user, Some(Identity::Raw(name)) if name.strip_prefix('u') == Some(&HEAVY.to_string()))
}

fn bend_attempt(active: Active, luck: f64, attempt: &mut Attempt<'_>) {
    let is_at = |provider: &str| attempt.provider.as_deref() == Some(provider);
    let (slow, broken) = (is_at(SLOW), is_at(BROKEN));
    if active.has(RegimeKind::Slow)
        && slow
        && attempt.outcome.as_deref() == Some("ok")
        && let Some(duration) = attempt.duration_ms
    {
        let stretched = |ms: i32| ms.saturating_mul(SLOWNESS).min(cal::LONGEST_CALL_MS);
        attempt.ttft_ms = attempt.ttft_ms.map(stretched);
        attempt.duration_ms = Some(stretched(duration));
    }
    if active.has(RegimeKind::BrokenTools) && broken && luck < BROKEN_SHARE {
        attempt.tool_call_errors = attempt.tool_calls.map(|calls| calls.max(0));
    }
    if active.has(RegimeKind::PriceCut) && attempt.model.as_deref() == Some(CHEAPER) {
        halve(attempt);
    }
    if active.has(RegimeKind::Rename) && attempt.model.as_deref() == Some(OLD_NAME) {
        attempt.model = Some(Cow::Borrowed(NEW_NAME));
    }
}

fn halve(attempt: &mut Attempt<'_>) {
    let Some((input, output)) = attempt.input_cost_usd.zip(attempt.output_cost_usd) else { return };
    attempt.input_cost_usd = Some(input / 2);
    attempt.output_cost_usd = Some(output / 2);
    attempt.cost_usd = Some(input / 2 + output / 2);
}
