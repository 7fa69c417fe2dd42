//! Jobs that have been running when two processes died: the third time they run alone.

use footplate::job::{Outcome, Queue};
use footplate::store::{Claim, Claims, Store};
use std::sync::Arc;

use crate::support::{LONG, Server, claim, payloads, poisoned, queue, queues, settlement, success};

/// As recovery leaves jobs that have twice been running when a process died.
fn suspect(server: &Server, payloads: &[String]) {
    for payload in payloads {
        let hash = sha1_smol::Sha1::from(payload).digest();
        server.run::<u32>(&format!("SADD footplate:trials {hash}"));
        server.run::<String>(&format!("SET footplate:recovered:{hash} 2"));
    }
    server.run::<String>("SET footplate:suspects x EX 300");
}

fn named(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}{n}")).collect()
}

fn push(server: &Server, payloads: &[String]) {
    server.push(
        "a",
        &payloads.iter().map(String::as_str).collect::<Vec<_>>(),
    );
}

/// A holder that claims, one claim after the other.
struct Holder {
    name: &'static str,
    number: u64,
    store: Store,
    queues: Vec<Arc<Queue>>,
}

impl Holder {
    async fn new(server: &Server, name: &'static str) -> Self {
        let store = server.store().await;
        store.take_lease(name, LONG).await.unwrap();
        Self {
            name,
            number: 0,
            store,
            queues: queues(&["a"]),
        }
    }

    async fn claim(&mut self, limit: usize) -> Claims {
        self.number += 1;
        let request = Claim {
            holder: self.name,
            ..claim(self.number, limit, &self.queues)
        };
        self.store.claim(&request).await.unwrap()
    }

    async fn done(&self, claims: &Claims) {
        let done: Vec<_> = claims.iter().map(|job| (job.token, queue("a"))).collect();
        let kept = self
            .store
            .acknowledge(self.name, &done, &success())
            .await
            .unwrap();
        assert_eq!(kept, claims.len());
    }

    /// Dies with what it has. Says how many jobs went back, and which are buried.
    async fn die(self) -> (usize, Vec<String>) {
        self.store.abandon(self.name).await.unwrap();
        let (mut requeued, mut buried) = (0, Vec::new());
        loop {
            let step = self
                .store
                .recover(self.name, 7, 1 << 20, 3, poisoned)
                .await
                .unwrap();
            requeued += step.requeued;
            let payloads = step.buried.into_iter().map(|it| it.payload);
            buried.extend(payloads.map(|it| String::from_utf8(it).unwrap()));
            if step.done {
                return (requeued, buried);
            }
        }
    }
}

#[tokio::test]
async fn jobs_that_died_together_twice_are_tried_alone() {
    let server = Server::start();
    server.push("a", &["one", "killer", "two"]);
    for holder in ["first", "second"] {
        let mut it = Holder::new(&server, holder).await;
        let claims = it.claim(50).await;
        assert_eq!((claims.len(), claims.held_back), (3, false));
        assert_eq!(it.die().await, (3, vec![]));
    }
    server.push("a", &["new"]);
    let mut third = Holder::new(&server, "third").await;
    let claims = third.claim(50).await;
    assert_eq!((payloads(&claims), claims.held_back), (vec!["one"], true));
    // Nothing for another worker meanwhile.
    let more = third.claim(50).await;
    assert_eq!((more.len(), more.held_back), (0, true));
    assert_eq!(server.queue("a"), ["killer", "two", "new"]);
    assert_eq!(third.die().await, (0, vec!["one".to_owned()]));
    assert_eq!(
        server.run::<Vec<String>>("ZRANGE dead 0 -1"),
        ["poison one"]
    );
    let left: Vec<String> = server.run("KEYS footplate:inflight:*");
    assert_eq!(left, [""; 0]);
}

#[tokio::test]
async fn a_queue_goes_on_behind_any_number_of_suspects() {
    let server = Server::start();
    let (suspects, others) = (named("suspect", 250), named("other", 20));
    suspect(&server, &suspects);
    push(&server, &suspects);
    push(&server, &others);
    let mut it = Holder::new(&server, "me").await;
    let trial = it.claim(50).await;
    assert_eq!(payloads(&trial), ["suspect0"]);
    it.done(&trial).await;
    // It took long: now the others have their turn, wherever they are.
    server.run::<u32>("HSET footplate:inflight:me #trial_from 1");
    let mut found = Vec::new();
    for _ in 0..4 {
        let claims = it.claim(50).await;
        found.extend(payloads(&claims).into_iter().map(str::to_owned));
    }
    assert_eq!(found, others);
    // And the suspects are all there, in their order.
    let mut left = server.queue("a");
    let first = left.iter().position(|it| it == "suspect1").unwrap();
    left.rotate_left(first);
    assert_eq!(left, suspects[1..]);
}

#[tokio::test]
async fn where_there_are_only_suspects_no_time_is_lost() {
    let server = Server::start();
    let suspects = named("suspect", 3);
    suspect(&server, &suspects);
    push(&server, &suspects);
    let mut it = Holder::new(&server, "me").await;
    for expected in &suspects {
        let trial = it.claim(50).await;
        assert_eq!(payloads(&trial), [expected]);
        it.done(&trial).await;
        server.run::<u32>("HSET footplate:inflight:me #trial_from 1");
    }
    assert_eq!(it.store.release_lease("me").await.unwrap(), 0);
}

