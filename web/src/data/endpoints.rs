//! One model at one provider: every figure of the providers table in one place, for page, files and API.

use super::counts::Counts;
use super::dictionary::{ModelId, ProviderId};
use super::figure::Figure;
use super::health::{Scope, Span, Status};
use super::speed::{Quantiles, Speed};
use super::usage::{Filter, Group, GroupBy, Totals};
use super::{Dataset, Window};

#[derive(Clone, Debug)]
pub struct ModelProvider {
    pub provider: ProviderId,
    pub status: Status,
    /// Over the newest 5 minutes, 24 hours, and 28 complete days.
    pub minutes_5: Counts,
    pub hours_24: Counts,
    pub days_28: Counts,
    pub uptime_5m: Figure<f64>,
    pub uptime_24h: Figure<f64>,
    pub uptime_28d: Figure<f64>,
    /// Speed over the span that was asked for.
    pub ttft: Figure<Quantiles>,
    pub duration: Figure<Quantiles>,
    pub tokens_e2e: Figure<Quantiles>,
    pub tokens_decode: Figure<Quantiles>,
    /// Served traffic in the window that was asked for.
    pub totals: Totals,
    /// Share of the model's tokens in the window, 0 to 1.
    pub share: Option<f64>,
}

impl Dataset {
    /// Providers of a model, most tokens in the window first.
    pub fn model_providers(&self, model: ModelId, window: Window, speed: Span) -> Vec<ModelProvider> {
        let totals = self.totals(window, GroupBy::Provider, &Filter::model(model));
        let all: u64 = totals.iter().fold(0, |sum, (_, totals)| sum.saturating_add(totals.tokens()));
        let mut providers = self.providers_of(model);
        for (group, _) in &totals {
            if let Group::Provider(id) = group
                && !id.is_unknown()
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
                let own = own.unwrap_or_default();
                let minutes_5 = self.health(scope, Span::Minutes5);
                let hours_24 = self.health(scope, Span::Hours24);
                let days_28 = self.health(scope, Span::Days28);
                ModelProvider {
                    provider,
                    status: self.status(scope),
                    uptime_5m: minutes_5.uptime(&self.thresholds),
                    uptime_24h: hours_24.uptime(&self.thresholds),
                    uptime_28d: days_28.uptime(&self.thresholds),
                    minutes_5,
                    hours_24,
                    days_28,
                    ttft: self.speed(scope, speed, Speed::Ttft),
                    duration: self.speed(scope, speed, Speed::Duration),
                    tokens_e2e: self.speed(scope, speed, Speed::TokensE2e),
                    tokens_decode: self.speed(scope, speed, Speed::TokensDecode),
                    totals: own,
                    share: (all > 0).then(|| own.tokens() as f64 / all as f64),
                }
            })
            .collect();
        rows.sort_by(|a, b| {
            let name = |row: &ModelProvider| self.dictionary.provider(row.provider).to_owned();
            b.totals.tokens().cmp(&a.totals.tokens()).then_with(|| name(a).cmp(&name(b)))
        });
        rows
    }
}
