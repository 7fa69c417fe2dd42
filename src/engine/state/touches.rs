//! Which queues of a capsule may have jobs. Redis reports which are touched, so that a look covers only those: a
//! capsule may serve ten thousand, and Redis serves nobody else while a claim walks through its queues.

use tokio::sync::Notify;

use crate::engine::sync::{Mutex, lock};

/// The queues of one capsule, by their positions among its order's names.
pub(in crate::engine) struct Touches {
    open: Mutex<Open>,
    bell: Notify,
}

struct Open {
    /// For each queue the number of its last touch; 0 if it has been found empty since.
    touched: Vec<u64>,
    /// Counts the touches.
    number: u64,
}

/// Which queues a claim asks, and the number of the last touch before it.
#[derive(Default)]
pub(in crate::engine) struct Look {
    pub(in crate::engine) places: Vec<usize>,
    pub(in crate::engine) number: u64,
}

impl Touches {
    /// A fresh state: any of `count` queues may have jobs.
    pub(in crate::engine) fn new(count: usize) -> Self {
        let open = Open {
            touched: vec![1; count],
            number: 1,
        };
        Self {
            open: Mutex::new(open),
            bell: Notify::new(),
        }
    }

    /// The queue may have got a job.
    pub(in crate::engine) fn add(&self, place: usize) {
        let mut open = lock(&self.open);
        open.number += 1;
        let number = open.number;
        if let Some(touched) = open.touched.get_mut(place) {
            *touched = number;
        }
        drop(open);
        self.bell.notify_one();
    }

    /// Any of them may have got one.
    pub(in crate::engine) fn add_all(&self) {
        let mut open = lock(&self.open);
        open.number += 1;
        let number = open.number;
        open.touched.fill(number);
        drop(open);
        self.bell.notify_one();
    }

    /// Whether there is a queue to look at.
    pub(in crate::engine) fn any(&self) -> bool {
        lock(&self.open).touched.iter().any(|it| *it > 0)
    }

    /// Completes when there is one.
    pub(in crate::engine) async fn wait(&self) {
        // Only one task looks and waits; any other that touches a queue notifies it afterwards.
        while !self.any() {
            self.bell.notified().await;
        }
    }

    /// The first `most` queues to look at, in the order that `arrange` gives for all of them. It is not called for a
    /// single queue.
    pub(in crate::engine) fn look<'a>(
        &self,
        most: usize,
        arrange: impl FnOnce() -> &'a [usize],
    ) -> Look {
        let open = lock(&self.open);
        let is_open = |place: &usize| open.touched.get(*place).is_some_and(|it| *it > 0);
        let mut places: Vec<usize> = (0..open.touched.len()).filter(is_open).take(2).collect();
        if places.len() > 1 {
            places = arrange()
                .iter()
                .copied()
                .filter(is_open)
                .take(most)
                .collect();
        }
        Look {
            places,
            number: open.number,
        }
    }

    /// The queues that were looked at are empty, unless touched since.
    pub(in crate::engine) fn found_empty(&self, look: &Look) {
        let mut open = lock(&self.open);
        for place in &look.places {
            if let Some(touched) = open.touched.get_mut(*place)
                && *touched <= look.number
            {
                *touched = 0;
            }
        }
    }

    /// Whether there are queues that `look` left out because it was limited to the first ones.
    pub(in crate::engine) fn left_by(&self, look: &Look) -> bool {
        let open = lock(&self.open);
        open.touched.iter().any(|it| (1..=look.number).contains(it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(touches: &Touches, most: usize, order: &[usize]) -> Look {
        touches.look(most, || order)
    }

    #[test]
    fn only_what_was_touched_is_looked_at_in_the_order_of_all() {
        let touches = Touches::new(4);
        let all = look(&touches, 9, &[3, 1, 0, 2]);
        assert_eq!(all.places, [3, 1, 0, 2]);
        touches.found_empty(&all);
        assert!(!touches.any());
        for place in [0, 2, 2, 7] {
            touches.add(place);
        }
        assert_eq!(look(&touches, 9, &[3, 2, 1, 0]).places, [2, 0]);
    }

    #[test]
    fn one_queue_needs_no_order() {
        let touches = Touches::new(3);
        touches.found_empty(&look(&touches, 3, &[0, 1, 2]));
        touches.add(1);
        let one = touches.look(3, || panic!("asked"));
        assert_eq!(one.places, [1]);
    }

    #[test]
    fn what_is_touched_after_a_claim_was_sent_is_looked_at_again() {
        let touches = Touches::new(2);
        let sent = look(&touches, 2, &[0, 1]);
        touches.add(1);
        touches.found_empty(&sent);
        assert!(!touches.left_by(&sent), "that is another look's");
        assert_eq!(look(&touches, 2, &[0, 1]).places, [1]);
    }

    #[test]
    fn many_are_looked_at_one_part_after_another() {
        let touches = Touches::new(5);
        let mut parts = Vec::new();
        loop {
            let part = look(&touches, 2, &[4, 3, 2, 1, 0]);
            touches.found_empty(&part);
            parts.push(part.places.clone());
            if !touches.left_by(&part) {
                break;
            }
        }
        assert_eq!(parts, [vec![4, 3], vec![2, 1], vec![0]]);
        touches.add_all();
        assert_eq!(look(&touches, 9, &[0, 1, 2, 3, 4]).places.len(), 5);
    }

    #[tokio::test]
    async fn an_old_ring_wakes_nobody() {
        let touches = Touches::new(1);
        touches.add(0);
        touches.found_empty(&look(&touches, 1, &[0]));
        let moment = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(moment, touches.wait()).await.is_err());
        touches.add(0);
        touches.wait().await;
    }
}
