//! From Redis's messages to those whom they concern. A key that concerns nobody here ends at a look into a table.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::restraint::Restraint;
use super::shared::Shared;
use crate::dialect::Dialect;
use crate::job::Queue;
use crate::store::{Names, Store, Touched};

/// How often to ask whether Redis tells of touched keys after all: a right may have been granted.
const ASK: Duration = Duration::from_secs(5);
/// Rounds in a row: see restraint.rs.
const ROUNDS_IN_HAND: u32 = 2;

/// Whom a key concerns.
#[derive(Debug, PartialEq, Eq)]
enum Concern {
    /// Those who serve this queue: indexes of capsules, and its place among the queues of each.
    Queue(Vec<(usize, usize)>),
    /// A set of jobs that wait for their time, as an index.
    Due(usize),
    /// Which queues are paused: those who claim, and those who wait for a hand-off.
    Paused,
    /// What else decides whether somebody may wait for a hand-off.
    Handoffs,
    Signals,
}

/// By full keys.
pub(super) struct Concerns(HashMap<String, Concern>);

impl Concerns {
    /// `queues` are those of each capsule, without repetitions.
    pub(super) fn new<'a>(
        names: &Names,
        dialects: &[Dialect],
        identity: &str,
        queues: impl IntoIterator<Item = &'a [Arc<Queue>]>,
    ) -> Self {
        let mut concerns = HashMap::from([
            (names.suspects(), Concern::Handoffs),
            (names.trials(), Concern::Handoffs),
        ]);
        for dialect in dialects {
            let presence = dialect.presence(identity);
            concerns.insert(presence.signals, Concern::Signals);
            concerns.insert(dialect.paused(), Concern::Paused);
        }
        let due_sets = dialects.iter().flat_map(Dialect::due_sets);
        for (index, key) in due_sets.enumerate() {
            concerns.insert(key, Concern::Due(index));
        }
        for (capsule, queues) in queues.into_iter().enumerate() {
            for (place, queue) in queues.iter().enumerate() {
                let concern = concerns.entry(queue.key.clone());
                if let Concern::Queue(served) = concern.or_insert(Concern::Queue(Vec::new())) {
                    served.push((capsule, place));
                }
            }
        }
        Self(concerns)
    }
}

impl Shared {
    fn ring(&self, key: &str) {
        match self.concerns.0.get(key) {
            None => {}
            Some(Concern::Queue(served)) => {
                for (capsule, place) in served {
                    self.capsules[*capsule].touches.add(*place);
                }
            }
            Some(Concern::Due(set)) => self.due_sets[*set].touched.notify_one(),
            Some(Concern::Signals) => self.signalled.notify_one(),
            Some(Concern::Handoffs) => self.recall(),
            Some(Concern::Paused) => self.call_a_round(),
        }
    }

    /// By others' hands, who may do it as often as they like.
    fn call_a_round(&self) {
        self.recall();
        self.everything_touched.notify_one();
    }

    fn ring_all(&self) {
        for capsule in &self.capsules {
            capsule.touches.add_all();
        }
        for set in &self.due_sets {
            set.touched.notify_one();
        }
    }
}

/// Sends everybody for a look when others may have done anything: in rounds, which must not follow each other closely.
pub(super) async fn rounds(shared: Arc<Shared>) {
    let looks = u32::try_from(shared.capsules.len() + shared.due_sets.len()).unwrap_or(u32::MAX);
    let mut restraint = Restraint::among(shared.capsules.len(), ROUNDS_IN_HAND);
    loop {
        shared.everything_touched.notified().await;
        sleep(restraint.pause(Instant::now(), &shared.slow_stream, looks)).await;
        shared.ring_all();
    }
}

/// Rings whoever waits for what was touched. Says when Redis begins or ceases to tell of it.
pub(super) async fn run(
    shared: Arc<Shared>,
    store: Store,
    mut touched: mpsc::UnboundedReceiver<Touched>,
) {
    let (mut told, mut connected) = (store.is_told(), false);
    while let Some(message) = touched.recv().await {
        match message {
            Touched::Keys(keys) => keys.iter().for_each(|key| shared.ring(key)),
            // Whoever looks makes the new connection, so that the messages go on.
            Touched::Lost => {
                connected = false;
                shared.recall();
                shared.ring_all();
            }
            Touched::Everything if connected && told == store.is_told() => shared.call_a_round(),
            Touched::Everything => {
                connected = true;
                let before = std::mem::replace(&mut told, store.is_told());
                if before && !told {
                    tracing::warn!(
                        "Redis does not tell any more when a queue gets a job (may its user call CLIENT TRACKING?): \
                         the queues are polled until it does"
                    );
                } else if told && !before {
                    tracing::info!("Redis tells when a queue gets a job now: no more polling");
                }
                shared.recall();
                shared.ring_all();
            }
        }
    }
}

/// Asks to be told, wherever that was refused.
pub(super) async fn ask(store: Store) {
    loop {
        sleep(ASK).await;
        // Whoever needs the connection says what is wrong with it.
        if let Err(error) = store.ask_to_be_told().await {
            tracing::debug!("not told of touched keys yet: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Sidekiq;

    #[test]
    fn only_keys_that_this_process_uses_concern_it() {
        let queues = [["a", "b"], ["b", "c"]].map(|it| it.map(Queue::named));
        let dialects = [Dialect::Sidekiq(Sidekiq::default())];
        let queues = queues.iter().map(<[_; 2]>::as_slice);
        let concerns = Concerns::new(&Names::default(), &dialects, "host:1:abc", queues).0;
        let served = |key: &str| match concerns.get(key) {
            Some(Concern::Queue(served)) => served.clone(),
            _ => Vec::new(),
        };
        assert_eq!(served("queue:a"), [(0, 0)]);
        assert_eq!(served("queue:b"), [(0, 1), (1, 0)]);
        assert_eq!(served("queue:c"), [(1, 1)]);
        assert_eq!(concerns.get("retry"), Some(&Concern::Due(1)));
        // Redis tells of all keys that begin like ours.
        for foreign in [
            "queue:",
            "queue:ab",
            "queue:a:b",
            "queue:other",
            "queues",
            "schedules",
            "schedules_changed",
            "retry_queue",
            "retry:1",
            "paused_at",
            "footplate:suspects:x",
        ] {
            assert_eq!(concerns.get(foreign), None, "{foreign}");
        }
    }
}
