use footplate::job::Outcome;
use footplate::store::{Claim, LONGEST_LEASE, Lease, Store, StoreError};
use std::time::Duration;

use crate::support::{LONG, Server, claim, orphans, payloads, poisoned, queues, settlement, until};

const BRIEF: Duration = Duration::from_millis(1);

async fn holding(server: &Server, holder: &str, count: usize) -> Store {
    let (store, names) = (server.store().await, queues(&["a"]));
    store.take_lease(holder, LONG).await.unwrap();
    let all: Vec<String> = (1..=count).map(|n| n.to_string()).collect();
    server.push("a", &all.iter().map(String::as_str).collect::<Vec<_>>());
    let request = Claim {
        holder,
        ..claim(1, count, &names)
    };
    assert_eq!(store.claim(&request).await.unwrap().len(), count);
    store
}

async fn recover_all(store: &Store, holder: &str) -> usize {
    let mut requeued = 0;
    loop {
        let part = store
            .recover(holder, 7, 1 << 20, 3, poisoned)
            .await
            .unwrap();
        requeued += part.requeued;
        if part.done {
            return requeued;
        }
    }
}

#[tokio::test]
async fn a_lease_that_ended_is_taken_over_for_good_once_a_job_was_moved() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let store = holding(&server, "me", 2).await;
    store.take_lease("alive", LONG).await.unwrap();
    assert!(store.renew_lease("me", BRIEF).await.unwrap());
    let dead = until("the lease ends", async || {
        Some(orphans(&store).await).filter(|dead| !dead.is_empty())
    })
    .await;
    assert_eq!(dead, ["me"]);
    assert_eq!(orphans(&store).await, ["me"]);
    assert!(!store.take_lease("me", LONG).await.unwrap());
    let refused = store.claim(&claim(2, 1, &names)).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost)), "{refused:?}");
    assert!(store.renew_lease("alive", LONG).await.unwrap());
    let step = store.recover("me", 1, 1 << 20, 3, poisoned).await.unwrap();
    assert_eq!((step.requeued, step.done), (1, false));
    assert!(!store.renew_lease("me", LONG).await.unwrap());
    assert_eq!(recover_all(&store, "me").await, 1);
    assert!(orphans(&store).await.is_empty());
    assert!(!store.renew_lease("me", LONG).await.unwrap());
}

#[tokio::test]
async fn a_lease_that_ended_and_that_nobody_took_is_renewed() {
    let server = Server::start();
    let store = holding(&server, "me", 1).await;
    store.renew_lease("me", BRIEF).await.unwrap();
    until("it has ended by the server's clock", async || {
        let [seconds, micros]: [u64; 2] = server.run("TIME");
        let ends: f64 = server.run("ZSCORE footplate:leases me");
        (seconds as f64 + micros as f64 / 1e6 > ends).then_some(())
    })
    .await;
    assert!(store.renew_lease("me", LONG).await.unwrap());
    assert!(orphans(&store).await.is_empty());
}

#[tokio::test]
async fn a_lease_is_released_only_with_nothing_in_flight() {
    let server = Server::start();
    let store = holding(&server, "me", 2).await;
    assert_eq!(store.release_lease("me").await.unwrap(), 2);
    assert!(store.renew_lease("me", LONG).await.unwrap());
    let back = [10_000, 10_001].map(|token| settlement(token, "a", &Outcome::Returned));
    store.settle("me", &back).await.unwrap();
    assert_eq!(store.release_lease("me").await.unwrap(), 0);
    assert_eq!(store.release_lease("me").await.unwrap(), 0);
    let left: Vec<String> = server.run("KEYS footplate:*");
    assert_eq!(left, [""; 0]);
}

#[tokio::test]
async fn recovered_jobs_come_next_and_oldest_first() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let store = holding(&server, "dead", 100).await;
    server.push("a", &["later"]);
    store.abandon("dead").await.unwrap();
    assert_eq!(recover_all(&store, "dead").await, 100);
    store.take_lease("me", LONG).await.unwrap();
    let jobs = store.claim(&claim(1, 200, &names)).await.unwrap();
    let mut expected: Vec<String> = (1..=100).map(|n| n.to_string()).collect();
    expected.push("later".to_owned());
    assert_eq!(payloads(&jobs), expected);
    let ttl: i64 = server.run(&format!(
        "TTL footplate:recovered:{}",
        sha1_smol::Sha1::from("1").digest()
    ));
    assert!((259_000..=259_200).contains(&ttl), "{ttl}");
}