#[tokio::test]
async fn a_busy_holder_stops_for_a_moment_to_be_alone_with_a_suspect() {
    let server = Server::start();
    suspect(&server, &["killer".to_owned()]);
    server.push("a", &["one", "killer", "two"]);
    let mut it = Holder::new(&server, "me").await;
    let one = it.claim(50).await;
    assert_eq!((payloads(&one), one.held_back), (vec!["one"], true));
    let none = it.claim(50).await;
    assert_eq!((none.len(), none.held_back), (0, true));
    assert_eq!(server.queue("a"), ["killer", "two"]);
    it.done(&one).await;
    let trial = it.claim(50).await;
    assert_eq!(payloads(&trial), ["killer"]);
    assert_eq!(it.die().await, (0, vec!["killer".to_owned()]));
}

/// What runs takes longer than others should wait for it.
#[tokio::test]
async fn a_holder_that_does_not_become_empty_goes_on_with_the_others() {
    let server = Server::start();
    suspect(&server, &["killer".to_owned()]);
    server.push("a", &["long", "killer", "two", "three"]);
    let mut it = Holder::new(&server, "me").await;
    assert_eq!(payloads(&it.claim(50).await), ["long"]);
    assert_eq!(it.claim(50).await.len(), 0);
    server.run::<u32>("HSET footplate:inflight:me #drain_until 1");
    assert_eq!(payloads(&it.claim(50).await), ["two", "three"]);
    assert_eq!(server.queue("a"), ["killer"]);
    // More patience the next time, which comes later than it lasts.
    let noted = |field: &str| -> f64 { server.run(&format!("HGET footplate:inflight:me {field}")) };
    let [seconds, _]: [u64; 2] = server.run("TIME");
    assert!(noted("#rest_until") > seconds as f64 + 9.0);
    assert!((noted("#drain_for") - 4.0).abs() < 0.01);
}

/// Nobody stops for a job that somebody else has taken meanwhile.
#[tokio::test]
async fn a_suspect_that_went_elsewhere_is_not_waited_for() {
    let server = Server::start();
    suspect(&server, &["killer".to_owned()]);
    server.push("a", &["one", "killer", "two"]);
    let mut it = Holder::new(&server, "me").await;
    let one = it.claim(50).await;
    assert_eq!(payloads(&one), ["one"]);
    it.done(&one).await;
    server.run::<String>("RPOP queue:a");
    assert_eq!(payloads(&it.claim(50).await), ["two"]);
}

#[tokio::test]
async fn in_company_nobody_is_blamed_and_the_next_trial_is_longer() {
    let server = Server::start();
    suspect(&server, &["long".to_owned()]);
    server.push("a", &["long"]);
    let mut it = Holder::new(&server, "first").await;
    assert_eq!(payloads(&it.claim(50).await), ["long"]);
    // It takes so long that others must not wait for it.
    server.push("a", &["fresh"]);
    server.run::<u32>("HSET footplate:inflight:first #trial_until 1");
    assert_eq!(payloads(&it.claim(50).await), ["fresh"]);
    assert_eq!(it.die().await, (2, vec![]));
    let mut it = Holder::new(&server, "second").await;
    assert_eq!(payloads(&it.claim(50).await), ["long"]);
    let noted =
        |field: &str| -> f64 { server.run(&format!("HGET footplate:inflight:second {field}")) };
    let length = noted("#trial_until") - noted("#trial_from");
    assert!((length - 20.0).abs() < 0.01, "{length}");
    assert_eq!(it.die().await, (0, vec!["long".to_owned()]));
}

#[tokio::test]
async fn a_job_that_stands_its_trial_makes_room_for_the_next() {
    let server = Server::start();
    let suspects = named("suspect", 2);
    suspect(&server, &suspects);
    push(&server, &suspects);
    let mut it = Holder::new(&server, "me").await;
    for expected in &suspects {
        let trial = loop {
            let claims = it.claim(50).await;
            if !claims.is_empty() {
                break claims;
            }
        };
        assert_eq!(payloads(&trial), [expected]);
        it.done(&trial).await;
    }
    assert_eq!(it.store.release_lease("me").await.unwrap(), 0);
    let left: Vec<String> = server.run("KEYS footplate:trials");
    assert_eq!(left, [""; 0]);
}

#[tokio::test]
async fn a_job_on_trial_that_goes_back_unstarted_is_still_to_be_tried() {
    let server = Server::start();
    let suspects = named("suspect", 2);
    suspect(&server, &suspects);
    push(&server, &suspects);
    let mut it = Holder::new(&server, "me").await;
    for _ in 0..2 {
        let claims = it.claim(50).await;
        assert_eq!(payloads(&claims), ["suspect0"]);
        let back = settlement(claims[0].token, "a", &Outcome::Returned);
        let settled = it.store.settle("me", &[back]).await.unwrap();
        assert_eq!(settled, [true]);
        let life: i64 = server.run("TTL footplate:trials");
        assert!(life > 0, "{life}");
    }
}
