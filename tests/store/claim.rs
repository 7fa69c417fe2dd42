use std::sync::Arc;

use footplate::store::{Claim, MayWait, Store, StoreError};

use crate::support::{
    LONG, NOW, Server, claim, payloads, queue, queue_of, queues, sidekiq_in, spaced, success,
};

#[tokio::test]
async fn queues_are_walked_in_order_and_the_oldest_job_comes_first() {
    let (server, names) = (Server::start(), queues(&["high", "low", "none"]));
    let store = server.store().await;
    assert!(store.take_lease("me", LONG).await.unwrap());
    server.push("low", &["l1", "l2"]);
    server.push("high", &["h1", "h2"]);
    let jobs = store.claim(&claim(1, 3, &names)).await.unwrap();
    assert_eq!(payloads(&jobs), ["h1", "h2", "l1"]);
    assert_eq!(
        jobs.iter().map(|job| job.queue).collect::<Vec<_>>(),
        [0, 0, 1]
    );
    assert_eq!(
        jobs.iter().map(|job| job.token).collect::<Vec<_>>(),
        [10_000, 10_001, 10_002]
    );
    assert_eq!(server.queue("low"), ["l2"]);
    let kept: String = server.run("HGET footplate:inflight:me 10002:queue:low");
    assert_eq!(kept, "l1");
}

#[tokio::test]
async fn bytes_that_are_not_text_survive() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    let payload: Vec<u8> = (0..=255).collect();
    let mut connection = server.client().get_connection().unwrap();
    redis::cmd("LPUSH")
        .arg("queue:a")
        .arg(&payload)
        .query::<()>(&mut connection)
        .unwrap();
    assert_eq!(
        store.claim(&claim(1, 5, &names)).await.unwrap()[0].payload,
        payload
    );
    assert_eq!(
        store.claim(&claim(1, 5, &names)).await.unwrap()[0].payload,
        payload
    );
}

#[tokio::test]
async fn a_repeated_claim_returns_what_it_took_and_no_more() {
    let (server, names) = (Server::start(), queues(&["a", "b:c"]));
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    server.push("a", &["1"]);
    server.push("b:c", &["2", "3", "4"]);
    let first = store.claim(&claim(1, 3, &names)).await.unwrap();
    assert_eq!(store.claim(&claim(1, 3, &names)).await.unwrap(), first);
    assert_eq!(server.queue("b:c"), ["4"]);
    // What was settled in between is not handed out again.
    store
        .acknowledge("me", &[(10_000, queue("a"))], &success())
        .await
        .unwrap();
    assert_eq!(
        store.claim(&claim(1, 3, &names)).await.unwrap().jobs,
        first[1..]
    );
}

#[tokio::test]
async fn a_claim_that_found_nothing_finds_nothing_when_it_runs_again() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    assert!(store.claim(&claim(1, 3, &names)).await.unwrap().is_empty());
    server.push("a", &["1"]);
    let again = store.claim(&claim(1, 3, &names)).await.unwrap();
    assert!(again.is_empty() && !again.late);
    assert_eq!(store.claim(&claim(2, 3, &names)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_late_claim_from_an_old_connection_takes_nothing() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let (old, new) = (server.store().await, server.store().await);
    new.take_lease("me", LONG).await.unwrap();
    server.push("a", &["1", "2"]);
    assert_eq!(new.claim(&claim(6, 1, &names)).await.unwrap().len(), 1);
    let late = old.claim(&claim(5, 1, &names)).await.unwrap();
    assert!(late.is_empty() && late.late);
    assert_eq!(server.queue("a"), ["2"]);
}

#[tokio::test]
async fn of_several_claims_under_way_each_can_be_repeated() {
    let (server, names) = (Server::start(), queues(&["a", "b"]));
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    server.push("a", &["1", "2", "3"]);
    server.push("b", &["4", "5"]);
    // As after a connection that was lost with both replies; what each took it takes again, and no more.
    let ask = |number| {
        let claim = Claim {
            parcel: 128,
            ..claim(number, 2, &names)
        };
        let store = &store;
        async move { store.claim(&claim).await.unwrap() }
    };
    for _ in 0..3 {
        assert_eq!(payloads(&ask(1).await), ["1", "2"]);
        assert_eq!(payloads(&ask(2).await), ["3", "4"]);
    }
    assert_eq!(server.queue("b"), ["5"]);
    // The other one is settled as it was first handed out.
    store
        .acknowledge("me", &[(10_000, queue("a"))], &success())
        .await
        .unwrap();
    assert_eq!(payloads(&ask(1).await), ["2"]);
    assert_eq!(payloads(&ask(2).await), ["3", "4"]);
    assert_eq!(payloads(&ask(3).await), ["5"]);
}

#[tokio::test]
async fn without_a_lease_nothing_is_claimed() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let store = server.store().await;
    server.push("a", &["1"]);
    let refused = store.claim(&claim(1, 1, &names)).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost)), "{refused:?}");
    store.take_lease("me", LONG).await.unwrap();
    store.abandon("me").await.unwrap();
    let refused = store.claim(&claim(2, 1, &names)).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost)), "{refused:?}");
    assert_eq!(server.queue("a"), ["1"]);
    assert_eq!(server.in_flight("me"), 0);
}

