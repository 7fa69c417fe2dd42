//! What a single thread can see of the queue; races are covered in tests/loom.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use super::*;

type Queue = Arc<Ready<u32>>;

fn queue(workers: usize) -> Queue {
    Arc::new(Ready::new(workers, || {}))
}

/// Puts `count` workers to sleep, one after the other. Each sends what it saw when it woke.
fn sleepers(ready: &Queue, count: usize) -> (Vec<Arc<Parker>>, Receiver<(usize, Parked)>) {
    let (sender, woken) = channel();
    let parkers = (0..count)
        .map(|index| {
            let parker = Arc::new(Parker::default());
            let (ready_there, parker_there) = (Arc::clone(ready), Arc::clone(&parker));
            let sender = sender.clone();
            thread::spawn(move || sender.send((index, ready_there.park(&parker_there))));
            while ready.asleep_and_waking().0 <= index {
                thread::yield_now();
            }
            parker
        })
        .collect();
    (parkers, woken)
}

#[test]
fn jobs_are_taken_in_order() {
    let ready = queue(1);
    ready.push([1, 2]);
    ready.push([3]);
    assert_eq!(ready.take(false), Take::Job(1));
    assert_eq!(ready.take(true), Take::Job(2));
    assert_eq!(ready.take(true), Take::Job(3));
    assert_eq!(ready.running(), 1);
    assert_eq!(ready.take(true), Take::Empty);
    assert_eq!(ready.running(), 0);
}

#[test]
fn one_sleeper_is_woken_at_a_time_however_many_jobs_come() {
    let ready = queue(3);
    let (_, woken) = sleepers(&ready, 3);
    ready.push([1, 2, 3]);
    assert_eq!(ready.asleep_and_waking(), (2, 1));
    ready.push([4, 5]);
    assert_eq!(ready.asleep_and_waking(), (2, 1));

    // The worker that is back finds more than it takes itself, and wakes the next.
    let (_, parked) = woken.recv().expect("nobody woke");
    ready.arrive(parked, true);
    assert_eq!(ready.asleep_and_waking(), (1, 1));

    // The next one finds nothing: a burst of short jobs stayed with the first.
    let (_, parked) = woken.recv().expect("nobody woke");
    while let Take::Job(_) = ready.take(false) {}
    ready.arrive(parked, true);
    assert_eq!(ready.asleep_and_waking(), (1, 0));
    ready.close();
    woken.recv().expect("close woke nobody");
}

#[test]
fn another_is_woken_for_a_job_when_the_first_does_not_stir() {
    let ready = queue(2);
    // Goes to sleep without a thread of its own, and so never notices a wake-up.
    let deaf = Arc::new(Parker::default());
    let (_, woken) = sleepers(&ready, 1);
    lock(&ready.state).sleepers.push(Arc::clone(&deaf));
    ready.hurry();
    assert_eq!(ready.asleep_and_waking(), (2, 0), "there is no job");
    ready.push([1]);
    assert_eq!(ready.asleep_and_waking(), (1, 1));
    ready.hurry();
    let (_, parked) = woken.recv().expect("nobody else woke");
    ready.arrive(parked, true);
    assert_eq!(ready.take(false), Take::Job(1));
    assert_eq!(ready.asleep_and_waking(), (0, 1));
}

#[test]
fn nobody_is_hurried_once_the_first_is_on_his_way() {
    let ready = queue(2);
    let (_, woken) = sleepers(&ready, 2);
    ready.push([1]);
    let (_, parked) = woken.recv().expect("nobody woke");
    ready.hurry();
    assert_eq!(ready.asleep_and_waking(), (1, 1));
    ready.arrive(parked, true);
    assert_eq!(ready.take(false), Take::Job(1));
    ready.hurry();
    assert_eq!(ready.asleep_and_waking(), (1, 0));
}

#[test]
fn of_those_whose_turn_is_over_one_stands_in_line_and_the_others_sleep() {
    let ready = queue(2);
    ready.push([1, 2, 3, 4]);
    assert_eq!(ready.take(false), Take::Job(1));
    assert_eq!(ready.take(false), Take::Job(2));
    let first = ready.end_turn().expect("nobody else stands in line");
    assert!(ready.end_turn().is_none(), "one does");
    assert_eq!(ready.running(), 0);
    // Although there are jobs.
    let (_, woken) = sleepers(&ready, 1);

    ready.arrive(first, true);
    assert_eq!(ready.take(false), Take::Job(3));
    let (_, second) = woken.recv().expect("nobody woke");
    ready.arrive(second, true);
    assert_eq!(ready.take(false), Take::Job(4));
    assert_eq!(ready.asleep_and_waking(), (0, 0));
}

#[test]
fn the_last_that_slept_is_the_first_to_be_woken() {
    let ready = queue(2);
    let (_, woken) = sleepers(&ready, 2);
    ready.push([1]);
    assert_eq!(woken.recv().expect("nobody woke").0, 1);
    ready.close();
}

