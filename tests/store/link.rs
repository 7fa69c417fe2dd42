use footplate::store::{Store, StoreError, Touched};

use crate::support::{LONG, Server, claim, heard, layout, queues, sidekiq, spaced};

fn touches(key: &'static str) -> impl Fn(&Touched) -> bool {
    move |message| matches!(message, Touched::Keys(keys) if keys.iter().any(|k| k == key))
}

#[tokio::test]
async fn the_server_introduces_itself() {
    let server = Server::start();
    let store = server.store().await;
    let facts = store.server();
    assert!(facts.version.unwrap() >= (6, 2, 0), "{facts:?}");
    assert_eq!(facts.maxmemory_policy.as_deref(), Some("noeviction"));
    assert!(facts.tracking);
    assert_eq!(store.connection_id(), 1);
    assert!(store.connected_since().is_some());
    assert!(
        server
            .run::<String>("CLIENT LIST")
            .contains("name=footplate ")
    );
    assert_eq!(
        server.run::<Vec<String>>("KEYS *"),
        [""; 0],
        "left by the check of rights"
    );
}

#[tokio::test]
async fn what_others_touch_is_heard() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let (store, mut touched) = server.open().await;
    assert_eq!(touched.recv().await, Some(Touched::Everything));
    store.watch("host:1:abc-signals".to_owned()).await.unwrap();
    for (command, key) in [
        ("LPUSH queue:a 1", "queue:a"),
        ("ZADD schedule 1 a", "schedule"),
        ("ZADD retry 1 a", "retry"),
        ("SADD paused b", "paused"),
        ("LPUSH host:1:abc-signals TERM", "host:1:abc-signals"),
    ] {
        server.run::<()>(command);
        heard(&mut touched, touches(key)).await;
    }
    // Our own as well, but not a claim that finds nothing: the next message is another client's.
    store.take_lease("me", LONG).await.unwrap();
    assert_eq!(store.claim(&claim(1, 5, &names)).await.unwrap().len(), 1);
    heard(&mut touched, touches("queue:a")).await;
    assert!(store.claim(&claim(2, 5, &names)).await.unwrap().is_empty());
    server.run::<()>("LPUSH queue:mark 1");
    let next = touched.recv().await;
    assert_eq!(next, Some(Touched::Keys(vec!["queue:mark".to_owned()])));
    server.run::<()>("FLUSHALL");
    heard(&mut touched, |message| *message == Touched::Everything).await;
}

#[tokio::test]
async fn only_keys_of_the_namespace_are_heard() {
    let server = Server::start();
    let opened = Store::open(&server.settings(), spaced("app")).await;
    let (_store, mut touched) = opened.unwrap();
    heard(&mut touched, |it| *it == Touched::Everything).await;
    server.run::<()>("LPUSH queue:a 1");
    server.run::<()>("LPUSH app:queue:b 1");
    let first = heard(&mut touched, |_| true).await;
    assert_eq!(first, Touched::Keys(vec!["app:queue:b".to_owned()]));
}

#[tokio::test]
async fn a_killed_connection_is_replaced_and_still_listens() {
    let server = Server::start();
    let (store, mut touched) = server.open().await;
    store.watch("me-signals".to_owned()).await.unwrap();
    server.run::<()>("CLIENT KILL TYPE normal SKIPME yes");
    // Heard without a call being made.
    heard(&mut touched, |message| *message == Touched::Lost).await;
    assert!(store.connected_since().is_none());
    store.ping().await.unwrap();
    assert_eq!(store.connection_id(), 2);
    heard(&mut touched, |message| *message == Touched::Everything).await;
    server.run::<()>("LPUSH me-signals TERM");
    heard(&mut touched, touches("me-signals")).await;
}

#[tokio::test]
async fn many_callers_make_one_connection() {
    let server = Server::start();
    let store = server.store().await;
    server.run::<()>("CLIENT KILL TYPE normal SKIPME yes");
    let (a, b, c) = tokio::join!(store.ping(), store.ping(), store.ping());
    // Those that were on their way when it was noticed may fail; none of them connects twice.
    drop((a, b, c));
    store.ping().await.unwrap();
    assert_eq!(store.connection_id(), 2);
}

#[tokio::test]
async fn nobody_there_is_said_and_is_temporary() {
    let mut server = Server::start();
    let settings = server.settings();
    server.kill();
    let error = Store::open(&settings, layout(&[sidekiq()]))
        .await
        .err()
        .unwrap();
    assert!(
        matches!(error, StoreError::Unavailable(_)) && error.is_temporary(),
        "{error}"
    );
}
