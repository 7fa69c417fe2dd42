//! The ready queue: what a job costs on its way from the fetcher to a worker, in batches as they are claimed, and
//! what it costs to wake a worker that sleeps.

#![allow(missing_docs)]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use footplate::engine::ready::{Ready, Take};
use footplate::engine::sync::Parker;

/// One thread pushes a batch and takes it: the cost of the queue itself, without a wake-up.
fn push_and_take(c: &mut Criterion) {
    let mut group = c.benchmark_group("ready/push and take");
    for batch in [1_u64, 10, 1_000] {
        let ready = Ready::new(10, || {});
        ready.set_prefetch(1_000);
        let mut finished = false;
        group.throughput(Throughput::Elements(batch));
        group.bench_function(BenchmarkId::from_parameter(batch), |b| {
            b.iter(|| {
                ready.push(0..batch);
                for _ in 0..batch {
                    black_box(ready.take(finished));
                    finished = true;
                }
                black_box(ready.demand(0));
            });
        });
    }
    group.finish();
}

/// A worker's thread: parks whenever there is nothing, and answers each job.
fn work(ready: &Ready<u64>, answers: &mpsc::Sender<u64>) {
    let parker = Arc::new(Parker::default());
    let mut finished = false;
    loop {
        match ready.take(finished) {
            Take::Job(job) => {
                finished = true;
                if answers.send(job).is_err() {
                    return;
                }
            }
            Take::Empty => {
                finished = false;
                let parked = ready.park(&parker);
                ready.arrive(parked, true);
            }
            Take::Closed => return,
        }
    }
}

/// From a push to a sleeping worker until it has the job and says so.
fn wake(c: &mut Criterion) {
    let ready = Arc::new(Ready::new(1, || {}));
    let (answers, answered) = mpsc::channel();
    let worker = {
        let ready = Arc::clone(&ready);
        std::thread::spawn(move || work(&ready, &answers))
    };
    let mut group = c.benchmark_group("ready/wake");
    group.bench_function("round trip", |b| {
        b.iter_custom(|rounds| {
            let mut took = Duration::ZERO;
            for round in 0..rounds {
                let from = Instant::now();
                ready.push([round]);
                answered.recv().expect("the worker answers");
                took += from.elapsed();
            }
            took
        });
    });
    group.finish();
    ready.close();
    worker.join().expect("the worker ends");
}

criterion_group!(benches, push_and_take, wake);
criterion_main!(benches);
