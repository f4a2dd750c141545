//! One model at one provider: every figure of the providers table in one place, for page, files and API.

use super::detail::Detail;
use super::dictionary::{ModelId, ProviderId};
use super::figure::Figure;
use super::group::{Filter, Group, GroupBy};
use super::health::{Period, Quantiles, Scope, Span, Speed, Status};
use super::totals::Totals;
use super::{Dataset, Window};

#[derive(Clone, Debug)]
pub struct ModelProvider {
    pub provider: ProviderId,
    pub status: Status,
    /// Over the newest 24 hours.
    pub day: Period,
    pub uptime_5m: Figure<f64>,
    pub uptime_24h: Figure<f64>,
    pub uptime_28d: Figure<f64>,
    /// Speed over the span that was asked for.
    pub ttft: Figure<Quantiles>,
    pub duration: Figure<Quantiles>,
    pub tokens_e2e: Figure<Quantiles>,
    pub tokens_decode: Figure<Quantiles>,
    /// How exactly its usage is told; shares are rounded by it already.
    pub detail: Detail,
    /// Served traffic in the window that was asked for; `None`: the model or the provider may not be named beside it.
    pub totals: Option<Totals>,
    /// Share of the model's tokens in the window, 0 to 1.
    pub share: Option<f64>,
}

impl Dataset {
    /// Providers of a model, most tokens in the window first.
    pub fn model_providers(&self, model: ModelId, window: Window, speed: Span) -> Vec<ModelProvider> {
        let totals = self.totals(window, GroupBy::Provider, Filter::Model(model));
        let all: u64 = totals.iter().fold(0, |sum, (_, totals)| sum.saturating_add(totals.tokens()));
        let mut providers = self.providers_of(model);
        for (group, _) in &totals {
            if let Group::Provider(id) = group
                && id.is_named()
                && !providers.contains(id)
            {
                providers.push(*id);
            }
        }
        let mut rows: Vec<ModelProvider> = providers
            .into_iter()
            .map(|provider| {
                let scope = Scope::pair(model, provider);
                let group = Group::Provider(provider);
                let own = totals.iter().find(|(known, _)| *known == group).map(|(_, totals)| *totals);
                // Without a gate no traffic is no traffic.
                let own = own.or_else(|| self.gate.is_open().then(Totals::default));
                let detail = self.detail(scope);
                let day = self.period(scope, Span::Hours24);
                ModelProvider {
                    provider,
                    status: self.status(scope),
                    uptime_5m: self.health(scope, Span::Minutes5).uptime(&self.thresholds),
                    uptime_24h: day.counts.uptime(&self.thresholds),
                    uptime_28d: self.health(scope, Span::Days28).uptime(&self.thresholds),
                    day,
                    ttft: self.speed(scope, speed, Speed::Ttft),
                    duration: self.speed(scope, speed, Speed::Duration),
                    tokens_e2e: self.speed(scope, speed, Speed::TokensE2e),
                    tokens_decode: self.speed(scope, speed, Speed::TokensDecode),
                    share: detail.share(own.filter(|_| all > 0).map(|own| own.tokens() as f64 / all as f64)),
                    detail,
                    totals: own,
                }
            })
            .collect();
        rows.sort_by(|a, b| {
            let name = |row: &ModelProvider| self.dictionary.provider(row.provider).to_owned();
            let size = |row: &ModelProvider| row.totals.map_or(0, |totals| totals.tokens());
            size(b).cmp(&size(a)).then_with(|| name(a).cmp(&name(b)))
        });
        rows
    }
}
