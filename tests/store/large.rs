//! Large payloads: beside the table, and moved without being looked at.

use footplate::job::Outcome;
use footplate::store::{Claim, Claimed, Claims, Settlement, Store};
use std::collections::HashMap;

use crate::support::{
    LONG, Server, calls, claim, payloads, poisoned_as_it_is, queue, queues, settlement, success,
};

const LARGE: usize = 1_000;

fn large(letter: &str) -> String {
    letter.repeat(LARGE)
}

async fn store(server: &Server) -> Store {
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    store
}

/// One that knows already whether large payloads can be moved unread.
async fn asked(server: &Server) -> Store {
    let store = store(server).await;
    assert!(claimed(&store, 0, &[]).await.is_empty());
    store
}

/// Claims from the queues `a` and `b:c`; of those in `large_in` large payloads are expected.
async fn claimed(store: &Store, number: u64, large_in: &[usize]) -> Claims {
    let names = queues(&["a", "b:c"]);
    let request = Claim {
        large: LARGE,
        large_in,
        parcel: 128,
        ..claim(number, 10, &names)
    };
    store.claim(&request).await.unwrap()
}

fn lists(server: &Server) -> Vec<String> {
    let mut lists: Vec<String> = server.run("KEYS footplate:large:*");
    lists.sort();
    lists
}

fn settled(job: &Claimed, outcome: &Outcome) -> Settlement<'static> {
    settlement(job.token, ["a", "b:c"][job.queue], outcome)
}

#[tokio::test]
async fn they_come_in_order_among_small_ones_whatever_was_expected() {
    for (number, expected) in [(1, &[][..]), (2, &[0]), (3, &[1]), (4, &[0, 1])] {
        let server = Server::start();
        let (x, y, z) = (large("x"), large("y"), large("z"));
        let all = ["1", "2", &x, &y, "3", "", &z, "4", "5", "6"];
        server.push("a", &all[..7]);
        server.push("b:c", &all[7..]);
        let store = store(&server).await;
        let jobs = claimed(&store, number, expected).await;
        assert_eq!(payloads(&jobs), all, "{expected:?}");
        let tokens: Vec<_> = jobs.iter().map(|job| job.token % 10_000).collect();
        assert_eq!(tokens, (0..10).collect::<Vec<_>>());
        let again = claimed(&store, number, &[]).await;
        assert_eq!(payloads(&again), all, "{expected:?}");
        let names: Vec<_> = jobs
            .iter()
            .map(|it| (it.token, queue(["a", "b:c"][it.queue])))
            .collect();
        assert_eq!(
            store.acknowledge("me", &names, &success()).await.unwrap(),
            10
        );
        assert_eq!(
            store.acknowledge("me", &names, &success()).await.unwrap(),
            0
        );
        assert_eq!(lists(&server), [""; 0]);
        assert_eq!(store.release_lease("me").await.unwrap(), 0);
        assert_eq!(server.run::<Vec<String>>("KEYS footplate:*"), [""; 0]);
    }
}

#[tokio::test]
async fn those_that_are_expected_are_never_seen_by_the_script() {
    let server = Server::start();
    let x = large("x");
    let store = asked(&server).await;
    server.push("a", &[&x, &x, &x]);
    server.run::<()>("CONFIG RESETSTAT");
    assert_eq!(payloads(&claimed(&store, 1, &[0]).await), [&*x, &x, &x]);
    assert_eq!(calls(&server, "rpop"), 0);
    assert_eq!(calls(&server, "hget"), 2, "the last claim, the lists");
    assert_eq!(
        calls(&server, "lindex"),
        3 + 1,
        "what is sent, and the other queue"
    );
    assert_eq!(server.run::<u32>("HGET footplate:inflight:me #large"), 3);
    assert_eq!(
        lists(&server),
        [10_000, 10_001, 10_002].map(|token| format!("footplate:large:me:{token}"))
    );
}

#[tokio::test]
async fn a_claim_is_bounded_in_bytes_with_them_too() {
    let server = Server::start();
    let big = "x".repeat(400_000);
    let store = asked(&server).await;
    server.push("a", &[&big, &big, &big, "1"]);
    server.run::<()>("CONFIG RESETSTAT");
    // A megabyte.
    assert_eq!(claimed(&store, 1, &[0]).await.len(), 2);
    assert_eq!(server.queue("a").len(), 2);
    assert_eq!(calls(&server, "sort"), 2, "the third is not even tried");
    let rest = claimed(&store, 2, &[0]).await;
    assert_eq!(payloads(&rest), [big.as_str(), "1"]);
}

#[tokio::test]
async fn one_larger_than_a_claim_comes_alone() {
    let server = Server::start();
    let huge = "x".repeat(3 << 20);
    server.push("a", &["1", &huge, &huge]);
    let store = store(&server).await;
    server.run::<()>("CONFIG RESETSTAT");
    for expected in ["1", &huge, &huge] {
        let number = 4 - server.queue("a").len() as u64;
        assert_eq!(payloads(&claimed(&store, number, &[0]).await), [expected]);
    }
    assert_eq!(lists(&server).len(), 3, "also that of the small one");
    assert_eq!(calls(&server, "rpop"), 0);
}

