//! The requests of a minute.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use bellwether_ingest::event::{Event, Failure, Identity};
use chrono::NaiveDate;

use crate::apps::Apps;
use crate::calibration as cal;
use crate::calls::{Caller, Load, Request};
use crate::chance::{Chance, pick};
use crate::outages::{Outage, Outages};
use crate::people::{People, Person, push_number};
use crate::population::{Endpoint, Model, Population};
use crate::regimes::{Regime, RegimeKind, Regimes};
use crate::roster::Kind;
use crate::shape::{DAYS_AFTER, Shape};
use crate::texts::{TextMode, TextPlan, Texter};

/// What the traffic depends on, and all it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub seed: u64,
    /// Attempts in the calibrated year, about.
    pub attempts_per_year: u64,
    /// Last day of the calibrated year. Days after it go on with its shares and grow slightly.
    pub end: NaiveDate,
    /// What happens besides, and when.
    pub regimes: Vec<Regime>,
}

impl Config {
    /// The default size with a seed of its own.
    pub fn new(end: NaiveDate) -> Self {
        Self { seed: 42, attempts_per_year: cal::ATTEMPTS_PER_YEAR, end, regimes: Vec::new() }
    }
}

/// A pure function from a minute to its requests.
pub struct Simulator {
    config: Config,
    population: Population,
    shape: Shape,
    people: People,
    outages: Outages,
    texter: Texter,
    apps: &'static Apps,
    caller: Caller,
    regimes: Regimes,
    id_prefix: String,
}

/// What is decided about a request before its ids can be borrowed.
struct Draft {
    offset_us: u32,
    user: u32,
    user_known: bool,
    model: usize,
    agentic: bool,
    id: std::ops::Range<usize>,
    session: std::ops::Range<usize>,
}

const MINUTE_US: i64 = 60_000_000;

/// Half of the requests belong to sessions within an hour: of five turns in the mean, many of one or two, and at
/// the demo's size a few of more than fifty.
const IN_SESSION: f64 = 0.5;
const TURNS: f64 = 5.0;

