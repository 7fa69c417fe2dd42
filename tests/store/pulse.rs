//! Leases and heartbeats beside a load.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use footplate::job::{Envelope, Job, Token};
use footplate::store::address::RedisSettings;
use footplate::store::{Beat, Store, StoreError};

use crate::support::{
    LONG, Server, claim, layout, presence, queue_of, queues, shortest_script, sidekiq, until,
};

/// Stands between a store and its server, and may leave the first connection hanging.
struct Middleman {
    socket: PathBuf,
    hang: Arc<AtomicBool>,
}

impl Middleman {
    fn before(server: &Server) -> Self {
        let socket = server.dir.0.join("middleman");
        let listener = UnixListener::bind(&socket).unwrap();
        let behind = server.dir.0.join("socket");
        let hang = Arc::new(AtomicBool::new(false));
        let first = Arc::clone(&hang);
        std::thread::spawn(move || {
            let never = Arc::new(AtomicBool::new(false));
            let hangs = std::iter::once(first).chain(std::iter::repeat(never));
            for (client, hang) in listener.incoming().zip(hangs) {
                let (client, server) = (client.unwrap(), UnixStream::connect(&behind).unwrap());
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                for (from, to) in [(client, server), back] {
                    let hang = Arc::clone(&hang);
                    std::thread::spawn(move || pass_on(from, to, &hang));
                }
            }
        });
        Self { socket, hang }
    }

    async fn store(&self) -> Store {
        let settings = RedisSettings {
            path: Some(self.socket.clone()),
            response_timeout: Some(1.0),
            ..RedisSettings::default()
        };
        Store::open(&settings, layout(&[sidekiq()]))
            .await
            .unwrap()
            .0
    }
}

/// Until one side has gone, or for ever.
fn pass_on(mut from: UnixStream, mut to: UnixStream, hang: &AtomicBool) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        while hang.load(Ordering::Acquire) {
            std::thread::park();
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

fn beat(work: Vec<(String, Vec<u8>)>) -> Beat {
    Beat {
        presence: presence("host:1:abc"),
        identity: "host:1:abc".to_owned(),
        fields: vec![("info".to_owned(), "{}".to_owned())],
        work,
        ttl: LONG,
    }
}

#[tokio::test]
async fn lease_and_heartbeat_go_on_while_the_jobs_connection_hangs() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let middleman = Middleman::before(&server);
    let store = middleman.store().await;
    store.take_lease("me", LONG).await.unwrap();
    middleman.hang.store(true, Ordering::Release);
    let claim = claim(1, 1, &names);
    let load = async {
        let error = store.claim(&claim).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    };
    let life = async {
        assert!(store.renew_lease("me", LONG).await.unwrap());
        store.beat(&beat(Vec::new())).await.unwrap();
        store.release_lease("me").await.unwrap();
        store
            .clear_process("host:1:abc", &presence("host:1:abc"))
            .await
            .unwrap();
    };
    let began = Instant::now();
    let ((), lived) = tokio::join!(load, async {
        life.await;
        began.elapsed()
    });
    assert!(lived < began.elapsed(), "it waited for the load: {lived:?}");
}

/// Whoever renews late because of an outage must get the time to: so what counts is the connection that noticed it.
#[tokio::test]
async fn the_younger_connection_tells_since_when_redis_is_there() {
    let server = Server::start();
    let store = server.store().await;
    let before = store.connected_since().unwrap();
    // The signs of life come second.
    let list: String = server.run("CLIENT LIST");
    let ids = list.lines().filter(|it| it.contains("name=footplate "));
    let second = ids.filter_map(|it| it.split(' ').next()?.strip_prefix("id="));
    let second = second.max_by_key(|it| it.parse::<u64>().unwrap());
    server.run::<()>(&format!("CLIENT KILL ID {}", second.unwrap()));
    until("the loss is noticed", || async {
        store.connected_since().is_none().then_some(())
    })
    .await;
    store.ping().await.unwrap();
    assert_eq!(store.connection_id(), 1);
    store.take_lease("me", LONG).await.unwrap();
    assert!(store.connected_since().unwrap() > before);
}

#[tokio::test]
async fn a_heartbeat_keeps_redis_for_5_ms_at_most_whatever_runs() {
    let server = Server::start();
    let store = server.store().await;
    let sizes = [1_000, 40_000, 1_000_000];
    for size in sizes {
        let args = "x".repeat(size);
        let payload = format!(r#"{{"class":"A","jid":"b","queue":"q","args":["{args}"]}}"#);
        let job = Job {
            token: Token(1),
            parcel: None,
            epoch: 1,
            queue: queue_of("q"),
            envelope: Envelope::read(payload.as_bytes()),
            payload: payload.into_bytes().into_boxed_slice(),
        };
        let most = sidekiq().shown_bytes(std::iter::repeat_n(job.payload.len(), 1_000));
        let entry = |n| (format!("tid{n}"), sidekiq().work_entry(&job, most, n));
        let work = (0..1_000)
            .map(entry)
            .map(|(tid, it)| (tid, it.into_bytes()));
        let beat = beat(work.collect());
        store.beat(&beat).await.unwrap();
        let shortest = shortest_script(&server, || store.beat(&beat)).await;
        assert!(shortest < 5_000, "{shortest} µs with {size} bytes each");
        assert_eq!(server.run::<u64>("HLEN host:1:abc:work"), 1_000);
    }
}
