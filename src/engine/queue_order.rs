//! The order in which a claim looks at the queues (capsule.rb and fetch.rb of Sidekiq 6.4 to 8.1).

use std::collections::HashMap;
use std::sync::Arc;

use crate::dialect::{Mode, SidekiqVersion};
use crate::job::Queue;

/// The most draws per claim. Where there are more jobs than that, each draw stands for several.
const DRAWS: usize = 64;

/// A queue as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSpec {
    /// The queue itself.
    pub queue: Arc<Queue>,
    /// Weight, or 0 where none was given.
    pub weight: u32,
}

/// The queues of one capsule and the order of their next claim.
#[derive(Clone, Debug)]
pub struct QueueOrder {
    queues: Vec<Arc<Queue>>,
    /// Chances of each queue: how often it occurs in Sidekiq's list.
    chances: Vec<u32>,
    total: u32,
    mode: Mode,
    order: Vec<usize>,
}

impl QueueOrder {
    /// Merges entries of the same queue, whose chances add up (6.4 refuses them before it comes to this). The mode is
    /// strict if no queue has a weight, random if all weigh 1, and weighted otherwise. 7.0.0 was strict whenever no
    /// queue occurred twice in its list, even with weights of 1.
    pub fn new(queues: &[QueueSpec], version: SidekiqVersion) -> Self {
        let mut distinct: Vec<Arc<Queue>> = Vec::new();
        let mut chances: Vec<u32> = Vec::new();
        // For the mode, the weight written last counts.
        let mut weights: Vec<u32> = Vec::new();
        let mut total: u32 = 0;
        let mut places: HashMap<&str, usize> = HashMap::new();
        for QueueSpec { queue, weight } in queues {
            // A total beyond u32 would need absurd weights; the excess has no chance.
            let share = weight.max(&1).min(&(u32::MAX - total)).to_owned();
            total += share;
            if let Some(at) = places.get(&*queue.key) {
                chances[*at] += share;
                weights[*at] = *weight;
            } else {
                places.insert(&queue.key, distinct.len());
                distinct.push(Arc::clone(queue));
                chances.push(share);
                weights.push(*weight);
            }
        }
        let single = chances.iter().all(|&chances| chances == 1);
        let mode = if weights.iter().all(|&weight| weight == 0)
            || (version == SidekiqVersion::new(7, 0, 0) && single)
        {
            Mode::Strict
        } else if weights.iter().all(|&weight| weight == 1) {
            Mode::Random
        } else {
            Mode::Weighted
        };
        let order = (0..distinct.len()).collect();
        Self {
            queues: distinct,
            chances,
            total,
            mode,
            order,
        }
    }

    /// The distinct queues, in the order given; [`Self::arrange`] returns indices into them.
    pub fn queues(&self) -> &[Arc<Queue>] {
        &self.queues
    }

    /// See [`Mode`].
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The order for one claim. `random(n)` returns a number below n, uniformly distributed. Allocates nothing.
    ///
    /// Sidekiq shuffles its list, in which a queue occurs as often as it weighs, and keeps the first of each name. That
    /// is the same as drawing one queue after another, each with its weight's share of what is left.
    pub fn arrange(&mut self, random: &mut impl FnMut(u32) -> u32) -> &[usize] {
        if self.mode != Mode::Strict {
            let mut left = self.total;
            for at in 0..self.order.len().saturating_sub(1) {
                let mut drawn = random(left.max(1));
                let mut pick = at;
                while pick + 1 < self.order.len() && drawn >= self.chances[self.order[pick]] {
                    drawn -= self.chances[self.order[pick]];
                    pick += 1;
                }
                self.order.swap(at, pick);
                left -= self.chances[self.order[at]];
            }
        }
        &self.order
    }

    /// How many jobs a claim of `limit` jobs should take first, and from which queues, given as positions in `asked`:
    /// the queues that it asks, in the order that [`Self::arrange`] returned last. Empty where order alone decides.
    ///
    /// Sidekiq draws anew for each job. A process that took them by the dozen from one queue would run long series of
    /// one kind of job: first all workers sleep, then all want the processor.
    pub fn shares(
        &self,
        asked: &[usize],
        limit: usize,
        random: &mut impl FnMut(u32) -> u32,
    ) -> Vec<(usize, usize)> {
        let mut shares: Vec<(usize, usize)> = Vec::new();
        if self.mode == Mode::Strict || asked.len() < 2 || limit < 2 {
            return shares;
        }
        let draws = limit.min(DRAWS);
        let total = asked.iter().map(|it| self.chances[*it]).sum();
        for n in 0..draws {
            let worth = limit / draws + usize::from(n < limit % draws);
            // The first position has already been drawn for one job.
            let place = if n == 0 {
                0
            } else {
                self.draw(asked, total, random)
            };
            match shares.iter_mut().find(|it| it.0 == place) {
                Some(share) => share.1 += worth,
                None => shares.push((place, worth)),
            }
        }
        shares
    }

