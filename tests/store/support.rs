//! A server per test, and what the tests ask of it.

use std::future::Future;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use footplate::config::redis::RedisSettings;
use footplate::store::{Claim, Claimed, Keys, Store, StoreError, Touched};
use tokio::sync::mpsc::UnboundedReceiver;

pub(crate) const DAY: &str = "2026-03-04";
pub(crate) const NOW: f64 = 1_772_582_400.25;
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A directory of its own, removed at the end.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("footplate-test-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A Redis server on a private socket; gone when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) dir: Scratch,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(Scratch::new(), &["--port", "0"])
    }

    pub(crate) fn with(dir: Scratch, options: &[&str]) -> Self {
        let child = Self::spawn(&dir, options);
        let server = Self { child, dir };
        eventually("the server answers", || {
            let mut connection = server.client().get_connection().ok()?;
            // Servers that want a password answer too.
            let reply: redis::RedisResult<String> = redis::cmd("PING").query(&mut connection);
            reply.is_ok_and(|pong| pong == "PONG").then_some(())
        });
        server
    }

    fn spawn(dir: &Scratch, options: &[&str]) -> Child {
        let binary = std::env::var("FOOTPLATE_TEST_REDIS_SERVER");
        Command::new(binary.as_deref().unwrap_or("redis-server"))
            .args(["--save", "", "--appendonly", "no", "--bind", "127.0.0.1"])
            .args(["--unixsocket".as_ref(), dir.0.join("socket").as_os_str()])
            .args(["--dir".as_ref(), dir.0.as_os_str()])
            .args(options)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server can be started")
    }

    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.dir.0.join("socket").display())
    }

    pub(crate) fn client(&self) -> redis::Client {
        redis::Client::open(self.url()).unwrap()
    }

    /// Runs a command, given as one line, on a connection of another client.
    pub(crate) fn run<T: redis::FromRedisValue>(&self, line: &str) -> T {
        let mut words = line.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        for word in words {
            command.arg(word);
        }
        let mut connection = self.client().get_connection().unwrap();
        command
            .query(&mut connection)
            .unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status();
        assert!(status.unwrap().success());
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(crate) fn settings(&self) -> RedisSettings {
        RedisSettings {
            path: Some(self.dir.0.join("socket")),
            connect_timeout: Some(5.0),
            ..RedisSettings::default()
        }
    }

    pub(crate) async fn open(&self) -> (Store, UnboundedReceiver<Touched>) {
        Store::open(&self.settings(), Keys::default())
            .await
            .unwrap()
    }

    pub(crate) async fn store(&self) -> Store {
        self.open().await.0
    }

    /// Pushes payloads as a client does: the first one is the oldest.
    pub(crate) fn push(&self, queue: &str, payloads: &[&str]) {
        let mut push = redis::cmd("LPUSH");
        push.arg(format!("queue:{queue}")).arg(payloads);
        push.query::<()>(&mut self.client().get_connection().unwrap())
            .unwrap();
    }

    /// A queue's payloads, next to be popped first.
    pub(crate) fn queue(&self, queue: &str) -> Vec<String> {
        let mut payloads: Vec<String> = self.run(&format!("LRANGE queue:{queue} 0 -1"));
        payloads.reverse();
        payloads
    }

    /// How many jobs are in a holder's table.
    pub(crate) fn in_flight(&self, holder: &str) -> usize {
        let fields: Vec<String> = self.run(&format!("HKEYS footplate:inflight:{holder}"));
        fields
            .iter()
            .filter(|field| !field.starts_with('#'))
            .count()
    }

    pub(crate) fn number(&self, key: &str) -> u64 {
        self.run::<Option<u64>>(&format!("GET {key}")).unwrap_or(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How often Redis carried out a command, in scripts too.
pub(crate) fn calls(server: &Server, command: &str) -> u64 {
    let stats: String = server.run("INFO commandstats");
    let prefix = format!("cmdstat_{command}:calls=");
    stats
        .lines()
        .filter_map(|line| {
            line.strip_prefix(&prefix)?
                .split(',')
                .next()?
                .parse::<u64>()
                .ok()
        })
        .sum()
}

/// Microseconds for which a call that is one script keeps Redis: the least of ten, since the machine may be busy with
/// something else.
pub(crate) async fn shortest_script<T, F: Future<Output = Result<T, StoreError>>>(
    server: &Server,
    mut call: impl FnMut() -> F,
) -> u64 {
    call().await.unwrap();
    let mut shortest = u64::MAX;
    for _ in 0..10 {
        server.run::<()>("CONFIG RESETSTAT");
        call().await.unwrap();
        let stats: String = server.run("INFO commandstats");
        let line = stats.lines().find(|it| it.starts_with("cmdstat_evalsha:"));
        let field = line.and_then(|it| it.split(',').find_map(|it| it.strip_prefix("usec=")));
        shortest = shortest.min(field.unwrap().parse().unwrap());
    }
    shortest
}

/// A claim with room to spare.
pub(crate) fn claim<'a>(number: u64, limit: usize, queues: &'a [Arc<str>]) -> Claim<'a> {
    let first_token = number * 10_000;
    Claim {
        holder: "me",
        number,
        first_token,
        limit,
        byte_limit: 1 << 20,
        startable: limit,
        parcel: 0,
        large: 0,
        large_in: &[],
        queues,
        shares: &[],
    }
}

pub(crate) fn queues(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|name| Arc::from(*name)).collect()
}

pub(crate) fn payloads(jobs: &[Claimed]) -> Vec<&str> {
    jobs.iter()
        .map(|job| std::str::from_utf8(&job.payload).unwrap())
        .collect()
}

/// What Redis packed into a parcel.
pub(crate) fn parcel_contents(mut packed: &[u8]) -> Vec<String> {
    let count = rmp::decode::read_array_len(&mut packed).unwrap();
    let mut take = || {
        let length = rmp::decode::read_str_len(&mut packed).unwrap() as usize;
        let (payload, rest) = packed.split_at(length);
        packed = rest;
        String::from_utf8(payload.to_vec()).unwrap()
    };
    (0..count).map(|_| take()).collect()
}

/// The orphans, after all leases that have ended were found not to be renewed for long enough.
pub(crate) async fn orphans(store: &Store) -> Vec<String> {
    let seen = store.look_at_leases(&[], 16).await.unwrap();
    store.look_at_leases(&seen.held, 16).await.unwrap().orphans
}

/// Looks until there is an answer; a deadline, not a delay.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The same for a question that is asked of a store.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Waits for a message that `wanted` likes, and returns it.
pub(crate) async fn heard(
    touched: &mut UnboundedReceiver<Touched>,
    wanted: impl Fn(&Touched) -> bool,
) -> Touched {
    let search = async {
        loop {
            let message = touched.recv().await.expect("the store lives");
            if wanted(&message) {
                return message;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), search)
        .await
        .expect("a message")
}
