//! Queues that claims pass over because their key does not hold a list: each is reported once, and once more when it
//! becomes readable.

use std::collections::HashSet;
use std::sync::Arc;

use crate::job::Queue;

/// The queues known to be unreadable.
#[derive(Default)]
pub(in crate::engine) struct Unreadable(HashSet<Arc<Queue>>);

impl Unreadable {
    /// Learns which queues a claim passed over, and which it certainly reached.
    pub(super) fn learn(&mut self, passed_over: &[Arc<Queue>], came_to: &[Arc<Queue>]) {
        if passed_over.is_empty() && self.0.is_empty() {
            return;
        }
        for queue in passed_over {
            if self.0.insert(Arc::clone(queue)) {
                tracing::error!(
                    "queue {} is passed over: its key in Redis holds something else than a list of jobs; \
                     rename or delete that key",
                    queue.name
                );
            }
        }
        self.0.retain(|queue| {
            let still = passed_over.contains(queue) || !came_to.contains(queue);
            if !still {
                tracing::info!("queue {} can be read again", queue.name);
            }
            still
        });
    }
}
