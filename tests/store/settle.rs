use footplate::dialect::DeadLimits;
use footplate::job::{Outcome, Queue};
use footplate::store::{Settlement, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;

use crate::support::{
    LONG, NOW, Server, claim, moved, payloads, poisoned_as_it_is, queue, queues, settlement,
    settlement_by, sidekiq_with, success,
};

/// A store with a lease that has claimed jobs `1`, `2`, … of queue `a`.
async fn holding(server: &Server, count: usize) -> (Store, Vec<Arc<Queue>>) {
    let (store, names) = (server.store().await, queues(&["a"]));
    store.take_lease("me", LONG).await.unwrap();
    let all: Vec<String> = (1..=count).map(|n| n.to_string()).collect();
    server.push("a", &all.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(
        store.claim(&claim(1, count, &names)).await.unwrap().len(),
        count
    );
    (store, names)
}

fn nth(n: u64, outcome: Outcome) -> Settlement<'static> {
    settlement(10_000 + n - 1, "a", &outcome)
}

fn counters(server: &Server) -> [u64; 4] {
    [
        "processed",
        "processed:2026-03-04",
        "failed",
        "failed:2026-03-04",
    ]
    .map(|name| server.number(&format!("stat:{name}")))
}

#[tokio::test]
async fn an_acknowledgement_counts_each_job_once() {
    let server = Server::start();
    let (store, _) = holding(&server, 3).await;
    let done = [(10_000, queue("a")), (10_002, queue("a"))];
    assert_eq!(store.acknowledge("me", &done, &success()).await.unwrap(), 2);
    assert_eq!(store.acknowledge("me", &done, &success()).await.unwrap(), 0);
    assert_eq!(counters(&server), [2, 2, 0, 0]);
    assert_eq!(server.in_flight("me"), 1);
    let ttl: u64 = server.run("TTL stat:processed:2026-03-04");
    assert!((157_679_000..=157_680_000).contains(&ttl), "{ttl}");
}

#[tokio::test]
async fn what_is_returned_comes_next_and_in_order() {
    let server = Server::start();
    let (store, names) = holding(&server, 4).await;
    server.push("a", &["5"]);
    let back: Vec<_> = (1..=4)
        .map(|n| {
            nth(
                n,
                if n == 2 {
                    Outcome::Interrupted
                } else {
                    Outcome::Returned
                },
            )
        })
        .collect();
    assert_eq!(store.settle("me", &back).await.unwrap(), [true; 4]);
    assert_eq!(store.settle("me", &back).await.unwrap(), [false; 4]);
    assert_eq!(server.queue("a"), ["1", "2", "3", "4", "5"]);
    assert_eq!(counters(&server), [1, 1, 1, 1]);
    assert_eq!(server.run::<Vec<String>>("SMEMBERS queues"), ["a"]);
    assert_eq!(
        payloads(&store.claim(&claim(2, 9, &names)).await.unwrap()).len(),
        5
    );
}

#[tokio::test]
async fn each_outcome_goes_where_it_belongs() {
    let server = Server::start();
    let (store, _) = holding(&server, 8).await;
    server.push("a", &["waiting"]);
    let payload = |text: &str| text.as_bytes().to_vec();
    let outcomes = [
        nth(1, Outcome::Failed),
        nth(2, Outcome::Done),
        nth(
            3,
            Outcome::Retry {
                at: 1_735_689_600.123_456_7,
                payload: payload("retry me"),
            },
        ),
        nth(
            4,
            Outcome::Dead {
                payload: payload("gone"),
            },
        ),
        nth(5, Outcome::Malformed),
        nth(
            6,
            Outcome::Requeued {
                payload: payload("again"),
            },
        ),
        moved(10_006, "a", b"over", "b"),
        // Never claimed.
        nth(
            99,
            Outcome::Retry {
                at: 1.0,
                payload: payload("not mine"),
            },
        ),
    ];
    let mine = store.settle("me", &outcomes).await.unwrap();
    assert_eq!(mine, [true, true, true, true, true, true, true, false]);
    let again = store.settle("me", &outcomes).await.unwrap();
    assert_eq!(again, [false; 8]);
    let retry: Vec<String> = server.run("ZRANGE retry 0 -1 WITHSCORES");
    // Redis 8 writes it with an exponent.
    let score: f64 = retry[1].parse().unwrap();
    assert_eq!(
        (retry[0].as_str(), score),
        ("retry me", 1_735_689_600.123_456_7)
    );
    let dead: Vec<String> = server.run("ZRANGE dead 0 -1 WITHSCORES");
    assert_eq!(dead, ["5", "1772582400.25", "gone", "1772582400.25"]);
    assert_eq!(server.queue("a"), ["waiting", "again"]);
    assert_eq!(server.queue("b"), ["over"]);
    assert_eq!(counters(&server), [5, 5, 4, 4]);
    assert_eq!(server.in_flight("me"), 1);
}

#[tokio::test]
async fn the_dead_set_is_trimmed_by_age_and_number() {
    let server = Server::start();
    let (store, _) = holding(&server, 4).await;
    let limits = DeadLimits {
        max_jobs: 4,
        timeout: Duration::from_secs(100),
    };
    let sidekiq = sidekiq_with(limits);
    server.run::<()>(&format!(
        "ZADD dead {} old {} recent",
        NOW - 101.0,
        NOW - 99.0
    ));
    for n in 1..=4 {
        let dead = Outcome::Dead {
            payload: n.to_string().into_bytes(),
        };
        store
            .settle(
                "me",
                &[settlement_by(
                    &sidekiq,
                    9_999 + n,
                    "a",
                    &dead,
                    NOW + n as f64 / 10.0,
                )],
            )
            .await
            .unwrap();
    }
    // As in Sidekiq, one fewer than the limit is kept.
    assert_eq!(
        server.run::<Vec<String>>("ZRANGE dead 0 -1"),
        ["2", "3", "4"]
    );
}

#[tokio::test]
async fn a_push_that_fails_leaves_its_job_and_settles_the_others() {
    let server = Server::start();
    let (store, _) = holding(&server, 3).await;
    server.run::<()>("SET retry not-a-set");
    let outcomes = [
        nth(1, Outcome::Failed),
        nth(
            2,
            Outcome::Retry {
                at: 1.0,
                payload: b"2".to_vec(),
            },
        ),
        nth(3, Outcome::Returned),
    ];
    let error = store.settle("me", &outcomes).await;
    assert!(matches!(error, Err(StoreError::Unexpected(_))), "{error:?}");
    assert_eq!(server.in_flight("me"), 1);
    assert_eq!(server.queue("a"), ["3"]);
    server.run::<()>("DEL retry");
    let mine = store.settle("me", &outcomes).await.unwrap();
    assert_eq!(mine, [false, true, false]);
    assert_eq!(counters(&server), [2, 2, 2, 2]);
}

#[tokio::test]
async fn what_another_process_recovered_cannot_be_settled() {
    let server = Server::start();
    let (store, _) = holding(&server, 2).await;
    store.abandon("me").await.unwrap();
    // Orphaned but not yet recovered: what did finish is finished.
    assert_eq!(
        store
            .acknowledge("me", &[(10_000, queue("a"))], &success())
            .await
            .unwrap(),
        1
    );
    let recovered = store
        .recover("me", 10, 1 << 20, 3, poisoned_as_it_is)
        .await
        .unwrap();
    assert_eq!((recovered.requeued, recovered.done), (1, true));
    assert_eq!(
        store
            .acknowledge("me", &[(10_001, queue("a"))], &success())
            .await
            .unwrap(),
        0
    );
    let retry = Outcome::Retry {
        at: 1.0,
        payload: b"2".to_vec(),
    };
    assert_eq!(store.settle("me", &[nth(2, retry)]).await.unwrap(), [false]);
    assert_eq!(server.run::<u64>("ZCARD retry"), 0);
    assert_eq!(server.queue("a"), ["2"]);
}

#[tokio::test]
async fn what_went_through_beside_a_broken_dead_set_is_counted() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    server.push("a", &["1", "2"]);
    store.claim(&claim(1, 2, &names)).await.unwrap();
    server.run::<String>("SET dead 1");
    let dead = Outcome::Dead {
        payload: b"1".to_vec(),
    };

    let both = [
        settlement(10_000, "a", &dead),
        settlement(10_001, "a", &Outcome::Failed),
    ];
    assert!(store.settle("me", &both).await.is_err());
    assert_eq!(server.run::<u32>("GET stat:failed"), 1);
    assert_eq!(
        server.run::<u32>("HEXISTS footplate:inflight:me 10000:queue:a"),
        1
    );
}

