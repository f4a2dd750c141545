//! Live traffic: each simulated request is sent to the HTTP intake when it ends, as a router would.
//!
//! The same sender first brings in what ended while the demo was not running.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bellwether_simulate::{LONGEST_REQUEST_MINUTES, Simulator, TextMode, write_line};
use chrono::Utc;
use tokio_util::sync::CancellationToken;

use super::history::{MINUTE_US, ended_at_us};

/// How often what is due is sent.
const TICK: Duration = Duration::from_secs(1);
/// Minutes of traffic in one body while a gap is filled.
const GAP_STEP_MINUTES: i64 = 30;

/// Sends every request that ends in `from_minute` or later, except those already `known`.
pub struct Sender {
    simulator: Arc<Simulator>,
    texts: TextMode,
    client: reqwest::Client,
    intake_url: String,
    from_us: i64,
    known: HashSet<String>,
    next_minute: i64,
    /// Lines of requests that were generated and not sent, by the instant they end.
    due: BTreeMap<i64, Vec<u8>>,
}

impl Sender {
    pub fn new(
        simulator: Arc<Simulator>,
        texts: TextMode,
        intake_url: String,
        from_minute: i64,
        known: HashSet<String>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            simulator,
            texts,
            client: reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?,
            intake_url,
            from_us: from_minute * MINUTE_US,
            known,
            // What ends in the first minute may have started long before.
            next_minute: from_minute - LONGEST_REQUEST_MINUTES,
            due: BTreeMap::new(),
        })
    }

    /// Sends what ended until now; `done` is told the minutes that are sent.
    pub async fn catch_up(&mut self, done: impl Fn(i64), shutdown: &CancellationToken) -> anyhow::Result<()> {
        loop {
            let now_us = Utc::now().timestamp_micros();
            let until_us = now_us.min((self.next_minute + GAP_STEP_MINUTES) * MINUTE_US);
            let before = self.next_minute;
            self.send_until(until_us).await?;
            done(self.next_minute - before);
            if until_us >= now_us || shutdown.is_cancelled() {
                return Ok(());
            }
        }
    }

    /// Goes on as time passes, until the signal.
    pub async fn run(&mut self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            if let Err(error) = self.send_until(Utc::now().timestamp_micros()).await {
                tracing::warn!(error = %error, "live traffic was not accepted; sending it again");
            }
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    async fn send_until(&mut self, until_us: i64) -> anyhow::Result<()> {
        while self.next_minute * MINUTE_US <= until_us {
            self.generate(self.next_minute);
            self.next_minute += 1;
        }
        let later = self.due.split_off(&(until_us + 1));
        let ready = std::mem::replace(&mut self.due, later);
        if ready.is_empty() {
            return Ok(());
        }
        let body: Vec<u8> = ready.values().flatten().copied().collect();
        let sent = self.send(body).await;
        if sent.is_err() {
            // Kept and sent again: what the tables already have is recognised there.
            self.due.extend(ready);
        }
        sent
    }

    fn generate(&mut self, minute: i64) {
        let Self { simulator, texts, from_us, known, due, .. } = self;
        simulator.minute(minute, *texts, &mut |event| {
            let ended_at_us = ended_at_us(event);
            if ended_at_us < *from_us || known.contains(event.request_id.as_ref()) {
                return;
            }
            if let Err(error) = write_line(event, due.entry(ended_at_us).or_default()) {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a simulated request cannot be written"
                );
            }
        });
    }

    async fn send(&self, body: Vec<u8>) -> anyhow::Result<()> {
        let request = self.client.post(&self.intake_url).header("content-type", "application/x-ndjson");
        let response = request.body(body).send().await?;
        let status = response.status();
        anyhow::ensure!(status.is_success(), "the intake answered {status}");
        Ok(())
    }
}
