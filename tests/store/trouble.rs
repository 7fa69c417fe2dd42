use footplate::job::Outcome;
use footplate::store::{Beat, MayWait, Store, StoreError, Touched};
use std::time::Duration;

use crate::support::{
    LONG, Scratch, Server, claim, heard, layout, payloads, presence, queue, queue_of, queues,
    settlement, sidekiq, success, until,
};

#[tokio::test]
async fn scripts_that_the_server_forgot_run_all_the_same() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    server.push("a", &["1", "2"]);
    for number in 1..=2 {
        server.run::<()>("SCRIPT FLUSH");
        let jobs = store.claim(&claim(number, 1, &names)).await.unwrap();
        server.run::<()>("SCRIPT FLUSH");
        assert_eq!(
            store
                .acknowledge("me", &[(jobs[0].token, queue("a"))], &success())
                .await
                .unwrap(),
            1
        );
    }
    assert_eq!(server.number("stat:processed"), 2);
}

#[tokio::test]
async fn a_server_that_became_a_replica_is_left_and_nothing_is_lost() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let (store, mut touched) = server.open().await;
    store.take_lease("me", LONG).await.unwrap();
    server.push("a", &["1", "2"]);
    store.claim(&claim(1, 1, &names)).await.unwrap();
    server.run::<()>("REPLICAOF 127.0.0.1 1");
    let refused = store.claim(&claim(2, 1, &names)).await;
    assert!(
        matches!(&refused, Err(StoreError::Refused(why)) if why.starts_with("READONLY")),
        "{refused:?}"
    );
    heard(&mut touched, |message| *message == Touched::Lost).await;
    let refused = store
        .acknowledge("me", &[(10_000, queue("a"))], &success())
        .await;
    assert!(
        matches!(&refused, Err(error) if error.is_temporary()),
        "{refused:?}"
    );
    server.run::<()>("REPLICAOF NO ONE");
    assert_eq!(
        store
            .acknowledge("me", &[(10_000, queue("a"))], &success())
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        payloads(&store.claim(&claim(2, 1, &names)).await.unwrap()),
        ["2"]
    );
    assert!(store.connection_id() >= 2);
}

#[tokio::test]
async fn a_full_server_is_drained() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    server.push("a", &["1", "2", "3", "4"]);
    server.run::<()>("CONFIG SET maxmemory 1");
    // As any other client finds it.
    let mut connection = server.client().get_connection().unwrap();
    let refused = redis::cmd("LPUSH")
        .arg("queue:a")
        .arg(5)
        .query::<()>(&mut connection);
    assert_eq!(refused.unwrap_err().code(), Some("OOM"));

    assert_eq!(
        payloads(&store.claim(&claim(1, 3, &names)).await.unwrap()),
        ["1", "2", "3"]
    );
    assert_eq!(store.claim(&claim(1, 3, &names)).await.unwrap().len(), 3);
    let outcomes = [
        settlement(
            10_000,
            "a",
            &Outcome::Retry {
                at: 1.0,
                payload: b"1".to_vec(),
            },
        ),
        settlement(10_001, "a", &Outcome::Returned),
    ];
    assert_eq!(store.settle("me", &outcomes).await.unwrap(), [true, true]);
    assert_eq!(
        store
            .acknowledge("me", &[(10_002, queue("a"))], &success())
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        store.handoff(queue_of("a")).may_wait("me").await.unwrap(),
        MayWait::Free
    );
    assert!(store.renew_lease("me", LONG).await.unwrap());
    let beat = Beat {
        presence: presence("id"),
        identity: "id".to_owned(),
        fields: Vec::new(),
        work: Vec::new(),
        ttl: LONG,
    };
    store.beat(&beat).await.unwrap();
    store.clear_process("id", &presence("id")).await.unwrap();
    assert_eq!(store.release_lease("me").await.unwrap(), 0);
    assert_eq!(server.run::<u64>("SCARD processes"), 0);
    assert_eq!(server.queue("a"), ["2", "4"]);
    assert_eq!(server.run::<u64>("ZCARD retry"), 1);
    assert_eq!(server.in_flight("me"), 0);
}

#[tokio::test]
async fn a_claim_whose_reply_was_lost_is_repeated_on_the_next_connection() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let mut settings = server.settings();
    settings.connect_timeout = Some(0.3);
    settings.response_timeout = Some(0.3);
    let (store, _touched) = Store::open(&settings, layout(&[sidekiq()])).await.unwrap();
    store.take_lease("me", LONG).await.unwrap();
    server.push("a", &["1", "2", "3"]);
    server.signal("STOP");
    let lost = store.claim(&claim(1, 2, &names)).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    // No connection can be made either, and that is said in time.
    let start = std::time::Instant::now();
    let lost = store.claim(&claim(1, 2, &names)).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    assert!(start.elapsed() < Duration::from_secs(5));
    // Callers who wait for one attempt share its failure.
    let start = std::time::Instant::now();
    let tries = tokio::join!(
        store.ping(),
        store.ping(),
        store.ping(),
        store.ping(),
        store.ping()
    );
    assert!(tries.0.is_err() && tries.4.is_err());
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    server.signal("CONT");
    let jobs = until("the server answers", async || {
        store.claim(&claim(1, 2, &names)).await.ok()
    })
    .await;
    assert_eq!(payloads(&jobs), ["1", "2"]);
    assert_eq!(server.in_flight("me"), 2);
    assert_eq!(server.queue("a"), ["3"]);
}

