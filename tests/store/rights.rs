use footplate::store::address::{RedisSettings, Secret};
use footplate::store::{MayWait, Store, StoreError};

use crate::support::{LONG, Server, layout, queue, queue_of, sidekiq, sidekiq_in, spaced};

/// A user with these rights, and how to connect as him.
fn user(server: &Server, rules: &str) -> RedisSettings {
    server.run::<()>(&format!("ACL SETUSER shop reset on >pw &* {rules}"));
    let mut settings = server.settings();
    settings.username = Some("shop".to_owned());
    settings.password = Some(Secret("pw".to_owned()));
    settings
}

/// As an engine tries at the start.
async fn tried(settings: &RedisSettings, namespace: &str) -> Result<(), StoreError> {
    let (dialect, layout) = (sidekiq_in(namespace), spaced(namespace));
    let mut samples = ["mail", "low"].map(|it| dialect.queue(0, it).key).to_vec();
    samples.extend(dialect.samples("host:1:ab"));
    samples.extend(layout.names.samples("host:1:ab"));
    let (store, _) = Store::open(settings, layout).await?;
    store.check_rights(&samples).await
}

#[tokio::test]
async fn a_missing_right_is_named_as_it_is_granted() {
    let server = Server::start();
    for (rules, missing) in [
        ("~* +@all -hset", "+hset"),
        ("~* +@all -zadd -rpush", "+rpush +zadd"),
        ("~* +@all -unlink", "+unlink"),
        ("~* +@all -evalsha", "+evalsha"),
        ("~* +@all -eval -evalsha", "+eval +evalsha"),
        (
            "+@all ~queue:low ~queues ~schedule ~retry ~dead ~process* ~paused ~stat:* ~host:* ~j|* ~h|*",
            "~queue:* ~footplate:*",
        ),
        (
            "+@all ~queue:* ~footplate:* ~stat:* ~host:* -hset",
            "+hset ~queues ~schedule ~retry ~dead ~processes \
          ~paused ~process_cleanup ~j|* ~h|*",
        ),
    ] {
        let error = tried(&user(&server, rules), "").await.unwrap_err();
        let grant = format!("ACL SETUSER shop {missing}");
        assert!(error.to_string().ends_with(&grant), "{rules}: {error}");
        // It is enough.
        server.run::<()>(&grant);
        let settings = user(&server, &format!("{rules} {missing}"));
        tried(&settings, "").await.unwrap();
    }
    assert_eq!(server.run::<Vec<String>>("KEYS *"), [""; 0]);
}

/// Nothing of a hand-off is tried at the start: it must do with what is.
#[tokio::test]
async fn the_rights_in_the_docs_are_enough_for_a_hand_off() {
    let server = Server::start();
    let page = include_str!("../../docs/redis.md");
    let (_, rights) = page.split_once("    ~* +eval").unwrap();
    let (rights, _) = rights.split_once("\n\n").unwrap();
    let rights: Vec<&str> = rights.split_whitespace().collect();
    let rules = format!(
        "~* +eval {} +blmove +client|id +client|unblock",
        rights.join(" ")
    );
    let settings = user(&server, &rules);
    tried(&settings, "").await.unwrap();
    let (store, _) = Store::open(&settings, layout(&[sidekiq()])).await.unwrap();
    store.take_lease("me", LONG).await.unwrap();
    let mut place = store.handoff(queue_of("a"));
    place.connect().await.unwrap();
    assert_eq!(place.may_wait("me").await.unwrap(), MayWait::Free);
    server.push("a", &["1"]);
    assert!(place.wait("me").await.unwrap().is_some());
    // In front of it one that came for a lost connection.
    server.run::<u32>("RPUSH footplate:handoff:me:queue:a 2");
    let adopted = store.adopt("me", queue("a"), 1 << 52, b"1").await.unwrap();
    assert_eq!(adopted, footplate::store::Adoption::Held);
    store.abandon("me").await.unwrap();
    assert_eq!(store.sweep_handoffs().await.unwrap(), 1);
}

#[tokio::test]
async fn what_may_only_be_read_is_not_enough() {
    let server = Server::start();
    // Before, an ACL did not tell reading from writing.
    if server.store().await.server().version < Some((7, 0, 0)) {
        return;
    }
    let error = tried(&user(&server, "+@all %R~*"), "").await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains(" ~queue:* ~queues "), "{error}");
}

#[tokio::test]
async fn keys_are_those_of_the_namespace() {
    let server = Server::start();
    let settings = user(&server, "~app:* +@all");
    tried(&settings, "app").await.unwrap();
    let error = tried(&settings, "shop").await.unwrap_err().to_string();
    assert!(error.contains(" ~shop:queue:* ~shop:queues "), "{error}");
}

#[tokio::test]
async fn a_full_server_is_not_about_rights() {
    let server = Server::start();
    server.run::<()>("CONFIG SET maxmemory 1");
    tried(&server.settings(), "").await.unwrap();
}

#[tokio::test]
async fn a_replica_is_told() {
    let server = Server::start();
    server.run::<()>("REPLICAOF 127.0.0.1 1");
    let error = tried(&server.settings(), "").await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Refused(why) if why.starts_with("READONLY ")),
        "{error}"
    );
}
