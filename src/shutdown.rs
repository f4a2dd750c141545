//! One switch that every role watches.

use tokio::sync::watch;

/// The side that ends everything.
#[derive(Clone, Debug)]
pub struct Switch(watch::Sender<bool>);

/// The side that is told.
pub type Signal = watch::Receiver<bool>;

impl Switch {
    pub fn new() -> (Self, Signal) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), receiver)
    }

    pub fn end(&self) {
        self.0.send_replace(true);
    }

    /// Ends everything at Ctrl-C or SIGTERM. A second Ctrl-C leaves at once: a restart recovers from any point.
    pub fn on_signals(&self) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let switch = self.clone();
        tokio::spawn(async move {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            tracing::info!("ending: finishing what is in flight; press Ctrl-C again to leave at once");
            switch.end();
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            std::process::exit(130);
        });
        Ok(())
    }
}

/// Resolves when the switch was thrown (or its owner is gone).
pub async fn ended(signal: &mut Signal) {
    let _ = signal.wait_for(|ended| *ended).await;
}
