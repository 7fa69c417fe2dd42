//! A server per test, and what the tests ask of it.

use std::future::Future;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use footplate::dialect::{DeadLimits, Dialect, Keys, Note, Presence, Sidekiq, Writes};
use footplate::job::{Outcome, Queue};
use footplate::store::address::RedisSettings;
use footplate::store::{
    Claim, Claimed, Layout, Leaving, Names, Promotion, Settlement, Store, StoreError, Touched,
};
use tokio::sync::mpsc::UnboundedReceiver;

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
        Store::open(&self.settings(), layout(&[sidekiq()]))
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
pub(crate) fn claim<'a>(number: u64, limit: usize, queues: &'a [Arc<Queue>]) -> Claim<'a> {
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

pub(crate) fn sidekiq() -> Dialect {
    Dialect::Sidekiq(Sidekiq::default())
}

/// One whose dead set keeps other numbers.
pub(crate) fn sidekiq_with(dead: DeadLimits) -> Dialect {
    Dialect::Sidekiq(Sidekiq {
        dead,
        ..Sidekiq::default()
    })
}

/// What a store is told of these dialects, without a namespace.
pub(crate) fn layout(dialects: &[Dialect]) -> Layout {
    Layout::of(Names::default(), dialects)
}

/// The same for Sidekiq's keys under a namespace.
pub(crate) fn spaced(namespace: &str) -> Layout {
    Layout::of(Names::new(Some(namespace)), &[sidekiq_in(namespace)])
}

pub(crate) fn sidekiq_in(namespace: &str) -> Dialect {
    Dialect::Sidekiq(Sidekiq {
        keys: Keys::new(Some(namespace)),
        ..Sidekiq::default()
    })
}

/// Where Sidekiq's process of this identity shows itself.
pub(crate) fn presence(identity: &str) -> Presence {
    sidekiq().presence(identity)
}

/// Sidekiq's queues of these names.
pub(crate) fn queues(names: &[&str]) -> Vec<Arc<Queue>> {
    names.iter().map(|name| queue_of(name)).collect()
}

pub(crate) fn queue_of(name: &str) -> Arc<Queue> {
    Arc::new(sidekiq().queue(0, name))
}

/// The same for good.
pub(crate) fn queue(name: &str) -> &'static Queue {
    Box::leak(Box::new(sidekiq().queue(0, name)))
}

/// What Sidekiq writes of a job that ended at [`NOW`].
pub(crate) fn settlement(token: u64, name: &str, outcome: &Outcome) -> Settlement<'static> {
    settlement_by(&sidekiq(), token, name, outcome, NOW)
}

pub(crate) fn settlement_by(
    dialect: &Dialect,
    token: u64,
    name: &str,
    outcome: &Outcome,
    now: f64,
) -> Settlement<'static> {
    let queue = queue(name);
    Settlement {
        token,
        queue,
        leaving: Leaving::of(outcome),
        writes: dialect.settle(outcome, queue, now),
    }
}

/// One that goes to the back of another queue, and counts nothing.
pub(crate) fn moved(token: u64, name: &str, payload: &[u8], to: &str) -> Settlement<'static> {
    Settlement {
        writes: sidekiq().push(queue(to), payload.to_vec()),
        ..settlement(token, name, &Outcome::Failed)
    }
}

/// What a success moves at [`NOW`].
pub(crate) fn success() -> Vec<Note> {
    sidekiq().success(NOW)
}

/// To the dead set, with a word before it.
pub(crate) fn poisoned(_queue: &str, payload: &[u8]) -> Option<Writes> {
    let dead = Outcome::Dead {
        payload: [b"poison ", payload].concat(),
    };
    Some(sidekiq().settle(&dead, queue("a"), NOW))
}

/// To the dead set as it is.
pub(crate) fn poisoned_as_it_is(_queue: &str, _payload: &[u8]) -> Option<Writes> {
    Some(sidekiq().bury(NOW))
}

/// A due member to the back of a queue.
pub(crate) fn push(member: &[u8], name: &str, payload: &[u8]) -> Promotion {
    Promotion {
        member: member.to_vec(),
        writes: sidekiq().push(queue(name), payload.to_vec()),
    }
}

/// One that cannot be read.
pub(crate) fn bury(member: &[u8]) -> Promotion {
    Promotion {
        member: member.to_vec(),
        writes: sidekiq().bury(NOW),
    }
}

/// One that is forgotten.
pub(crate) fn drop_it(member: &[u8]) -> Promotion {
    Promotion {
        member: member.to_vec(),
        writes: Writes::default(),
    }
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
