//! Limits how often a touched key leads to a look, when looks bring nothing: far-future jobs, jobs that other processes
//! take, another database's keys of the same names. Each looker has a few free looks, which a successful look restores;
//! when they are spent, all lookers of a process share one slow stream. So the first look after a quiet time comes at
//! once, and a process that finds nothing asks about five times a second, whatever others do. Work that takes several
//! commands and can wait (starting over to wait for hand-offs, looking at everything) has a stream of its own, whose
//! delays have no upper bound. Both together, with what an idle process says anyway, are ten commands a second.

use std::time::{Duration, Instant};

use crate::engine::sync::{Mutex, lock};

/// The interval between two looks.
const EVERY: Duration = Duration::from_millis(200);
/// The interval between two commands of what can wait.
const EVERY_PATIENT: Duration = Duration::from_millis(300);
/// How long it takes to regain one free look.
const REGAIN: Duration = Duration::from_secs(8);
/// No looker waits longer than this for a look, however many share the stream.
const LONGEST: Duration = Duration::from_secs(1);
/// The most lookers that may have free looks at work that takes several commands: more would be a burst by themselves.
const MOST_IN_HAND: usize = 6;

/// What all lookers of a process share.
pub(in crate::engine) struct Stream {
    next: Mutex<Instant>,
    every: Duration,
    longest: Duration,
}

impl Stream {
    /// A stream for looks.
    pub(in crate::engine) fn from(now: Instant) -> Self {
        Self {
            next: Mutex::new(now),
            every: EVERY,
            longest: LONGEST,
        }
    }

    /// A stream for what can wait: every looker waits for its slot.
    pub(in crate::engine) fn patient(now: Instant) -> Self {
        Self {
            every: EVERY_PATIENT,
            longest: Duration::MAX,
            ..Self::from(now)
        }
    }

    /// Books the next free slot for `looks` looks; returns how long it is until then.
    fn book(&self, now: Instant, looks: u32) -> Duration {
        let mut next = lock(&self.next);
        let pause = next.saturating_duration_since(now);
        if pause > self.longest {
            // A looker that does not wait for its slot takes none from the others.
            return self.longest;
        }
        *next = now + pause + self.every.saturating_mul(looks);
        pause
    }
}

/// The budget of one looker.
pub(in crate::engine) struct Restraint {
    most: u32,
    /// When all its free looks will be restored.
    whole: Option<Instant>,
}

impl Restraint {
    /// With `most` free looks.
    pub(in crate::engine) fn of(most: u32) -> Self {
        Self { most, whole: None }
    }

    /// The same for one of `count` lookers whose work takes several commands.
    pub(in crate::engine) fn among(count: usize, most: u32) -> Self {
        Self::of(if count > MOST_IN_HAND { 0 } else { most })
    }

    /// A look brought something.
    pub(in crate::engine) fn relax(&mut self) {
        self.whole = None;
    }

    /// How long to wait before the next look, which costs as much as `looks`.
    pub(in crate::engine) fn pause(
        &mut self,
        now: Instant,
        stream: &Stream,
        looks: u32,
    ) -> Duration {
        let whole = self.whole.map_or(now, |it| it.max(now)) + REGAIN;
        if whole > now + REGAIN * self.most {
            return stream.book(now, looks);
        }
        self.whole = Some(whole);
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many looks there are within `seconds`, if each is followed by a touch.
    fn looks(restraints: &mut [Restraint], stream: &Stream, from: Instant, seconds: u64) -> usize {
        let end = from + Duration::from_secs(seconds);
        let mut due: Vec<Instant> = restraints.iter().map(|_| from).collect();
        let mut count = 0;
        while let Some(at) = (0..due.len()).min_by_key(|at| due[*at]) {
            let now = due[at];
            if now >= end {
                break;
            }
            let pause = restraints[at].pause(now, stream, 1);
            due[at] = now + pause.max(Duration::from_millis(1));
            count += 1;
        }
        count
    }

    #[test]
    fn a_flood_is_answered_about_five_times_a_second_by_however_many() {
        for many in [1, 2, 5] {
            let now = Instant::now();
            let stream = Stream::from(now);
            let mut restraints: Vec<_> = (0..many).map(|_| Restraint::of(4)).collect();
            let count = looks(&mut restraints, &stream, now, 60);
            assert!((300..380).contains(&count), "{many}: {count}");
        }
    }

    #[test]
    fn nobody_waits_for_long_where_very_many_share_the_stream() {
        let now = Instant::now();
        let stream = Stream::from(now);
        let longest = (0..500).map(|_| Restraint::of(0).pause(now, &stream, 1));
        assert_eq!(longest.max(), Some(LONGEST));
        assert!(
            Restraint::of(0)
                .pause(now + 2 * LONGEST, &stream, 1)
                .is_zero()
        );
    }

    #[test]
    fn many_looks_at_a_time_are_as_far_apart_as_they_cost() {
        let now = Instant::now();
        let stream = Stream::patient(now);
        let mut round = Restraint::of(0);
        assert!(round.pause(now, &stream, 300).is_zero());
        assert_eq!(round.pause(now, &stream, 30), EVERY_PATIENT * 300);
        assert_eq!(Restraint::of(0).pause(now, &stream, 4), EVERY_PATIENT * 330);
    }

    /// Pauses, flushes: each makes everything that waits for a hand-off ask anew.
    #[test]
    fn of_any_number_that_must_begin_anew_the_commands_are_as_few() {
        for many in [1, 7, 60, 600] {
            let (now, seconds, commands) = (Instant::now(), 3_600, 4);
            let stream = Stream::patient(now);
            let mut all: Vec<_> = (0..many).map(|_| Restraint::among(many, 1)).collect();
            let mut due = vec![now; many];
            let mut count = 0;
            loop {
                let at = (0..many).min_by_key(|at| due[*at]).expect("some");
                let turn = due[at];
                if turn >= now + Duration::from_secs(seconds) {
                    break;
                }
                let pause = all[at].pause(turn, &stream, commands);
                due[at] = turn + pause.max(Duration::from_millis(1));
                count += u64::from(commands);
            }
            // Those who are waiting for their turn at the end are counted as well.
            let rate = (count - many as u64 * u64::from(commands)) / seconds;
            assert!(rate < 4, "{many}: {rate}");
        }
    }

    #[test]
    fn a_flood_of_one_delays_no_other() {
        let now = Instant::now();
        let stream = Stream::from(now);
        assert!(looks(&mut [Restraint::of(4)], &stream, now, 5) > 25);
        let mut other = Restraint::of(2);
        let then = now + Duration::from_secs(5);
        let pauses: Vec<_> = (0..3).map(|_| other.pause(then, &stream, 1)).collect();
        assert_eq!(pauses[..2], [Duration::ZERO; 2]);
        assert!(!pauses[2].is_zero());
        other.relax();
        assert!(other.pause(then, &stream, 1).is_zero());
    }

    #[test]
    fn after_a_quiet_time_the_first_look_comes_at_once() {
        let now = Instant::now();
        let stream = Stream::from(now);
        let mut restraint = Restraint::of(3);
        looks(std::slice::from_mut(&mut restraint), &stream, now, 30);
        let then = now + Duration::from_secs(31);
        assert!(restraint.pause(then, &stream, 1).is_zero());
    }
}
