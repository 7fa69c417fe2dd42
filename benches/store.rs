//! Claim and acknowledge against a real Redis, per batch size and per number of jobs in flight.
//! After each case the server's own time per job is printed, from `INFO commandstats`.

#![allow(missing_docs)]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use footplate::config::redis::RedisSettings;
use footplate::store::{Claim, Keys, Store};

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

    /// Microseconds spent in scripts since the last reset.
    fn script_micros(&self) -> f64 {
        let stats = self.run(&["INFO", "commandstats"]);
        let line = stats
            .lines()
            .find(|line| line.starts_with("cmdstat_evalsha:"));
        line.and_then(|line| line.split("usec=").nth(1)?.split(',').next()?.parse().ok())
            .unwrap_or(0.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Claims and acknowledges `jobs` jobs in batches; returns how long that took.
async fn drain(store: &Store, number: &mut u64, jobs: u64, batch: usize) -> Duration {
    let queues: [Arc<str>; 1] = [Arc::from("default")];
    let start = Instant::now();
    let mut done = 0;
    while done < jobs {
        *number += 1;
        let claim = Claim {
            holder: "bench",
            number: *number,
            first_token: *number * 10_000,
            limit: batch,
            byte_limit: 4 << 20,
            queues: &queues,
        };
        let claimed = store.claim(&claim).await.expect("a claim");
        assert!(!claimed.is_empty(), "the queue ran dry");
        done += claimed.len() as u64;
        let tokens: Vec<_> = claimed.iter().map(|job| (job.token, "default")).collect();
        store
            .acknowledge("bench", &tokens, "2026-03-04")
            .await
            .expect("an acknowledgement");
    }
    start.elapsed()
}

fn claim_and_acknowledge(criterion: &mut Criterion) {
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let settings = RedisSettings::from_url(server.url()).expect("settings");
    let (store, _touched) = runtime
        .block_on(Store::open(&settings, Keys::default()))
        .expect("a store");
    let mut group = criterion.benchmark_group("claim and acknowledge, per job");
    group
        .measurement_time(Duration::from_secs(3))
        .warm_up_time(Duration::from_secs(1));
    group.throughput(Throughput::Elements(1));
    let mut number = 0;
    for in_flight in [0, 1000] {
        for batch in [1, 10, 100, 500, 1000] {
            server.run(&["FLUSHALL"]);
            runtime
                .block_on(store.take_lease("bench", Duration::from_secs(3600)))
                .expect("a lease");
            if in_flight > 0 {
                server.fill(in_flight);
                number += 1;
                let queues: [Arc<str>; 1] = [Arc::from("default")];
                let held = Claim {
                    holder: "bench",
                    number,
                    first_token: number * 10_000,
                    limit: in_flight,
                    byte_limit: 64 << 20,
                    queues: &queues,
                };
                runtime.block_on(store.claim(&held)).expect("a claim");
            }
            let (mut jobs, mut micros) = (0, 0.0);
            let id = BenchmarkId::new(format!("{in_flight} in flight"), batch);
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|iterations| {
                    server.fill(usize::try_from(iterations).expect("fits") + batch);
                    let before = server.script_micros();
                    let took = runtime.block_on(drain(&store, &mut number, iterations, batch));
                    micros += server.script_micros() - before;
                    jobs += iterations;
                    server.run(&["DEL", "queue:default"]);
                    took
                });
            });
            println!(
                "  Redis: {:.2} us per job, {batch} per batch",
                micros / jobs as f64
            );
        }
    }
}

criterion_group!(benches, claim_and_acknowledge);
criterion_main!(benches);