#[tokio::test]
async fn shares_come_first_and_the_rest_in_order() {
    let (server, names) = (Server::start(), queues(&["a", "b", "c"]));
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    server.push("a", &["a1", "a2", "a3", "a4"]);
    server.push("b", &["b1"]);
    server.push("c", &["c1", "c2", "c3"]);
    let shared = |number, limit| Claim {
        shares: &[(2, 2), (1, 2), (0, 1)],
        ..claim(number, limit, &names)
    };
    let jobs = store.claim(&shared(1, 5)).await.unwrap();
    // What b has not is taken from a.
    assert_eq!(payloads(&jobs), ["c1", "c2", "b1", "a1", "a2"]);
    assert!(jobs.iter().map(|it| it.queue).eq([2, 2, 1, 0, 0]));
    assert!(jobs.iter().map(|it| it.token).eq(10_000..10_005));
    // The same when it is repeated, and never more than the limit.
    assert_eq!(store.claim(&shared(1, 5)).await.unwrap().jobs, jobs.jobs);
    let few = store.claim(&shared(2, 1)).await.unwrap();
    assert_eq!(payloads(&few), ["c3"]);
    server.run::<()>("SADD paused a");
    assert!(store.claim(&shared(3, 5)).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_claim_is_bounded_in_bytes() {
    let (server, names) = (Server::start(), queues(&["a", "b"]));
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    let big: Vec<String> = (0..10).map(|n| format!("{n}{}", "x".repeat(999))).collect();
    server.push("a", &big.iter().map(String::as_str).collect::<Vec<_>>());
    server.push("b", &["small"]);
    let mut next = 0;
    // Less than one job: one at a time. Then two and a half.
    for (number, byte_limit, expected) in [(1, 10, 1), (2, 1000, 1), (3, 2500, 2), (4, 3000, 3)] {
        let bounded = Claim {
            byte_limit,
            startable: 1,
            parcel: 0,
            ..claim(number, 100, &names)
        };
        let jobs = store.claim(&bounded).await.unwrap();
        assert_eq!(jobs.len(), expected, "of {byte_limit} bytes");
        for job in jobs {
            assert_eq!(job.payload, big[next].as_bytes());
            next += 1;
        }
    }
    assert_eq!(server.queue("a"), big[next..]);
}

#[tokio::test]
async fn big_jobs_behind_small_ones_stay_in_their_order() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    let mut jobs: Vec<String> = (0..40).map(|n| format!("small {n}")).collect();
    jobs.extend((0..40).map(|n| format!("big {n} {}", "x".repeat(5000))));
    server.push("a", &jobs.iter().map(String::as_str).collect::<Vec<_>>());
    let mut seen = Vec::new();
    for number in 1..100 {
        let bounded = Claim {
            byte_limit: 20_000,
            startable: 1,
            parcel: 0,
            ..claim(number, 1000, &names)
        };
        let part = store.claim(&bounded).await.unwrap();
        let bytes: usize = part.iter().map(|job| job.payload.len()).sum();
        assert!(bytes <= 20_000, "{bytes} bytes at once");
        seen.extend(
            part.into_iter()
                .map(|job| String::from_utf8(job.payload).unwrap()),
        );
    }
    assert_eq!(seen, jobs);
}

#[tokio::test]
async fn thousands_of_jobs_fit_in_one_claim_and_one_acknowledgement() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    let all: Vec<String> = (0..9000).map(|n| n.to_string()).collect();
    server.push("a", &all.iter().map(String::as_str).collect::<Vec<_>>());
    let jobs = store.claim(&claim(1, 9000, &names)).await.unwrap();
    assert_eq!(payloads(&jobs), all);
    assert_eq!(store.claim(&claim(1, 9000, &names)).await.unwrap(), jobs);
    let done: Vec<_> = jobs.iter().map(|job| (job.token, queue("a"))).collect();
    assert_eq!(
        store.acknowledge("me", &done, &success()).await.unwrap(),
        9000
    );
    assert_eq!(server.number("stat:processed"), 9000);
}

