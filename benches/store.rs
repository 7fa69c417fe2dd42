//! Claim and acknowledge against a real Redis, per batch size and per number of jobs in flight.
//! After each case the server's own time per job is printed, from `INFO`.

#![allow(missing_docs)]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use footplate::dialect::{Dialect, Sidekiq};
use footplate::job::Queue;
use footplate::store::address::RedisSettings;
use footplate::store::{Claim, Layout, Names, Store};

const PAYLOAD: &str = r#"{"retry":true,"queue":"default","class":"NoopJob","args":[123456,1735689600.123],"jid":"0123456789abcdef01234567","created_at":1735689600123,"enqueued_at":1735689600123}"#;

struct Server {
    child: Child,
    dir: PathBuf,
}

impl Server {
    fn start() -> Self {
        let dir = std::env::temp_dir().join(format!("footplate-bench-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory");
        let binary = std::env::var("FOOTPLATE_TEST_REDIS_SERVER");
        let child = Command::new(binary.as_deref().unwrap_or("redis-server"))
            .args([
                "--port",
                "0",
                "--save",
                "",
                "--appendonly",
                "no",
                "--unixsocket",
            ])
            .arg(dir.join("socket"))
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server can be started");
        let server = Self { child, dir };
        let deadline = Instant::now() + Duration::from_secs(10);
        while server.client().get_connection().is_err() {
            assert!(Instant::now() < deadline, "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(5));
        }
        server
    }

    fn url(&self) -> String {
        format!("unix://{}", self.dir.join("socket").display())
    }

    fn client(&self) -> redis::Client {
        redis::Client::open(self.url()).expect("a URL")
    }

    fn fill(&self, jobs: usize) {
        let mut connection = self.client().get_connection().expect("a connection");
        for _ in 0..jobs.div_ceil(1000) {
            let mut push = redis::cmd("LPUSH");
            push.arg("queue:default").arg(vec![PAYLOAD; 1000]);
            push.query::<()>(&mut connection).expect("a push");
        }
    }

    fn run(&self, words: &[&str]) -> String {
        let mut connection = self.client().get_connection().expect("a connection");
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query(&mut connection).expect("a reply")
    }

    /// Microseconds of the server so far: in scripts by the clock, and of CPU time altogether.
    fn micros(&self) -> [f64; 2] {
        let stats = self.run(&["INFO", "everything"]);
        let number = |name: &str| -> Option<f64> {
            let line = stats.lines().find(|line| line.starts_with(name))?;
            let text = line
                .split("usec=")
                .nth(1)
                .or_else(|| line.split(':').nth(1))?;
            text.split(',').next()?.trim().parse().ok()
        };
        let cpu = ["used_cpu_user:", "used_cpu_sys:"].map(|name| number(name).unwrap_or(0.0));
        [
            number("cmdstat_evalsha:").unwrap_or(0.0),
            cpu.iter().sum::<f64>() * 1e6,
        ]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// As many as the engine puts into one at most.
const PARCEL: usize = 128;

fn sidekiq() -> Dialect {
    Dialect::Sidekiq(Sidekiq::default())
}

fn default_queue() -> Arc<Queue> {
    Arc::new(sidekiq().queue(0, "default"))
}

fn claim(number: u64, limit: usize, parcel: usize, queues: &[Arc<Queue>]) -> Claim<'_> {
    Claim {
        holder: "bench",
        number,
        first_token: number * 10_000,
        limit,
        byte_limit: 64 << 20,
        startable: 1,
        parcel,
        large: 0,
        large_in: &[],
        queues,
        shares: &[],
    }
}

/// Claims and acknowledges `jobs` jobs in batches, in parcels of so many or, with 0, one by one; returns how long that
/// took.
async fn drain(
    store: &Store,
    number: &mut u64,
    jobs: u64,
    batch: usize,
    parcel: usize,
) -> Duration {
    let queues: [Arc<Queue>; 1] = [default_queue()];
    let counters = sidekiq().success(1_772_582_400.0);
    let start = Instant::now();
    let mut done = 0;
    while done < jobs {
        *number += 1;
        let claimed = store.claim(&claim(*number, batch, parcel, &queues)).await;
        let claimed = claimed.expect("a claim");
        assert!(!claimed.is_empty(), "the queue ran dry");
        done += claimed.len() as u64;
        let (whole, single): (Vec<_>, Vec<_>) = claimed.iter().partition(|it| it.parcel.is_some());
        let single: Vec<_> = single.iter().map(|job| (job.token, &*queues[0])).collect();
        let mut whole: Vec<_> = whole.iter().filter_map(|job| job.parcel).collect();
        whole.dedup();
        let whole: Vec<_> = whole.iter().map(|parcel| (*parcel, &*queues[0])).collect();
        let one = store.acknowledge("bench", &single, &counters).await;
        let other = store.acknowledge_parcels("bench", &whole, &counters).await;
        let acknowledged = one.expect("an answer") + other.expect("an answer");
        assert_eq!(acknowledged, claimed.len());
    }
    start.elapsed()
}

fn claim_and_acknowledge(criterion: &mut Criterion) {
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let settings = RedisSettings {
        path: Some(server.dir.join("socket")),
        ..RedisSettings::default()
    };
    let (store, _touched) = runtime
        .block_on(Store::open(
            &settings,
            Layout::of(Names::default(), &[sidekiq()]),
        ))
        .expect("a store");
    let mut group = criterion.benchmark_group("claim and acknowledge, per job");
    group
        .measurement_time(Duration::from_secs(3))
        .warm_up_time(Duration::from_secs(1));
    group.throughput(Throughput::Elements(1));
    let mut number = 0;
    for (in_flight, parcel) in [(0, 0), (1000, 0), (0, PARCEL), (1000, PARCEL)] {
        for batch in [1, 10, 100, 500, 1000] {
            if batch < parcel {
                continue;
            }
            server.run(&["FLUSHALL"]);
            runtime
                .block_on(store.take_lease("bench", Duration::from_secs(3600)))
                .expect("a lease");
            if in_flight > 0 {
                server.fill(in_flight);
                number += 1;
                let queues: [Arc<Queue>; 1] = [default_queue()];
                let held = claim(number, in_flight, 0, &queues);
                runtime.block_on(store.claim(&held)).expect("a claim");
            }
            let (mut jobs, mut scripts, mut cpu) = (0, 0.0, 0.0);
            let how = if parcel > 0 { ", in parcels" } else { "" };
            let id = BenchmarkId::new(format!("{in_flight} in flight{how}"), batch);
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|iterations| {
                    server.fill(usize::try_from(iterations).expect("fits") + batch);
                    let before = server.micros();
                    let drained = drain(&store, &mut number, iterations, batch, parcel);
                    let took = runtime.block_on(drained);
                    let after = server.micros();
                    scripts += after[0] - before[0];
                    cpu += after[1] - before[1];
                    jobs += iterations;
                    server.run(&["DEL", "queue:default"]);
                    took
                });
            });
            if jobs == 0 {
                continue; // left out by a filter
            }
            let [scripts, cpu] = [scripts, cpu].map(|micros| micros / jobs as f64);
            println!("  Redis per job: {scripts:.2} us in scripts, {cpu:.2} us of CPU");
        }
    }
}

criterion_group!(benches, claim_and_acknowledge);
criterion_main!(benches);