impl Simulator {
    pub fn new(config: Config) -> Self {
        let Config { seed, attempts_per_year, end, .. } = config;
        let end_day = i64::from(end.to_epoch_days());
        let population = Population::new(seed);
        let shape = Shape::new(seed, end_day, attempts_per_year, &population);
        let days = cal::DAYS_PER_YEAR + DAYS_AFTER;
        let regimes = Regimes::new(seed, config.regimes.clone(), &population);
        let outages = Outages::new(seed, shape.first_day(), days, &population, regimes.outages(&population));
        Self {
            id_prefix: format!("sim-{seed:x}-"),
            people: People::new(seed, days),
            outages,
            regimes,
            texter: Texter::new(seed),
            apps: Apps::shared(),
            caller: Caller::new(),
            config,
            population,
            shape,
        }
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// First minute of the calibrated year.
    pub fn first_minute(&self) -> i64 {
        self.shape.first_day() * 1440
    }

    /// First minute after the calibrated year.
    pub fn end_minute(&self) -> i64 {
        self.first_minute() + cal::DAYS_PER_YEAR * 1440
    }

    pub fn models(&self) -> &[Model] {
        &self.population.models
    }

    pub fn endpoints(&self) -> &[Endpoint] {
        &self.population.endpoints
    }

    /// Outages that touch `[from, to)`, minutes since the epoch.
    pub fn outages(&self, from: i64, to: i64) -> impl Iterator<Item = &Outage> {
        self.outages.between(from, to)
    }

    /// Requests that a minute is expected to hold.
    pub fn expected_requests(&self, unix_minute: i64) -> f64 {
        self.shape.requests(unix_minute)
    }

    /// All requests that start in the minute, ordered by `started_at_us`.
    pub fn minute(&self, unix_minute: i64, texts: TextMode, each: &mut dyn FnMut(&Event<'_>)) {
        let active = self.regimes.active(unix_minute);
        if active.has(RegimeKind::Stop) {
            return;
        }
        let mut chance = Chance::new(&[self.config.seed, 0x3107, unix_minute as u64]);
        let expected = self.shape.requests(unix_minute);
        let count = chance.poisson(expected);
        let mut ids = String::with_capacity(count as usize * 48);
        let drafts = self.draft(unix_minute, expected, count, &mut chance, &mut ids);
        let load = self.load(unix_minute);

        let mut event = Event { source: Cow::Borrowed("native"), ..Event::default() };
        event.attempts.reserve(cal::MAX_ATTEMPTS);
        for (index, draft) in drafts.iter().enumerate() {
            let Some((model, person)) =
                self.population.models.get(draft.model).zip(self.people.get(draft.user))
            else {
                continue;
            };
            event.request_id = Cow::Borrowed(ids.get(draft.id.clone()).unwrap_or_default());
            event.session_id = ids.get(draft.session.clone()).filter(|id| !id.is_empty()).map(Cow::Borrowed);
            event.started_at_us = unix_minute * MINUTE_US + i64::from(draft.offset_us);
            self.fill(&mut event, draft, model, person, &load, &mut chance);
            self.regimes.bend(active, &mut event);
            event.texts = if model.row.kind != Kind::Embeds
                && !event.attempts.is_empty()
                && self.texter.carried(texts, unix_minute, index as u32)
            {
                let language = if event.user.is_some() { person.language } else { 0 };
                let app = event.app_id.as_deref().unwrap_or_default();
                let plan = self.texter.plan(unix_minute, index as u32, language, app);
                Some(self.texter.write(&plan, answered(&event)))
            } else {
                None
            };
            each(&event);
        }
    }

    /// The share of counted calls to an endpoint that are expected to succeed during a minute.
    pub fn expected_uptime(&self, endpoint: usize, unix_minute: i64) -> f64 {
        let load = self.load(unix_minute);
        self.population.endpoints.get(endpoint).map_or(0.0, |e| load.rates(endpoint, e).uptime())
    }

    pub(crate) fn regimes(&self) -> &Regimes {
        &self.regimes
    }

    /// Minutes after its request at which a record is written, where records are late.
    pub fn delay_minutes(&self, event: &Event<'_>) -> i64 {
        if self.regimes.all().is_empty() {
            return 0;
        }
        self.regimes.delay_minutes(self.minute_of(event), &event.request_id)
    }

    /// Minutes between a record and its double, where there is one.
    pub fn doubled_after(&self, event: &Event<'_>) -> Option<i64> {
        if self.regimes.all().is_empty() {
            return None;
        }
        self.regimes.doubled_after(self.minute_of(event), &event.request_id)
    }

    /// The minute in which a request was made, whatever its clock said.
    pub(crate) fn minute_of(&self, event: &Event<'_>) -> i64 {
        let by_id = self.place(&event.request_id).map(|(minute, _)| minute);
        by_id.unwrap_or_else(|| event.started_at_us.div_euclid(MINUTE_US))
    }

    /// Minute and number of one of this simulator's requests.
    fn place(&self, request_id: &str) -> Option<(i64, u32)> {
        let (minute, index) = request_id.strip_prefix(self.id_prefix.as_str())?.split_once('-')?;
        Some((minute.parse().ok()?, index.parse().ok()?))
    }

    /// Requests that would have come during `[from, to)` without any regime.
    pub(crate) fn usual_requests(&self, from: i64, to: i64) -> f64 {
        (from..to).map(|minute| self.shape.requests(minute)).sum()
    }

    pub(crate) fn load(&self, unix_minute: i64) -> Load {
        Load::new(&self.population.endpoints, self.outages.during(unix_minute))
    }

    /// What a perfect labeller would say about the texts of an event of this simulator, whose user id is
    /// still as it came. None for a request that is not of this simulator.
    pub fn text_plan(&self, event: &Event<'_>) -> Option<TextPlan> {
        let (minute, index) = self.place(&event.request_id)?;
        let language = match &event.user {
            Some(Identity::Raw(name)) => self.people.get(name.strip_prefix('u')?.parse().ok()?)?.language,
            Some(Identity::Key(_)) => return None,
            None => 0,
        };
        let app = event.app_id.as_deref().unwrap_or_default();
        Some(self.texter.plan(minute, index, language, app))
    }

    fn draft(
        &self,
        minute: i64,
        expected: f64,
        count: u32,
        chance: &mut Chance,
        ids: &mut String,
    ) -> Vec<Draft> {
        let mut offsets: Vec<u32> = (0..count).map(|_| chance.below(MINUTE_US as u32)).collect();
        offsets.sort_unstable();
        let mut prefix = self.id_prefix.clone();
        push_number(&mut prefix, minute.unsigned_abs());
        prefix.push('-');
        let day = self.shape.day(minute);
        let hour = minute.div_euclid(60);
        let mix = self.shape.mix(minute);
        let slots = (expected * 60.0 * IN_SESSION / TURNS).clamp(1.0, 1e9);

        let mut drafts = Vec::with_capacity(offsets.len());
        for (index, offset_us) in offsets.into_iter().enumerate() {
            let from = ids.len();
            ids.push_str(&prefix);
            push_number(ids, index as u64);
            let id = from..ids.len();

            let mut session = None;
            if chance.happens(IN_SESSION) {
                let at = chance.unit();
                let slot = (at * at * at.sqrt() * slots) as u64;
                session = Some((slot, Chance::new(&[self.config.seed, 0x5e55, hour as u64, slot])));
            }
            // All turns of a session are of one user, model and kind: the same draws each time.
            let dice = match &mut session {
                Some((_, of_session)) => of_session,
                None => &mut *chance,
            };
            let user = self.people.draw(day, dice);
            let habit =
                if dice.happens(cal::USER_HABIT) { self.people.habit(user, day) } else { dice.unit() };
            let model = pick(mix, habit);
            let agentic = self.population.models.get(model).is_some_and(|model| dice.happens(model.agentic));
            if let Some((slot, _)) = session {
                ids.push('s');
                push_number(ids, hour.unsigned_abs());
                ids.push('-');
                push_number(ids, slot);
            }
            let mut session = id.end..ids.len();
            let (mut user, mut model, drawn) = (user, model, user);
            self.regimes.redirect(minute, index as u32, &mut user, &mut model);
            if user != drawn {
                session = id.end..id.end;
            }
            let user_known = chance.happens(cal::USER_KNOWN);
            drafts.push(Draft { offset_us, user, user_known, model, agentic, id, session });
        }
        drafts
    }

    fn fill<'a>(
        &'a self,
        event: &mut Event<'a>,
        draft: &Draft,
        model: &'a Model,
        person: &Person,
        load: &Load,
        chance: &mut Chance,
    ) {
        let agentic = draft.agentic;
        let chat = model.row.kind != Kind::Embeds;
        let request = Request {
            model,
            agentic,
            continent: person.continent,
            started_at_us: event.started_at_us,
            streamed: chat
                && model.row.kind != Kind::Batch
                && chance.happens(if agentic { 0.92 } else { 0.80 }),
        };
        event.operation = Some(Cow::Borrowed(if chat { "chat" } else { "embeddings" }));
        event.streamed = chat.then_some(request.streamed);
        let auto = chat && chance.happens(0.04);
        event.requested_model = Some(Cow::Borrowed(if auto { "auto" } else { model.name }));
        event.user = draft.user_known.then(|| Identity::Raw(Cow::Borrowed(self.people.name(draft.user))));
        event.app_id = self.apps.name(person.apps[usize::from(!agentic)]).map(Cow::Borrowed);
        event.country = Some(Cow::Borrowed(person.country));
        event.tools_offered = match (chat, agentic) {
            (true, true) => Some(5 + chance.below(20) as i32),
            (true, false) => Some(if chance.happens(0.2) { 1 + chance.below(3) as i32 } else { 0 }),
            (false, _) => None,
        };
        let sees = model.row.kind == Kind::Sees && chance.happens(0.08);
        event.input_images = chat.then(|| if sees { 1 + chance.below(3) as i32 } else { 0 });
        event.structured_requested = chat.then(|| !agentic && chance.happens(0.06));

        event.attempts.clear();
        event.failure = None;
        if chance.happens(cal::GATEWAY_ERROR) {
            event.failure = Some(refusal(chance));
            if event
                .failure
                .as_ref()
                .is_some_and(|failure| failure.error_class.as_deref() == Some("unknown_model"))
            {
                event.requested_model = Some(Cow::Borrowed("gpt-9-preview"));
            }
        } else {
            self.caller.call(&request, &self.population, load, chance, &mut event.attempts);
        }
        let rerouted = event.attempts.len() > 1;
        event.router = Some(Cow::Borrowed(match (auto, rerouted) {
            (true, _) => "auto",
            (false, true) => "fallback",
            (false, false) => "direct",
        }));
        if event.structured_requested == Some(true)
            && let Some(last) = event.attempts.last_mut()
            && last.outcome.as_deref() == Some("ok")
        {
            last.structured_valid = Some(!chance.happens(0.015));
        }
    }
}

fn answered(event: &Event<'_>) -> bool {
    event.attempts.last().is_some_and(|last| last.output_tokens.is_some_and(|tokens| tokens > 0))
}

/// The router's own refusals: nothing reached a provider.
fn refusal(chance: &mut Chance) -> Failure<'static> {
    let (class, status) = match chance.below(10) {
        0..=3 => ("gateway_auth", 401),
        4 | 5 => ("unknown_model", 404),
        6 | 7 => ("budget", 402),
        8 => ("guardrail", 403),
        _ => ("gateway_internal", 500),
    };
    Failure { error_class: Some(Cow::Borrowed(class)), http_status: Some(status) }
}
