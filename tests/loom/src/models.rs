//! Workers as `vm::worker` has them: the GVL is a lock that is held except in `park`, and while a job blocks.

use loom::model::Builder;
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use crate::ready::{Ready, Take};
use crate::sync::Parker;

fn model(preemptions: usize, body: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(body);
}

#[derive(Clone)]
struct World {
    ready: Arc<Ready<u32>>,
    gvl: Arc<Mutex<()>>,
}

/// Why a worker ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Took(u32),
    Killed,
    Closed,
}

impl World {
    fn new(workers: usize) -> Self {
        Self {
            ready: Arc::new(Ready::new(workers, || {})),
            gvl: Arc::new(Mutex::new(())),
        }
    }

    /// Takes one job, which then blocks without the GVL for ever.
    fn worker(&self, parker: Arc<Parker>, killed: Option<Arc<Mutex<bool>>>) -> thread::JoinHandle<End> {
        let World { ready, gvl } = self.clone();
        thread::spawn(move || {
            let mut held = gvl.lock().unwrap();
            loop {
                match ready.take(false) {
                    Take::Job(job) => return End::Took(job),
                    Take::Closed => return End::Closed,
                    Take::Empty => {
                        drop(held);
                        let parked = ready.park(&parker);
                        held = gvl.lock().unwrap();
                        let dies = killed.as_ref().is_some_and(|it| *it.lock().unwrap());
                        ready.arrive(parked, !dies);
                        if dies {
                            return End::Killed;
                        }
                    }
                }
            }
        })
    }

    fn plain(&self) -> thread::JoinHandle<End> {
        self.worker(Arc::new(Parker::default()), None)
    }
}

fn sorted(mut jobs: Vec<u32>) -> Vec<u32> {
    jobs.sort_unstable();
    jobs
}

fn taken(end: End) -> Vec<u32> {
    match end {
        End::Took(job) => vec![job],
        _ => Vec::new(),
    }
}

#[test]
fn each_push_finds_a_worker_while_earlier_jobs_block() {
    model(3, || {
        let world = World::new(2);
        let workers = [world.plain(), world.plain()];
        world.ready.push([1]);
        world.ready.push([2]);
        let jobs = workers.map(|it| taken(it.join().unwrap())).concat();
        assert_eq!(sorted(jobs), [1, 2]);
        assert_eq!(world.ready.asleep_and_waking(), (0, 0));
    });
}

#[test]
fn one_push_of_two_jobs_gets_both_workers_going() {
    model(3, || {
        let world = World::new(2);
        let workers = [world.plain(), world.plain()];
        world.ready.push([1, 2]);
        let jobs = workers.map(|it| taken(it.join().unwrap())).concat();
        assert_eq!(sorted(jobs), [1, 2]);
        assert_eq!(world.ready.asleep_and_waking(), (0, 0));
    });
}

#[test]
fn whoever_is_woken_in_place_of_a_slow_one_takes_no_job_from_anybody() {
    model(2, || {
        let world = World::new(2);
        let workers = [world.plain(), world.plain()];
        world.ready.push([1]);
        world.ready.hurry();
        world.ready.push([2]);
        let jobs = workers.map(|it| taken(it.join().unwrap())).concat();
        assert_eq!(sorted(jobs), [1, 2]);
        assert_eq!(world.ready.asleep_and_waking(), (0, 0));
    });
}

#[test]
fn a_worker_killed_in_its_sleep_takes_no_wake_up_with_it() {
    model(2, || kill_a_sleeper(|ready| ready.push([1])));
}

#[test]
fn of_two_that_were_woken_the_one_that_is_killed_takes_nothing_with_it() {
    model(2, || {
        kill_a_sleeper(|ready| {
            ready.push([1]);
            ready.hurry();
        });
    });
}

fn kill_a_sleeper(push: impl FnOnce(&Ready<u32>)) {
    let world = World::new(2);
    let parker = Arc::new(Parker::default());
    let killed = Arc::new(Mutex::new(false));
    let victim = world.worker(Arc::clone(&parker), Some(Arc::clone(&killed)));
    let other = world.plain();
    let killer = thread::spawn(move || {
        *killed.lock().unwrap() = true;
        parker.interrupt();
    });
    push(&world.ready);
    killer.join().unwrap();
    match victim.join().unwrap() {
        End::Took(1) => world.ready.push([2]),
        end => assert_eq!(end, End::Killed),
    }
    assert!(matches!(other.join().unwrap(), End::Took(_)));
    assert_eq!(world.ready.asleep_and_waking(), (0, 0));
}