#[tokio::test]
async fn a_server_that_restarts_is_found_again() {
    let mut server = Server::start();
    let (store, mut touched) = server.open().await;
    server.kill();
    heard(&mut touched, |message| *message == Touched::Lost).await;
    assert!(store.ping().await.is_err());
    let dir = std::mem::replace(&mut server.dir, Scratch::new());
    let _server = Server::with(dir, &["--port", "0"]);
    store.ping().await.unwrap();
    store.take_lease("me", LONG).await.unwrap();
    assert!(store.server().tracking);
}

/// Until somebody kills it.
fn endless_script(client: redis::Client) -> std::thread::JoinHandle<redis::RedisResult<()>> {
    std::thread::spawn(move || {
        let mut connection = client.get_connection().unwrap();
        let endless = redis::cmd("EVAL")
            .arg("while true do end")
            .arg(0)
            .to_owned();
        endless.query::<()>(&mut connection)
    })
}

#[tokio::test]
async fn a_script_that_blocks_the_server_is_waited_out() {
    let server = Server::start();
    let store = server.store().await;
    server.run::<()>("CONFIG SET lua-time-limit 1");
    let busy = endless_script(server.client());
    let refused = until("the server is busy", async || store.ping().await.err()).await;
    assert!(
        matches!(&refused, StoreError::Refused(why) if why.starts_with("BUSY")),
        "{refused}"
    );
    server.run::<()>("SCRIPT KILL");
    assert!(busy.join().unwrap().is_err());
    store.ping().await.unwrap();
    assert_eq!(store.connection_id(), 1);
}

#[tokio::test]
async fn keys_of_a_wrong_type_are_named() {
    let server = Server::start();
    let store = server.store().await;
    server.push("a", &["1"]);
    server.run::<u32>("SADD queues a");
    server.run::<u32>("INCR stat:processed");
    assert_eq!(store.wrong_types(sidekiq().types()).await.unwrap(), []);
    server.run::<String>("SET retry 1");
    server.run::<u32>("HSET stat:failed a 1");
    let said: Vec<String> = store
        .wrong_types(sidekiq().types())
        .await
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        said,
        [
            "the key retry in Redis holds a string, and jobs need a zset there; rename or delete that key",
            "the key stat:failed in Redis holds a hash, and jobs need a string there; rename or delete that key",
        ]
    );
}

/// Keeps the server busy for longer than a reply may take, and then until it says so.
async fn busy(server: &Server, store: &Store) {
    server.run::<()>("CONFIG SET lua-time-limit 600");
    let script = endless_script(server.client());
    let refused = until("it says that it is busy", async || {
        let error = store.ping().await.err()?;
        error
            .to_string()
            .to_lowercase()
            .contains("busy")
            .then_some(error)
    })
    .await;
    assert!(refused.is_temporary(), "{refused}");
    server.run::<()>("SCRIPT KILL");
    assert!(script.join().unwrap().is_err(), "it is killed");
}

#[tokio::test]
async fn what_a_busy_server_says_is_not_taken_for_what_it_can_do() {
    let server = Server::start();
    let mut settings = server.settings();
    settings.response_timeout = Some(0.2);
    settings.db = 3;
    let (store, mut touched) = Store::open(&settings, layout(&[sidekiq()])).await.unwrap();
    store.watch("me-signals".to_owned()).await.unwrap();
    let facts = store.server();
    busy(&server, &store).await;
    until("it answers", async || store.ping().await.ok()).await;
    assert_eq!(store.server(), facts);
    let told = |key| move |it: &Touched| *it == Touched::Keys(vec![String::from(key)]);
    for key in ["queue:a", "me-signals"] {
        server.run::<()>(&format!("LPUSH {key} 1"));
        heard(&mut touched, told(key)).await;
    }
    assert!(
        server
            .run::<String>("CLIENT LIST")
            .contains("name=footplate ")
    );
}

#[tokio::test]
async fn the_right_to_be_told_comes_and_goes() {
    let server = Server::start();
    let (store, mut touched) = server.open().await;
    server.run::<()>("ACL SETUSER default -client|tracking");
    server.run::<()>("CLIENT KILL TYPE normal SKIPME yes");
    server.run::<()>("CLIENT KILL TYPE pubsub SKIPME yes");
    heard(&mut touched, |it| *it == Touched::Lost).await;
    store.ping().await.unwrap();
    heard(&mut touched, |it| *it == Touched::Everything).await;
    assert!(!store.is_told());
    store.ask_to_be_told().await.unwrap();
    assert!(!store.is_told());
    server.run::<()>("ACL SETUSER default +client|tracking");
    store.ask_to_be_told().await.unwrap();
    assert!(store.is_told());
    heard(&mut touched, |it| *it == Touched::Everything).await;
    server.run::<()>("LPUSH queue:a 1");
    let told = Touched::Keys(vec!["queue:a".to_owned()]);
    heard(&mut touched, |it| *it == told).await;
    // Asked where it is known, it is nobody's business.
    store.ask_to_be_told().await.unwrap();
    assert_eq!(store.connection_id(), 2);
}
