//! Sleeping while polling wake sources.

use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;

use super::super::{Mutex, Parked, Take};
use super::*;

/// Every byte announces a job, which can be taken here if there are any.
struct Entrance {
    socket: UnixStream,
    jobs: Mutex<Vec<u32>>,
}

impl WakeSource<u32> for Entrance {
    fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn take(&self, push: &mut dyn FnMut(u32)) {
        lock(&self.jobs).pop().into_iter().for_each(push);
    }
}

struct House {
    ready: Arc<Ready<u32>>,
    source: Arc<Entrance>,
    bell: UnixStream,
    parkers: Vec<Arc<Parker>>,
    woken: Receiver<(usize, Parked)>,
}

/// With `workers` asleep; the last one is the watcher.
fn house(workers: usize) -> House {
    let ready = Arc::new(Ready::new(workers, || {}));
    let (bell, source) = UnixStream::pair().expect("a pair of sockets");
    let source = Arc::new(Entrance {
        socket: source,
        jobs: Mutex::default(),
    });
    let (sender, woken) = channel();
    let parkers = (0..workers)
        .map(|index| {
            let parker = Arc::new(Parker::default());
            let (ready_there, parker_there) = (Arc::clone(&ready), Arc::clone(&parker));
            let sender = sender.clone();
            thread::spawn(move || sender.send((index, ready_there.park(&parker_there))));
            while ready.asleep_and_waking().0 <= index {
                thread::yield_now();
            }
            parker
        })
        .collect();
    let as_door: Arc<dyn WakeSource<u32>> = Arc::clone(&source) as _;
    ready.watch_at(&as_door);
    let house = House {
        ready,
        source,
        bell,
        parkers,
        woken,
    };
    house.await_watcher(workers - 1);
    house
}

impl House {
    fn await_watcher(&self, index: usize) {
        while !self.watches(index) {
            thread::yield_now();
        }
    }

    fn watches(&self, index: usize) -> bool {
        let state = lock(&self.ready.state);
        state
            .watcher
            .as_ref()
            .is_some_and(|it| Arc::ptr_eq(it, &self.parkers[index]))
    }
}

#[test]
fn the_watcher_takes_the_job_that_comes_by_its_door() {
    let mut house = house(2);
    lock(&house.source.jobs).push(1);
    house.bell.write_all(b"!").expect("written");
    let (index, parked) = house.woken.recv().expect("nobody woke");
    assert_eq!((index, parked.chosen), (1, true));
    house.ready.arrive(parked, true);
    assert_eq!(house.ready.take(false), Take::Job(1));
    assert_eq!(house.ready.asleep_and_waking(), (1, 0));
}

#[test]
fn a_watcher_is_woken_for_a_job_that_came_another_way() {
    let house = house(1);
    house.ready.push([1]);
    assert!(house.woken.recv().expect("nobody woke").1.chosen);
}

#[test]
fn whom_a_door_fooled_sleeps_on_and_no_longer_beside_it() {
    let mut house = house(1);
    house.bell.write_all(b"!").expect("written");
    while house.watches(0) {
        thread::yield_now();
    }
    assert!(matches!(house.woken.try_recv(), Err(TryRecvError::Empty)));
    house.ready.push([1]);
    assert!(house.woken.recv().expect("nobody woke").1.chosen);
}

#[test]
fn a_watcher_can_be_interrupted_and_the_next_sleeper_watches() {
    let house = house(1);
    house.parkers[0].interrupt();
    let (_, parked) = house.woken.recv().expect("nobody woke");
    assert!(!parked.chosen);
    house.ready.arrive(parked, false);
    assert!(lock(&house.ready.state).watcher.is_none());

    let parker = Arc::new(Parker::default());
    let (ready, sleeper) = (Arc::clone(&house.ready), Arc::clone(&parker));
    let thread = thread::spawn(move || ready.park(&sleeper));
    while lock(&house.ready.state).watcher.is_none() {
        thread::yield_now();
    }
    house.ready.close();
    thread.join().expect("no panic");
}

#[test]
fn a_door_that_is_gone_is_not_watched() {
    let house = house(1);
    let source = Arc::downgrade(&house.source);
    drop(house.source);
    house.ready.push([1]);
    house.woken.recv().expect("nobody woke");
    assert_eq!(source.strong_count(), 0);
    let state = lock(&house.ready.state);
    assert!(state.sources.iter().all(|it| it.upgrade().is_none()));
}

/// The chosen sleeper wakes, however the role of the watcher changes meanwhile.
#[test]
fn no_ringing_is_taken_by_the_next_watcher() {
    let ready = Arc::new(Ready::new(4, || {}));
    let (_bell, socket) = UnixStream::pair().expect("a pair of sockets");
    let jobs = Mutex::default();
    let source: Arc<dyn WakeSource<u32>> = Arc::new(Entrance { socket, jobs });
    ready.watch_at(&source);
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let ready = Arc::clone(&ready);
            thread::spawn(move || {
                let parker = Arc::new(Parker::default());
                let (mut done, mut finished) = (0, false);
                loop {
                    match ready.take(finished) {
                        Take::Job(_) => (done, finished) = (done + 1, true),
                        Take::Empty => {
                            finished = false;
                            ready.arrive(ready.park(&parker), true);
                        }
                        Take::Closed => return done,
                    }
                }
            })
        })
        .collect();
    for job in 0..20_000 {
        ready.push([job]);
        if job % 3 == 0 {
            ready.watch_at(&source);
        }
        while job % 64 == 0 && ready.idle() < 4 {
            thread::yield_now();
        }
    }
    while ready.idle() < 4 {
        thread::yield_now();
    }
    ready.close();
    let done: u32 = workers
        .into_iter()
        .map(|it| it.join().expect("no panic"))
        .sum();
    assert_eq!(done, 20_000);
}