#[tokio::test]
async fn paused_queues_are_skipped() {
    let (server, names) = (Server::start(), queues(&["a", "b"]));
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    server.push("a", &["a1"]);
    server.push("b", &["b1"]);
    server.run::<()>("SADD paused a");
    assert_eq!(store.paused().await.unwrap(), ["a"]);
    assert_eq!(
        payloads(&store.claim(&claim(1, 9, &names)).await.unwrap()),
        ["b1"]
    );
    server.run::<()>("SREM paused a");
    assert_eq!(
        payloads(&store.claim(&claim(2, 9, &names)).await.unwrap()),
        ["a1"]
    );
}

/// An application may have a key of that name.
#[tokio::test]
async fn what_is_no_set_of_paused_queues_or_suspects_stops_nothing() {
    let (server, names) = (Server::start(), queues(&["a", "b"]));
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    server.push("a", &["a1", "a2"]);
    server.run::<()>("SET paused true");
    let one = store.claim(&claim(1, 1, &names)).await.unwrap();
    assert_eq!(payloads(&one), ["a1"]);
    assert_eq!(
        store.handoff(queue_of("a")).may_wait("me").await.unwrap(),
        MayWait::Free
    );
    server.run::<()>("SET footplate:trials x");
    let one = store.claim(&claim(2, 1, &names)).await.unwrap();
    assert_eq!(payloads(&one), ["a2"]);
}

#[tokio::test]
async fn a_namespace_stands_before_every_key() {
    let (server, dialect) = (Server::start(), sidekiq_in("app"));
    let names = ["a", "b"].map(|name| Arc::new(dialect.queue(0, name)));
    let opened = Store::open(&server.settings(), spaced("app")).await;
    let store = opened.unwrap().0;
    store.take_lease("me", LONG).await.unwrap();
    server.run::<()>("LPUSH app:queue:a 1");
    let jobs = store.claim(&claim(1, 1, &names)).await.unwrap();
    let done = [(jobs[0].token, &*names[0])];
    let counters = dialect.success(NOW);
    let kept = store.acknowledge("me", &done, &counters).await;
    assert_eq!(kept.unwrap(), 1);
    let mut found: Vec<String> = server.run("KEYS *");
    found.retain(|key| !key.starts_with("app:"));
    assert_eq!(found, [""; 0]);
    let lists = names.map(|queue| queue.key.clone());
    assert_eq!(store.lengths(&lists).await.unwrap(), [0, 0]);
}

#[tokio::test]
async fn big_jobs_behind_an_empty_queue_are_not_popped_to_be_pushed_back() {
    let (server, names) = (Server::start(), queues(&["empty", "a"]));
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    let big = "x".repeat(100_000);
    server.push("a", &[big.as_str(); 20]);
    let bounded = Claim {
        byte_limit: 200_000,
        ..claim(1, 100, &names)
    };
    assert_eq!(store.claim(&bounded).await.unwrap().len(), 2);
    let calls: String = server.run("INFO commandstats");
    assert!(!calls.contains("cmdstat_rpush:"), "{calls}");
}

#[tokio::test]
async fn a_queue_that_is_no_list_is_passed_over() {
    let server = Server::start();
    let (store, names) = (server.store().await, queues(&["broken", "a", "b"]));
    store.take_lease("me", LONG).await.unwrap();
    server.run::<u32>("HSET queue:broken a 1");
    server.push("a", &["1", "2"]);
    server.push("b", &["3"]);
    // Whether one job is asked for or many, of whatever size they may be, and also while suspects are looked for.
    let large_in = [0];
    let kinds = [
        claim(1, 1, &names),
        claim(2, 1, &names),
        Claim {
            large: 1,
            large_in: &large_in,
            ..claim(3, 50, &names)
        },
    ];
    for (request, expected) in kinds.iter().zip(["1", "2", "3"]) {
        let claims = store.claim(request).await.unwrap();
        assert_eq!(payloads(&claims), [expected]);
        assert_eq!(claims.passed_over, [0]);
    }
    server.run::<u32>("SADD footplate:trials x");
    let none = store.claim(&claim(4, 50, &names)).await.unwrap();
    assert_eq!((none.len(), none.passed_over), (0, vec![0]));
    server.run::<u32>("DEL queue:broken footplate:trials");
    server.push("broken", &["4"]);
    let mended = store.claim(&claim(5, 50, &names)).await.unwrap();
    assert_eq!(
        (payloads(&mended), &*mended.passed_over),
        (vec!["4"], &[][..])
    );
}
