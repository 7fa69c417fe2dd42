//! Queues that claims pass over because their key holds no list: each is told of once, and once more when it can be read.

use std::collections::BTreeSet;
use std::sync::Arc;

/// Those that are known.
#[derive(Default)]
pub(in crate::engine) struct Unreadable(BTreeSet<Arc<str>>);

impl Unreadable {
    /// What a claim passed over; `all` says that it came to every queue.
    pub(super) fn learn(&mut self, passed_over: Vec<Arc<str>>, all: bool) {
        if passed_over.is_empty() && self.0.is_empty() {
            return;
        }
        for queue in &passed_over {
            if self.0.insert(Arc::clone(queue)) {
                tracing::error!(
                    "queue {queue} is passed over: its key in Redis holds something else than a list of jobs; \
                     rename or delete that key"
                );
            }
        }
        if all {
            self.0.retain(|queue| {
                let still = passed_over.contains(queue);
                if !still {
                    tracing::info!("queue {queue} can be read again");
                }
                still
            });
        }
    }
}