#[tokio::test]
async fn only_the_orphaned_are_recovered() {
    let server = Server::start();
    let store = holding(&server, "me", 2).await;
    let nothing = store.recover("me", 10, 1 << 20, 3, poisoned).await.unwrap();
    assert_eq!((nothing.requeued, nothing.done), (0, true));
    assert_eq!(server.in_flight("me"), 2);
}

#[tokio::test]
async fn two_processes_recover_one_holder_without_doubling() {
    let server = Server::start();
    let store = holding(&server, "dead", 1000).await;
    let other = server.store().await;
    store.abandon("dead").await.unwrap();
    let (mine, theirs) = tokio::join!(recover_all(&store, "dead"), recover_all(&other, "dead"));
    assert_eq!(mine + theirs, 1000);
    assert!(mine > 0 && theirs > 0, "{mine} and {theirs}");
    let mut left = server.queue("a");
    left.sort();
    left.dedup();
    assert_eq!(left.len(), 1000);
}

#[tokio::test]
async fn a_recovery_that_was_cut_off_is_finished_by_another() {
    let server = Server::start();
    let store = holding(&server, "dead", 20).await;
    store.abandon("dead").await.unwrap();
    let part = store
        .recover("dead", 7, 1 << 20, 3, poisoned)
        .await
        .unwrap();
    assert_eq!((part.requeued, part.done), (7, false));
    drop(store);
    let other = server.store().await;
    assert_eq!(orphans(&other).await, ["dead"]);
    assert_eq!(recover_all(&other, "dead").await, 13);
    let expected: Vec<String> = (1..=20).map(|n| n.to_string()).collect();
    assert_eq!(server.queue("a"), expected);
}

/// As after a step of Redis's clock: whoever looks finds that all leases have ended.
#[tokio::test]
async fn nobody_is_dead_by_one_look() {
    let server = Server::start();
    let store = holding(&server, "me", 1).await;
    server.run::<String>("ZINCRBY footplate:leases -120 me");
    let seen = store.look_at_leases(&[], 16).await.unwrap();
    assert_eq!(seen.orphans, [""; 0]);
    let held: Vec<_> = seen.held.iter().map(|it| &*it.holder).collect();
    assert_eq!(held, ["me"]);
    // Meanwhile it renews, before that was noticed or after.
    assert!(store.renew_lease("me", LONG).await.unwrap());
    let later = store.look_at_leases(&seen.held, 16).await.unwrap();
    assert_eq!(later.orphans, [""; 0]);
    // Nor does a lease end before its time, however long somebody believes that it was not renewed.
    let later = store.look_at_leases(&later.held, 16).await.unwrap();
    assert_eq!(later.orphans, [""; 0]);
    let gone = Lease {
        holder: "nobody".to_owned(),
        ends: "1".to_owned(),
        left: Duration::ZERO,
    };
    let later = store.look_at_leases(&[gone], 16).await.unwrap();
    assert_eq!(later.orphans, [""; 0]);
}

/// As after a step back: nobody can have taken a lease for so long.
#[tokio::test]
async fn no_clock_keeps_the_dead_alive() {
    let server = Server::start();
    let store = holding(&server, "me", 1).await;
    server.run::<String>("ZINCRBY footplate:leases 3600 me");
    let seen = store.look_at_leases(&[], 16).await.unwrap();
    assert_eq!(seen.held[0].left, LONGEST_LEASE);
    let later = store.look_at_leases(&seen.held, 16).await.unwrap();
    assert_eq!(later.orphans, ["me"]);
    // Who lives renews it.
    assert!(store.renew_lease("me", LONG).await.unwrap());
    let seen = store.look_at_leases(&[], 16).await.unwrap();
    assert!(seen.orphans.is_empty());
    assert!(seen.held[0].left <= LONG);
}

/// Redis may carry out the call that declares a holder dead long after its client gave up waiting for it.
#[tokio::test]
async fn a_holder_that_was_declared_dead_lives_on_if_nothing_was_moved() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let store = holding(&server, "me", 2).await;
    assert!(store.abandon("me").await.unwrap());
    assert_eq!(orphans(&store).await, ["me"]);
    assert!(store.renew_lease("me", LONG).await.unwrap());
    assert!(orphans(&store).await.is_empty());
    assert_eq!(recover_all(&store, "me").await, 0);
    server.push("a", &["3"]);
    assert_eq!(
        payloads(&store.claim(&claim(2, 1, &names)).await.unwrap()),
        ["3"]
    );
}