#[tokio::test]
async fn each_outcome_takes_the_list_away_and_moves_the_very_bytes() {
    let server = Server::start();
    let all: Vec<_> = "abcdefg".chars().map(|it| large(&it.to_string())).collect();
    server.push("a", &all.iter().map(String::as_str).collect::<Vec<_>>());
    let store = store(&server).await;
    let jobs = claimed(&store, 1, &[]).await.jobs;
    let outcomes = [
        Outcome::Failed,
        Outcome::Retry {
            at: 7.0,
            payload: b"retry".to_vec(),
        },
        Outcome::Malformed,
        Outcome::Interrupted,
        Outcome::Returned,
        Outcome::Done,
        Outcome::Requeued {
            payload: b"requeued".to_vec(),
        },
    ];
    let settlements: Vec<_> = jobs
        .iter()
        .zip(outcomes)
        .map(|(job, outcome)| settled(job, &outcome))
        .collect();
    for mine in [true, false] {
        let kept = store.settle("me", &settlements).await.unwrap();
        assert_eq!(kept, [mine; 7]);
    }
    assert_eq!(
        server.run::<Vec<String>>("ZRANGE dead 0 -1"),
        [all[2].clone()]
    );
    assert_eq!(server.run::<Vec<String>>("ZRANGE retry 0 -1"), ["retry"]);
    assert_eq!(server.queue("a"), [&all[3], &all[4], "requeued"]);
    assert_eq!(lists(&server), [""; 0]);
    assert_eq!(store.release_lease("me").await.unwrap(), 0);
}

#[tokio::test]
async fn recovery_puts_them_back_and_buries_them() {
    let server = Server::start();
    let (x, y) = (large("x"), large("y"));
    server.push("a", &[&x, "1", &y]);
    for death in 1..=2 {
        let store = store(&server).await;
        assert_eq!(claimed(&store, death, &[]).await.len(), 3);
        assert!(store.abandon("me").await.unwrap());
        loop {
            let part = store.recover("me", 2, 1 << 20, 3, poisoned_as_it_is);
            if part.await.unwrap().done {
                break;
            }
        }
        assert_eq!(server.queue("a"), [&x, "1", &y], "death {death}");
        assert_eq!(lists(&server), [""; 0]);
    }
    // Now each is on trial, and looked at.
    let store = store(&server).await;
    let tried = claimed(&store, 3, &[0, 1]).await;
    assert_eq!(
        (payloads(&tried), tried.held_back),
        (vec![x.as_str()], true)
    );
    assert!(store.abandon("me").await.unwrap());
    let part = store
        .recover("me", 2, 1 << 20, 3, poisoned_as_it_is)
        .await
        .unwrap();
    assert_eq!(part.buried.len(), 1);
    assert_eq!(server.run::<Vec<String>>("ZRANGE dead 0 -1"), [x]);
}

/// A list that is gone, as it would be if Redis threw keys away, must not keep a claim for ever.
#[tokio::test]
async fn a_lost_lease_and_a_lost_list_end_a_claim() {
    let server = Server::start();
    let x = large("x");
    server.push("a", &[&x, &x]);
    let store = store(&server).await;
    claimed(&store, 1, &[0]).await;
    server.run::<()>("DEL footplate:large:me:10000");
    assert_eq!(payloads(&claimed(&store, 1, &[0]).await), ["", &x]);
    server.run::<()>("DEL footplate:leases");
    let names = queues(&["a"]);
    let lost = store.claim(&claim(1, 10, &names)).await;
    assert!(matches!(lost, Err(footplate::store::StoreError::LeaseLost)));
}

/// SORT counts as dangerous: many users may not.
#[tokio::test]
async fn without_the_rights_they_go_the_ordinary_way() {
    for missing in ["sort", "memory|usage", "ltrim"] {
        let server = Server::start();
        let (x, y) = (large("x"), large("y"));
        server.push("a", &[&x, "1", &y]);
        let store = store(&server).await;
        let user = format!("ACL SETUSER default -{missing}");
        server.run::<()>(&user);
        assert_eq!(payloads(&claimed(&store, 1, &[0]).await), [&*x, "1", &y]);
        assert_eq!(lists(&server), [""; 0], "{missing}");
        assert_eq!(server.queue("a"), [""; 0], "{missing}");
        let count: Option<u32> = server.run("HGET footplate:inflight:me #large");
        assert_eq!(count.unwrap_or(0), 0, "{missing}");
        // Asked once per connection.
        server.push("a", &[&x, &y]);
        assert_eq!(payloads(&claimed(&store, 2, &[0]).await), [&*x, &y]);
        let log: Vec<HashMap<String, redis::Value>> = server.run("ACL LOG");
        let counts: Vec<_> = log.iter().map(|it| it["count"].clone()).collect();
        assert_eq!(counts, [redis::Value::Int(1)], "{missing}");
    }
}
