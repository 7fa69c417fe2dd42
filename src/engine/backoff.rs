//! Delays between retries.

use std::time::Duration;

/// 20 ms, doubling, at most 1 s (well below a lease period, so that a process that comes back renews its lease before
/// others may expire it).
#[derive(Default)]
pub(super) struct Backoff {
    attempts: u32,
}

impl Backoff {
    pub(super) async fn wait(&mut self) {
        let wait = Duration::from_millis(20) * 2_u32.pow(self.attempts.min(6));
        self.attempts += 1;
        tokio::time::sleep(wait.min(Duration::from_secs(1))).await;
    }
}
