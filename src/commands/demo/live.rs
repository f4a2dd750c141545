//! Live traffic: each minute's simulated requests, sent to the HTTP intake as a router would, when they end.

use std::collections::BTreeMap;
use std::time::Duration;

use bellwether_simulate::{Simulator, TextMode, write_line};
use chrono::Utc;
use tokio_util::sync::CancellationToken;

use super::history::ended_at_us;

/// How often what is due is sent.
const TICK: Duration = Duration::from_secs(1);
const MINUTE_US: i64 = 60_000_000;

/// Sends every request that starts in `first_minute` or later, until the signal.
pub async fn run(
    simulator: &Simulator,
    texts: TextMode,
    intake_url: &str,
    first_minute: i64,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
    let mut due = Due::default();
    let mut next_minute = first_minute;
    loop {
        let now_us = Utc::now().timestamp_micros();
        while next_minute * MINUTE_US <= now_us {
            due.generate(simulator, texts, next_minute);
            next_minute += 1;
        }
        let body = due.up_to(now_us);
        if !body.is_empty()
            && let Err(error) = send(&client, intake_url, &body).await
        {
            // Kept and sent again: the intake recognises what it already has.
            tracing::warn!(error = %error, "live traffic was not accepted; sending it again");
            due.put_back(now_us, body);
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = shutdown.cancelled() => return Ok(()),
        }
    }
}

async fn send(client: &reqwest::Client, url: &str, body: &[u8]) -> anyhow::Result<()> {
    let response =
        client.post(url).header("content-type", "application/x-ndjson").body(body.to_vec()).send().await?;
    anyhow::ensure!(response.status().is_success(), "the intake answered {}", response.status());
    Ok(())
}

/// Lines of requests that were generated but have not ended yet, by the instant they end.
#[derive(Default)]
struct Due {
    lines: BTreeMap<i64, Vec<u8>>,
}

impl Due {
    fn generate(&mut self, simulator: &Simulator, texts: TextMode, minute: i64) {
        simulator.minute(minute, texts, &mut |event| {
            let ended_at_us = ended_at_us(event);
            let line = self.lines.entry(ended_at_us).or_default();
            if let Err(error) = write_line(event, line) {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a simulated request cannot be written"
                );
            }
        });
    }

    fn up_to(&mut self, now_us: i64) -> Vec<u8> {
        let later = self.lines.split_off(&(now_us + 1));
        let ready = std::mem::replace(&mut self.lines, later);
        ready.into_values().flatten().collect()
    }

    fn put_back(&mut self, at_us: i64, body: Vec<u8>) {
        let slot = self.lines.entry(at_us).or_default();
        let newer = std::mem::replace(slot, body);
        slot.extend(newer);
    }
}