    /// Draws a position in `asked`, each queue with its weight's chance.
    fn draw(&self, asked: &[usize], total: u32, random: &mut impl FnMut(u32) -> u32) -> usize {
        let mut drawn = random(total.max(1));
        let place = asked.iter().position(|queue| {
            let chances = self.chances[*queue];
            let here = drawn < chances;
            drawn = drawn.saturating_sub(chances);
            here
        });
        place.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn specs(queues: &[(&str, u32)]) -> Vec<QueueSpec> {
        queues
            .iter()
            .map(|(name, weight)| QueueSpec {
                queue: Queue::named(name),
                weight: *weight,
            })
            .collect()
    }

    fn order(queues: &[(&str, u32)]) -> QueueOrder {
        QueueOrder::new(&specs(queues), SidekiqVersion::default())
    }

    /// SplitMix64.
    fn source(mut seed: u64) -> impl FnMut(u32) -> u32 {
        move |below| {
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = seed;
            mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            u32::try_from((mixed ^ mixed >> 31) % u64::from(below)).unwrap()
        }
    }

    #[test]
    fn the_mode_follows_the_weights() {
        assert_eq!(order(&[("a", 0), ("b", 0)]).mode(), Mode::Strict);
        assert_eq!(order(&[("a", 1), ("b", 1)]).mode(), Mode::Random);
        assert_eq!(order(&[("a", 0), ("b", 1)]).mode(), Mode::Weighted);
        assert_eq!(order(&[("a", 2), ("b", 1)]).mode(), Mode::Weighted);
        assert_eq!(order(&[("a", 5), ("a", 0)]).mode(), Mode::Strict);
        let of = |version, queues: &[(&str, u32)]| QueueOrder::new(&specs(queues), version).mode();
        assert_eq!(
            of(SidekiqVersion::new(7, 0, 0), &[("a", 1), ("b", 1)]),
            Mode::Strict
        );
        assert_eq!(
            of(SidekiqVersion::new(7, 0, 0), &[("a", 2), ("b", 1)]),
            Mode::Weighted
        );
        assert_eq!(
            of(SidekiqVersion::new(6, 4, 1), &[("a", 0), ("b", 0)]),
            Mode::Strict
        );
        assert_ne!(
            of(SidekiqVersion::new(6, 4, 1), &[("a", 0), ("b", 1)]),
            Mode::Strict
        );
    }

    #[test]
    fn strict_keeps_the_order_and_asks_for_no_chance() {
        let mut order = order(&[("b", 0), ("a", 0), ("b", 0)]);
        let names = order.queues().iter().map(|it| it.name.as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(order.arrange(&mut |_| panic!("asked")), [0, 1]);
        assert!(
            QueueOrder::new(&[], SidekiqVersion::default())
                .arrange(&mut |_| 0)
                .is_empty()
        );
    }

    #[test]
    fn absurd_weights_do_not_overflow() {
        let mut order = order(&[("a", u32::MAX), ("b", u32::MAX), ("c", 7)]);
        for seed in 0..100 {
            assert_eq!(order.arrange(&mut source(seed)).len(), 3);
        }
    }

    /// The reference: shuffle the expanded list, keep the first of each.
    fn shuffled(chances: &[u32], random: &mut impl FnMut(u32) -> u32) -> Vec<usize> {
        let mut list: Vec<usize> = chances
            .iter()
            .enumerate()
            .flat_map(|(at, &n)| vec![at; n as usize])
            .collect();
        for last in (1..list.len()).rev() {
            list.swap(last, random(u32::try_from(last).unwrap() + 1) as usize);
        }
        let mut first = Vec::new();
        for at in list {
            if !first.contains(&at) {
                first.push(at);
            }
        }
        first
    }

    #[test]
    fn whole_orders_are_as_likely_as_sidekiqs() {
        const ROUNDS: u32 = 60_000;
        let mut order = order(&[("a", 3), ("b", 2), ("c", 1)]);
        let (mut ours, mut theirs) = (
            std::collections::BTreeMap::new(),
            std::collections::BTreeMap::new(),
        );
        let (mut one, mut other) = (source(1), source(2));
        for _ in 0..ROUNDS {
            *ours.entry(order.arrange(&mut one).to_vec()).or_insert(0u32) += 1;
            *theirs
                .entry(shuffled(&[3, 2, 1], &mut other))
                .or_insert(0u32) += 1;
        }
        assert_eq!(ours.len(), 6);
        for (order, count) in ours {
            let apart = f64::from(count.abs_diff(theirs[&order])) / f64::from(ROUNDS);
            assert!(apart < 0.012, "{order:?}: {apart}");
        }
    }

    #[test]
    fn order_alone_decides_over_one_job_one_queue_and_where_it_is_strict() {
        let random = &mut |_| 0;
        assert_eq!(order(&[("a", 1), ("b", 1)]).shares(&[0, 1], 1, random), []);
        assert_eq!(order(&[("a", 1), ("b", 1)]).shares(&[1], 100, random), []);
        assert_eq!(order(&[("a", 3)]).shares(&[0], 100, random), []);
        assert_eq!(
            order(&[("a", 0), ("b", 0)]).shares(&[0, 1], 100, random),
            []
        );
    }

    #[test]
    fn a_large_claim_is_shared_by_weight() {
        const ROUNDS: usize = 2_000;
        for limit in [2, 10, 64, 127, 1_000] {
            let mut order = order(&[("a", 3), ("b", 2), ("c", 1)]);
            let mut random = source(limit as u64);
            let mut of = [0usize; 3];
            for _ in 0..ROUNDS {
                let names = order.arrange(&mut random).to_vec();
                let shares = order.shares(&names, limit, &mut random);
                let sum: usize = shares.iter().map(|it| it.1).sum();
                assert_eq!(sum, limit);
                for (place, most) in shares {
                    of[names[place]] += most;
                }
            }
            let all: usize = of.iter().sum();
            for (taken, weight) in of.iter().zip([3.0, 2.0, 1.0]) {
                let apart = *taken as f64 / all as f64 - weight / 6.0;
                assert!(apart.abs() < 0.03, "{limit}: {of:?}");
            }
        }
    }

    #[test]
    fn a_claim_that_asks_some_queues_is_shared_among_those() {
        let order = order(&[("a", 90), ("b", 3), ("c", 1)]);
        let mut random = source(7);
        let mut of = [0usize; 2];
        for _ in 0..1_000 {
            for (place, most) in order.shares(&[2, 1], 64, &mut random) {
                of[place] += most;
            }
        }
        // Without the first of each, which the order has already drawn.
        let share = (of[0] - 1_000) as f64 / 63_000.0;
        assert!((share - 0.25).abs() < 0.02, "{of:?}");
    }

    proptest! {
        #[test]
        fn every_queue_stands_once(weights in prop::collection::vec(0u32..20, 0..12), seed in any::<u64>()) {
            let queues: Vec<QueueSpec> = weights.iter().enumerate().map(|(n, &weight)| QueueSpec { queue: Queue::named(&n.to_string()), weight }).collect();
            let mut order = QueueOrder::new(&queues, SidekiqVersion::default());
            let mut random = source(seed);
            for _ in 0..5 {
                let mut seen = order.arrange(&mut random).to_vec();
                seen.sort_unstable();
                prop_assert_eq!(seen, (0..weights.len()).collect::<Vec<_>>());
            }
        }

        #[test]
        fn the_first_place_is_shared_by_weight(weights in prop::collection::vec(1u32..9, 2..6), seed in any::<u64>()) {
            const ROUNDS: u32 = 20_000;
            let queues: Vec<QueueSpec> = weights.iter().enumerate().map(|(n, &weight)| QueueSpec { queue: Queue::named(&n.to_string()), weight }).collect();
            let mut order = QueueOrder::new(&queues, SidekiqVersion::default());
            let mut random = source(seed);
            let mut firsts = vec![0u32; weights.len()];
            for _ in 0..ROUNDS {
                firsts[order.arrange(&mut random)[0]] += 1;
            }
            let total: u32 = weights.iter().sum();
            for (first, weight) in firsts.iter().zip(&weights) {
                let apart = f64::from(*first) / f64::from(ROUNDS) - f64::from(*weight) / f64::from(total);
                // Six standard deviations of the worst case.
                prop_assert!(apart.abs() < 0.022, "{weights:?}: {firsts:?}");
            }
        }
    }
}