/// `dead` with jobs that died at 1, 2, ....
fn bury_many(server: &Server, count: u32) {
    let mut add = redis::cmd("ZADD");
    add.arg("dead");
    for n in 1..=count {
        add.arg(n).arg(format!("old{n}"));
    }
    add.query::<()>(&mut server.client().get_connection().unwrap())
        .unwrap();
}

#[tokio::test]
async fn a_dead_set_that_is_far_too_large_is_trimmed_in_parts() {
    let server = Server::start();
    let (store, _) = holding(&server, 1).await;
    let sidekiq = sidekiq_with(DeadLimits {
        max_jobs: 10,
        ..DeadLimits::default()
    });
    bury_many(&server, 5_000);
    let dead = Outcome::Dead {
        payload: b"new".to_vec(),
    };
    let settled = store
        .settle("me", &[settlement_by(&sidekiq, 10_000, "a", &dead, NOW)])
        .await
        .unwrap();
    assert_eq!(settled, [true]);
    let mut size: u32 = server.run("ZCARD dead");
    assert!(size > 4_000, "{size}");
    store.dead_set_overfull().await;
    loop {
        let more = store.trim_dead_set(&sidekiq.trim(NOW)).await.unwrap();
        let now: u32 = server.run("ZCARD dead");
        assert!(size - now <= 200);
        size = now;
        if !more {
            break;
        }
    }
    // The youngest, one fewer than the limit; all others are older than the other limit, too.
    assert_eq!(server.run::<Vec<String>>("ZRANGE dead 0 -1"), ["new"]);
}

#[tokio::test]
async fn a_dead_set_may_keep_nothing() {
    for max_jobs in [0, 1] {
        let server = Server::start();
        let (store, _) = holding(&server, 1).await;
        let sidekiq = sidekiq_with(DeadLimits {
            max_jobs,
            ..DeadLimits::default()
        });
        let dead = Outcome::Dead {
            payload: b"new".to_vec(),
        };
        let settled = store
            .settle("me", &[settlement_by(&sidekiq, 10_000, "a", &dead, NOW)])
            .await
            .unwrap();
        assert_eq!(settled, [true]);
        assert_eq!(server.run::<u32>("ZCARD dead"), 0);
        assert_eq!(server.in_flight("me"), 0);
        assert_eq!(counters(&server), [1, 1, 1, 1]);
    }
}