#[tokio::test]
async fn a_queue_that_cannot_be_pushed_to_keeps_no_other_job_from_recovery() {
    let server = Server::start();
    let (store, names) = (server.store().await, queues(&["a", "b"]));
    store.take_lease("me", LONG).await.unwrap();
    server.push("a", &["1"]);
    server.push("b", &["2", "3"]);
    store.claim(&claim(1, 3, &names)).await.unwrap();
    server.run::<String>("SET queue:b 1");
    store.abandon("me").await.unwrap();
    let step = async || store.recover("me", 1, 1 << 20, 3, poisoned).await;
    let first = step().await.unwrap();
    assert_eq!((first.requeued, first.done), (1, false));
    assert_eq!(server.queue("a"), ["1"]);
    store.take_lease("later", LONG).await.unwrap();
    store.abandon("later").await.unwrap();
    server.run::<u32>("ZADD footplate:orphans 2000 later");
    assert!(step().await.is_err());
    // Nor other holders, however few are looked at in a round.
    let first = store.look_at_leases(&[], 1).await.unwrap().orphans;
    assert_eq!(first, ["later"]);
    server.run::<u32>("DEL queue:b");
    assert_eq!(recover_all(&store, "me").await, 2);
    assert_eq!(server.queue("b"), ["2", "3"]);
}

#[tokio::test]
async fn a_recovery_is_bounded_in_bytes() {
    let server = Server::start();
    let store = holding(&server, "dead", 9).await;
    store.abandon("dead").await.unwrap();
    let part = store.recover("dead", 9, 3, 3, poisoned).await.unwrap();
    assert_eq!((part.requeued, part.done), (3, false));
}

#[tokio::test]
async fn a_job_that_kills_three_times_is_buried() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let store = server.store().await;
    server.push("a", &["killer"]);
    for round in 1..=3 {
        let holder = format!("holder {round}");
        store.take_lease(&holder, LONG).await.unwrap();
        let request = Claim {
            holder: &holder,
            ..claim(1, 5, &names)
        };
        let claimed = store.claim(&request).await.unwrap();
        // The third time alone.
        assert_eq!(claimed.len(), [1, 2, 1][round - 1], "round {round}");
        store.abandon(&holder).await.unwrap();
        let part = store
            .recover(&holder, 10, 1 << 20, 3, poisoned)
            .await
            .unwrap();
        if round < 3 {
            assert_eq!((part.requeued, part.done), (round, true));
            // Another that was not there from the start.
            if round == 1 {
                server.push("a", &["bystander"]);
            }
        } else {
            assert_eq!((part.requeued, part.done), (0, false));
            assert_eq!(part.buried.len(), 1);
            assert_eq!(
                (
                    part.buried[0].queue.as_str(),
                    part.buried[0].payload.as_slice()
                ),
                ("queue:a", &b"killer"[..])
            );
            let rest = store
                .recover(&holder, 10, 1 << 20, 3, poisoned)
                .await
                .unwrap();
            assert!(rest.done && rest.buried.is_empty());
        }
    }
    assert_eq!(
        server.run::<Vec<String>>("ZRANGE dead 0 -1"),
        ["poison killer"]
    );
    assert_eq!(server.queue("a"), ["bystander"]);
    let keys: Vec<String> = server.run("KEYS footplate:inflight:*");
    assert_eq!(keys, [""; 0]);
}

#[tokio::test]
async fn after_a_recovery_claims_take_no_more_than_can_start() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let store = holding(&server, "dead", 10).await;
    store.abandon("dead").await.unwrap();
    assert_eq!(recover_all(&store, "dead").await, 10);
    store.take_lease("me", LONG).await.unwrap();
    let careful = Claim {
        startable: 3,
        parcel: 0,
        ..claim(1, 200, &names)
    };
    assert_eq!(store.claim(&careful).await.unwrap().len(), 3);
    server.run::<()>("DEL footplate:suspects");
    let careful = Claim {
        number: 2,
        ..careful
    };
    assert_eq!(store.claim(&careful).await.unwrap().len(), 7);
}

#[tokio::test]
async fn abandoning_who_holds_nothing_leaves_no_trace() {
    let server = Server::start();
    let store = server.store().await;
    assert!(!store.abandon("nobody").await.unwrap());
    assert!(orphans(&store).await.is_empty());
}