#[test]
fn a_wake_up_is_passed_on_by_a_worker_that_will_not_take() {
    let ready = queue(2);
    let (_, woken) = sleepers(&ready, 2);
    ready.push([1]);
    let (_, parked) = woken.recv().expect("nobody woke");
    ready.arrive(parked, false);
    assert_eq!(ready.asleep_and_waking(), (0, 1));
    let (_, parked) = woken.recv().expect("it was not passed on");
    ready.arrive(parked, true);
    assert_eq!(ready.asleep_and_waking(), (0, 0));
}

#[test]
fn an_interrupted_sleeper_is_nobody_s_choice() {
    let ready = queue(2);
    let (parkers, woken) = sleepers(&ready, 2);
    parkers[0].interrupt();
    let (index, parked) = woken.recv().expect("nobody woke");
    assert_eq!(index, 0);
    ready.arrive(parked, false);
    assert_eq!(ready.asleep_and_waking(), (1, 0));
    ready.close();
}

#[test]
fn nobody_sleeps_while_there_are_jobs_or_after_the_end() {
    let ready = queue(1);
    let parker = Arc::new(Parker::default());
    ready.push([1]);
    let parked = ready.park(&parker);
    ready.arrive(parked, true);
    ready.close();
    assert_eq!(ready.reclaim(), [1]);
    let parked = ready.park(&parker);
    ready.arrive(parked, true);
    assert_eq!(ready.take(false), Take::Closed);
    assert_eq!(ready.asleep_and_waking(), (0, 0));
}

#[test]
fn the_end_wakes_everybody_and_hands_out_nothing() {
    let ready = queue(3);
    let (_, woken) = sleepers(&ready, 3);
    ready.close();
    for _ in 0..3 {
        let (_, parked) = woken.recv().expect("somebody sleeps on");
        ready.arrive(parked, true);
    }
    assert_eq!(ready.asleep_and_waking(), (0, 0));
    ready.push([1, 2]);
    assert_eq!(ready.take(false), Take::Closed);
    assert_eq!(ready.reclaim(), [1, 2]);
    assert_eq!(ready.demand(0).want, 0);
}

#[test]
fn surplus_is_what_neither_free_workers_nor_the_prefetch_account_for() {
    let ready = queue(2);
    ready.push(1..=6);
    ready.set_prefetch(2);
    assert_eq!(ready.take(false), Take::Job(1));
    assert_eq!(ready.reclaim_surplus(), [5, 6]);
    ready.set_prefetch(100);
    assert!(ready.reclaim_surplus().is_empty());
    assert_eq!(ready.reclaim(), [2, 3, 4]);
}

#[test]
fn what_is_reclaimed_is_no_longer_there() {
    let ready = queue(1);
    ready.push([1, 2, 3]);
    assert_eq!(ready.take(false), Take::Job(1));
    assert_eq!(ready.reclaim(), [2, 3]);
    assert_eq!(ready.take(true), Take::Empty);
    let demand = ready.demand(0);
    assert_eq!((demand.ready, demand.taken, demand.visits), (0, 1, 2));
}

#[test]
fn the_fetcher_is_told_of_demand_once_when_it_had_asked_in_vain() {
    let rung = Arc::new(AtomicUsize::new(0));
    let bell = Arc::clone(&rung);
    let ready = Ready::new(1, move || {
        bell.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(ready.demand(0).want, 1);
    ready.push([1]);
    assert_eq!(ready.demand(0).want, 0);
    assert_eq!(ready.take(false), Take::Job(1));
    assert_eq!(rung.load(Ordering::Relaxed), 0);
    assert_eq!(ready.take(true), Take::Empty);
    assert_eq!(rung.load(Ordering::Relaxed), 1);
    assert_eq!(ready.take(false), Take::Empty);
    assert_eq!(rung.load(Ordering::Relaxed), 1);
}

#[test]
fn the_fetcher_is_told_when_a_worker_leaves_its_job() {
    let rung = Arc::new(AtomicUsize::new(0));
    let bell = Arc::clone(&rung);
    let ready = Ready::new(1, move || {
        bell.fetch_add(1, Ordering::Relaxed);
    });
    ready.push([1]);
    assert_eq!(ready.take(false), Take::Job(1));
    assert_eq!(ready.demand(0).want, 0);
    ready.leave();
    assert_eq!((rung.load(Ordering::Relaxed), ready.running()), (1, 0));
    assert_eq!(ready.demand(0).want, 1);
}

#[test]
fn the_prefetch_is_claimed_by_halves() {
    let ready = queue(1);
    ready.set_prefetch(10);
    assert_eq!(ready.demand(0).want, 11);
    ready.push(0..7);
    assert_eq!(ready.demand(0).want, 0);
    ready.reclaim();
    ready.push(0..6);
    assert_eq!(ready.demand(0).want, 5);
}

#[test]
fn what_is_coming_is_not_claimed_again() {
    let ready = queue(1);
    ready.set_prefetch(4_000);
    assert_eq!(ready.demand(0).want, 4_001);
    let demand = ready.demand(1_000);
    assert_eq!((demand.want, demand.idle), (3_001, 0));
    ready.push(0..1_000);
    // With this many, a part is worth a trip long before half of them are missing.
    assert_eq!(ready.demand(2_500).want, 501);
    assert_eq!(ready.demand(2_600).want, 0);
}
