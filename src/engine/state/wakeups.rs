//! Who wakes whom, and how often because of what others do.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{Notify, watch};

use super::restraint::Stream;
use crate::dialect::Dialect;
use crate::engine::settings::Settings;
use crate::job::Queue;
use crate::store::Names;

/// A sorted set of jobs that wait for their time.
pub(in crate::engine) struct DueSet {
    /// The dialect that it belongs to.
    pub(in crate::engine) dialect: usize,
    /// Its full key.
    pub(in crate::engine) key: String,
    /// Notified when it may have got a job that is due sooner.
    pub(in crate::engine) touched: Notify,
}

/// Whom a touched key concerns.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::engine) enum Concern {
    /// Those who serve this queue, as indexes of capsules and the queue's position among each one's queues.
    Queue(Vec<(usize, usize)>),
    /// The scheduler of a set of jobs that wait for their time, as the set's index.
    Due(usize),
    /// The set of paused queues: it concerns those who claim and those who wait for a hand-off.
    Paused,
    /// Anything else that decides whether to wait for hand-offs.
    Handoffs,
    Signals,
}

/// Concerns by full key.
struct Concerns(HashMap<String, Concern>);

impl Concerns {
    /// `queues` are those of each capsule, without repetitions.
    fn new<'a>(
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

/// What tasks wait for, apart from what each capsule has.
pub(in crate::engine) struct Wakeups {
    concerns: Concerns,
    /// Those of all dialects.
    pub(in crate::engine) due_sets: Vec<Arc<DueSet>>,
    /// The stream for looks.
    pub(in crate::engine) stream: Stream,
    /// The stream for what takes several commands and can wait.
    pub(in crate::engine) slow_stream: Stream,
    /// Notified when any queue or set may have got a job.
    pub(in crate::engine) everything_touched: Notify,
    /// Notified when somebody left a signal for this process.
    pub(in crate::engine) signalled: Notify,
    /// Counts the reasons to ask anew whether jobs may come by hand-off.
    pub(in crate::engine) recalled: watch::Sender<u64>,
}

impl Wakeups {
    /// `queues` are those of each capsule, without repetitions.
    pub(super) fn new<'a>(
        settings: &Settings,
        queues: impl IntoIterator<Item = &'a [Arc<Queue>]>,
    ) -> Self {
        let identity = &settings.process.identity;
        let now = Instant::now();
        Self {
            concerns: Concerns::new(&settings.names, &settings.dialects, identity, queues),
            due_sets: due_sets(&settings.dialects),
            stream: Stream::from(now),
            slow_stream: Stream::patient(now),
            everything_touched: Notify::new(),
            signalled: Notify::new(),
            recalled: watch::Sender::new(0),
        }
    }

    /// Whom this key concerns, if anybody.
    pub(in crate::engine) fn concern(&self, key: &str) -> Option<&Concern> {
        self.concerns.0.get(key)
    }

    /// Ends all waiting for hand-offs: what was asked before it began may have another answer now.
    pub(in crate::engine) fn recall(&self) {
        self.recalled.send_modify(|it| *it += 1);
    }
}

fn due_sets(dialects: &[Dialect]) -> Vec<Arc<DueSet>> {
    let sets = dialects.iter().enumerate().flat_map(|(dialect, it)| {
        let set = move |key| DueSet {
            dialect,
            key,
            touched: Notify::new(),
        };
        it.due_sets().into_iter().map(set)
    });
    sets.map(Arc::new).collect()
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
        // Redis reports all keys that begin like ours.
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