#[test]
fn an_interruption_without_consequence_loses_nothing() {
    model(3, || {
        let world = World::new(1);
        let parker = Arc::new(Parker::default());
        let worker = world.worker(Arc::clone(&parker), None);
        let signal = thread::spawn(move || parker.interrupt());
        world.ready.push([1]);
        assert_eq!(worker.join().unwrap(), End::Took(1));
        signal.join().unwrap();
        assert_eq!(world.ready.asleep_and_waking(), (0, 0));
    });
}

#[test]
fn the_end_wakes_everybody_and_no_job_is_lost_or_doubled() {
    model(2, || {
        let world = World::new(2);
        let workers = [world.plain(), world.plain()];
        let ready = Arc::clone(&world.ready);
        let fetcher = thread::spawn(move || ready.push([1, 2]));
        world.ready.close();
        fetcher.join().unwrap();
        let done = workers.map(|it| taken(it.join().unwrap())).concat();
        let left = world.ready.reclaim();
        assert_eq!(sorted([left, done].concat()), [1, 2]);
        assert_eq!(world.ready.asleep_and_waking(), (0, 0));
    });
}

#[test]
fn a_job_is_either_reclaimed_or_taken() {
    model(3, || {
        let world = World::new(1);
        let worker = world.plain();
        world.ready.push([1, 2]);
        let back = world.ready.reclaim();
        world.ready.close();
        let done = taken(worker.join().unwrap());
        let left = world.ready.reclaim();
        assert_eq!(sorted([back, left, done].concat()), [1, 2]);
    });
}

/// The fetcher asks, is told 0, and sleeps until the bell.
#[test]
fn a_fetcher_that_asked_in_vain_is_told() {
    model(3, || {
        let bell = Arc::new((Mutex::new(false), Condvar::new()));
        let rope = Arc::clone(&bell);
        let ready = Arc::new(Ready::new(1, move || {
            *rope.0.lock().unwrap() = true;
            rope.1.notify_one();
        }));
        let fetcher = {
            let ready = Arc::clone(&ready);
            thread::spawn(move || {
                let mut jobs = vec![2, 1];
                while let Some(job) = jobs.pop() {
                    while ready.demand(0).want == 0 {
                        let mut rung = bell.0.lock().unwrap();
                        while !std::mem::take(&mut *rung) {
                            rung = bell.1.wait(rung).unwrap();
                        }
                    }
                    ready.push([job]);
                }
            })
        };
        let parker = Arc::new(Parker::default());
        let (mut done, mut finished) = (Vec::new(), false);
        while done.len() < 2 {
            match ready.take(finished) {
                Take::Job(job) => {
                    done.push(job);
                    finished = true;
                }
                Take::Empty => {
                    finished = false;
                    let parked = ready.park(&parker);
                    ready.arrive(parked, true);
                }
                Take::Closed => unreachable!("nobody closes it"),
            }
        }
        fetcher.join().unwrap();
        assert_eq!(done, [1, 2]);
    });
}

/// As `vm::worker` where each job is a turn: takes jobs until there are none, and lets others in after each.
fn taking_turns(world: &World, left: &Arc<Mutex<usize>>) -> thread::JoinHandle<Vec<u32>> {
    let World { ready, gvl } = world.clone();
    let left = Arc::clone(left);
    let parker = Arc::new(Parker::default());
    thread::spawn(move || {
        let mut jobs = Vec::new();
        let mut held = gvl.lock().unwrap();
        loop {
            let candidate = match ready.take(false) {
                Take::Closed => return jobs,
                Take::Empty => None,
                Take::Job(job) => {
                    jobs.push(job);
                    // The job gives the GVL up for a moment.
                    drop(held);
                    held = gvl.lock().unwrap();
                    let mut left = left.lock().unwrap();
                    *left -= 1;
                    if *left == 0 {
                        ready.close();
                    }
                    ready.end_turn()
                }
            };
            drop(held);
            let parked = candidate.unwrap_or_else(|| ready.park(&parker));
            held = gvl.lock().unwrap();
            ready.arrive(parked, true);
        }
    })
}

#[test]
fn workers_that_let_others_in_leave_no_job_lying() {
    model(3, || {
        let world = World::new(2);
        let left = Arc::new(Mutex::new(3));
        let workers = [taking_turns(&world, &left), taking_turns(&world, &left)];
        world.ready.push([1, 2]);
        world.ready.push([3]);
        let jobs = workers.map(|it| it.join().unwrap()).concat();
        assert_eq!(sorted(jobs), [1, 2, 3]);
        assert_eq!(world.ready.asleep_and_waking(), (0, 0));
    });
}
