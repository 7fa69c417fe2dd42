//! A dialect that is made up, beside Sidekiq's on one Redis and with queues of the same names: the store must do with what
//! a dialect says of itself. This one pops from the left, keeps what succeeded, and has failures in a list of their own.

use std::sync::Arc;

use footplate::dialect::{Body, Family, Note, Place, Writes};
use footplate::job::{End, Queue};
use footplate::store::{
    Adoption, Claim, Claims, Layout, Leaving, MayWait, Promotion, Settlement, Store,
};

use crate::support::{
    LONG, Server, claim, layout, orphans, payloads, poisoned_as_it_is, queue_of, sidekiq, until,
};

const TOKEN: u64 = 1 << 52;

/// How its ticket is called among the paused.
fn line(name: &str) -> Arc<Queue> {
    Arc::new(Queue {
        dialect: 1,
        name: name.to_owned(),
        key: format!("tickets:line:{name}"),
        pop: End::Left,
        paused_as: format!("tickets:line:{name}"),
    })
}

fn both() -> Layout {
    let mut both = layout(&[sidekiq()]);
    both.families.push(Family {
        prefix: "tickets:line:".to_owned(),
        pop: End::Left,
        registry: "tickets:lines".to_owned(),
    });
    both.watched.push("tickets:".to_owned());
    both
}

async fn store(server: &Server) -> Store {
    let store = Store::open(&server.settings(), both()).await.unwrap().0;
    store.take_lease("me", LONG).await.unwrap();
    store
}

/// Behind the others, as its clients do.
fn enqueue(server: &Server, name: &str, payloads: &[&str]) {
    let mut push = redis::cmd("RPUSH");
    push.arg(format!("tickets:line:{name}")).arg(payloads);
    push.query::<()>(&mut server.client().get_connection().unwrap())
        .unwrap();
}

/// Next to be popped first.
fn waiting(server: &Server, name: &str) -> Vec<String> {
    server.run(&format!("LRANGE tickets:line:{name} 0 -1"))
}

fn settlement(token: u64, queue: &Queue, leaving: Leaving, writes: Writes) -> Settlement<'_> {
    Settlement {
        token,
        queue,
        leaving,
        writes,
    }
}

fn list(key: &str, end: End, body: Body) -> Option<Place> {
    Some(Place::List {
        key: key.to_owned(),
        end,
        body,
    })
}

/// It is kept, noted among the last three, and counted.
fn succeeded() -> Writes {
    Writes {
        place: list("tickets:kept", End::Right, Body::AsClaimed),
        notes: vec![
            Note::Entry {
                key: "tickets:last".to_owned(),
                body: Body::AsClaimed,
                keep: 3,
            },
            Note::Count {
                key: "tickets:count".to_owned(),
                by: 1,
                expiry: None,
            },
        ],
    }
}

fn failed() -> Writes {
    Writes {
        place: list("tickets:failed", End::Left, Body::Changed(b"why".to_vec())),
        notes: Vec::new(),
    }
}

fn back(queue: &Queue) -> Writes {
    Writes {
        place: list(&queue.key, queue.pop, Body::AsClaimed),
        notes: Vec::new(),
    }
}

fn due(member: &[u8], queue: &Queue) -> Promotion {
    Promotion {
        member: member.to_vec(),
        writes: Writes {
            place: list(&queue.key, queue.pop.opposite(), Body::AsClaimed),
            notes: Vec::new(),
        },
    }
}

#[tokio::test]
async fn jobs_of_both_are_claimed_from_their_own_ends() {
    let server = Server::start();
    let store = store(&server).await;
    for parcel in [0, 128] {
        server.push("a", &["s1", "s2", "s3"]);
        enqueue(&server, "a", &["t1", "t2", "t3"]);
        let queues = [line("a"), queue_of("a")];
        let request = Claim {
            parcel,
            ..claim(parcel as u64 + 1, 9, &queues)
        };
        let claims = store.claim(&request).await.unwrap();
        assert_eq!(payloads(&claims), ["t1", "t2", "t3", "s1", "s2", "s3"]);
        let of: Vec<_> = claims.iter().map(|it| it.queue).collect();
        assert_eq!(of, [0, 0, 0, 1, 1, 1]);
        let again = store.claim(&request).await.unwrap();
        assert_eq!(payloads(&again), payloads(&claims));
        let fields: Vec<String> = server.run("HKEYS footplate:inflight:me");
        let of_both = ["queue:a", "tickets:line:a"];
        for key in of_both {
            assert!(fields.iter().any(|it| it.ends_with(key)), "{fields:?}");
        }
        for (n, job) in claims.iter().enumerate() {
            let gone = (job.token, &*queues[job.queue]);
            let kept = store.acknowledge("me", &[gone], &[]).await.unwrap();
            assert_eq!(kept, 1, "job {n}");
        }
    }
}

#[tokio::test]
async fn a_bound_in_bytes_puts_back_to_the_end_they_came_from() {
    let server = Server::start();
    let store = store(&server).await;
    let large: Vec<String> = (0..4).map(|n| format!("{n}{}", "x".repeat(600))).collect();
    let large: Vec<&str> = large.iter().map(String::as_str).collect();
    enqueue(&server, "a", &large);
    let queues = [line("a")];
    for number in [1, 2] {
        let request = Claim {
            byte_limit: 1_500,
            ..claim(number, 9, &queues)
        };
        let claims = store.claim(&request).await.unwrap();
        let from = 2 * (number as usize - 1);
        assert_eq!(payloads(&claims), large[from..from + 2]);
    }
}

#[tokio::test]
async fn large_payloads_are_moved_unseen_from_either_end() {
    let server = Server::start();
    if server.store().await.server().version < Some((7, 0, 0)) {
        return;
    }
    let store = store(&server).await;
    let large = |name: &str| format!("{name}{}", "x".repeat(20_000));
    let (tickets, jobs) = (["t1", "t2"].map(large), ["s1", "s2"].map(large));
    enqueue(&server, "a", &[&tickets[0], &tickets[1], "t3"]);
    server.push("a", &[&jobs[0], &jobs[1], "s3"]);
    let queues = [line("a"), queue_of("a")];
    let request = Claim {
        large: 8_192,
        large_in: &[0, 1],
        ..claim(1, 9, &queues)
    };
    let claims = store.claim(&request).await.unwrap();
    let expected = [&tickets[0], &tickets[1], "t3", &jobs[0], &jobs[1], "s3"];
    assert_eq!(payloads(&claims), expected);
    assert!(server.run::<u32>("HGET footplate:inflight:me #large") >= 4);
    // Back again, with the very bytes, and in their order.
    let settlements: Vec<_> = claims
        .iter()
        .map(|it| {
            let queue = &queues[it.queue];
            settlement(it.token, queue, Leaving::Unstarted, back(queue))
        })
        .collect();
    let kept = store.settle("me", &settlements).await.unwrap();
    assert_eq!(kept, [true; 6]);
    assert_eq!(waiting(&server, "a"), expected[..3]);
    assert_eq!(server.queue("a"), expected[3..]);
}

#[tokio::test]
async fn each_outcome_goes_where_its_dialect_says() {
    let server = Server::start();
    let store = store(&server).await;
    enqueue(&server, "a", &["t1", "t2", "t3", "t4", "t5"]);
    let queues = [line("a")];
    let claims = store.claim(&claim(1, 9, &queues)).await.unwrap();
    let queue = &queues[0];
    let ended: Vec<_> = claims
        .iter()
        .zip([succeeded(), failed(), succeeded(), succeeded(), succeeded()])
        .map(|(it, writes)| settlement(it.token, queue, Leaving::Ended, writes))
        .collect();
    for mine in [true, false] {
        let kept = store.settle("me", &ended).await.unwrap();
        assert_eq!(kept, [mine; 5]);
    }
    let kept: Vec<String> = server.run("LRANGE tickets:kept 0 -1");
    assert_eq!(kept, ["t1", "t3", "t4", "t5"]);
    let last: Vec<String> = server.run("LRANGE tickets:last 0 -1");
    assert_eq!(last, ["t5", "t4", "t3"]);
    assert_eq!(server.number("tickets:count"), 4);
    let failed: Vec<String> = server.run("LRANGE tickets:failed 0 -1");
    assert_eq!(failed, ["why"]);
    // Nothing of Sidekiq's was touched.
    for key in ["queues", "stat:processed", "stat:failed", "retry", "dead"] {
        assert_eq!(server.run::<u32>(&format!("EXISTS {key}")), 0, "{key}");
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_written_keeps_the_job_and_a_note_does_not() {
    let server = Server::start();
    let store = store(&server).await;
    let queues = [line("a")];
    enqueue(&server, "a", &["t1"]);
    let claims = store.claim(&claim(1, 9, &queues)).await.unwrap();
    let ended = || {
        let token = claims[0].token;
        [settlement(token, &queues[0], Leaving::Ended, succeeded())]
    };
    server.run::<()>("SET tickets:kept x");
    server.run::<()>("SET tickets:last x");
    assert!(store.settle("me", &ended()).await.is_err());
    assert_eq!(server.in_flight("me"), 1);
    assert_eq!(server.number("tickets:count"), 0);
    server.run::<()>("DEL tickets:kept");
    assert_eq!(store.settle("me", &ended()).await.unwrap(), [true]);
    assert_eq!(server.in_flight("me"), 0);
    assert_eq!(server.number("tickets:count"), 1);
}

#[tokio::test]
async fn jobs_of_the_dead_go_back_to_their_own_ends_in_their_order() {
    let server = Server::start();
    let store = store(&server).await;
    server.push("a", &["s1", "s2", "s3"]);
    enqueue(&server, "a", &["t1", "t2", "t3"]);
    let queues = [queue_of("a"), line("a")];
    let request = Claim {
        parcel: 128,
        ..claim(1, 4, &queues)
    };
    store.claim(&request).await.unwrap();
    store.abandon("me").await.unwrap();
    let recovered = store
        .recover("me", 10, 1 << 20, 3, poisoned_as_it_is)
        .await
        .unwrap();
    assert_eq!((recovered.requeued, recovered.done), (4, true));
    assert_eq!(server.queue("a"), ["s1", "s2", "s3"]);
    assert_eq!(waiting(&server, "a"), ["t1", "t2", "t3"]);
    assert_eq!(server.run::<Vec<String>>("SMEMBERS queues"), ["a"]);
    assert_eq!(server.run::<Vec<String>>("SMEMBERS tickets:lines"), ["a"]);
}

#[tokio::test]
async fn a_dialect_that_nobody_here_knows_loses_nothing() {
    let server = Server::start();
    let store = store(&server).await;
    server.push("a", &["s1"]);
    enqueue(&server, "a", &["t1"]);
    let queues = [queue_of("a"), line("a")];
    store.claim(&claim(1, 9, &queues)).await.unwrap();
    store.abandon("me").await.unwrap();
    let other = server.store().await;
    // What it knows goes back.
    let step = other.recover("me", 10, 1 << 20, 3, poisoned_as_it_is).await;
    assert_eq!(step.unwrap().requeued, 1);
    let said = other.recover("me", 10, 1 << 20, 3, poisoned_as_it_is).await;
    assert!(said.unwrap_err().to_string().contains("tickets:line:a"));
    assert_eq!(server.queue("a"), ["s1"]);
    assert_eq!(server.in_flight("me"), 1);
    let step = store.recover("me", 10, 1 << 20, 3, poisoned_as_it_is).await;
    assert!(step.unwrap().done);
    assert_eq!(waiting(&server, "a"), ["t1"]);
}

#[tokio::test]
async fn a_suspect_is_tried_alone_whose_ever_it_is() {
    let server = Server::start();
    let store = store(&server).await;
    let hash = sha1_smol::Sha1::from("t2").digest();
    server.run::<u32>(&format!("SADD footplate:trials {hash}"));
    server.run::<String>("SET footplate:suspects x EX 300");
    server.push("a", &["s1"]);
    enqueue(&server, "a", &["t1", "t2", "t3"]);
    let queues = [line("a"), queue_of("a")];
    let take = async |number| -> Claims { store.claim(&claim(number, 9, &queues)).await.unwrap() };
    let first = take(1).await;
    assert_eq!(payloads(&first), ["t1"]);
    assert!(first.held_back);
    assert_eq!(waiting(&server, "a"), ["t2", "t3"]);
    let done = [(first[0].token, &*queues[0])];
    store.acknowledge("me", &done, &[]).await.unwrap();
    assert_eq!(payloads(&take(2).await), ["t2"]);
    assert!(take(3).await.is_empty());
    assert_eq!(waiting(&server, "a"), ["t3"]);
}

#[tokio::test]
async fn a_hand_off_comes_from_the_end_where_the_next_job_is() {
    let server = Server::start();
    let store = store(&server).await;
    let mut places = [line("a"), queue_of("a")].map(|it| store.handoff(it));
    enqueue(&server, "a", &["t1", "t2"]);
    server.push("a", &["s1", "s2"]);
    let mut came = Vec::new();
    for (place, token) in places.iter_mut().zip([TOKEN, TOKEN + 1]) {
        assert_eq!(place.may_wait("me").await.unwrap(), MayWait::Free);
        place.connect().await.unwrap();
        came.push((place.wait("me").await.unwrap().unwrap(), token));
    }
    assert_eq!(came[0].0, b"t1");
    assert_eq!(came[1].0, b"s1");
    for (queue, (payload, token)) in [line("a"), queue_of("a")].iter().zip(&came) {
        let adopted = store.adopt("me", queue, *token, payload).await.unwrap();
        assert_eq!(adopted, Adoption::Held);
    }
    assert_eq!(server.in_flight("me"), 2);
    assert_eq!(waiting(&server, "a"), ["t2"]);
    assert_eq!(server.queue("a"), ["s2"]);
}

#[tokio::test]
async fn what_was_handed_over_to_the_dead_is_swept_and_goes_back() {
    let server = Server::start();
    let store = store(&server).await;
    let places = [line("a"), queue_of("a")].map(|it| store.handoff(it));
    for place in &places {
        assert_eq!(place.may_wait("me").await.unwrap(), MayWait::Free);
    }
    store.abandon("me").await.unwrap();
    server.run::<()>("ZREM footplate:orphans me");
    server.run::<u32>("LPUSH footplate:handoff:me:tickets:line:a t1");
    server.run::<u32>("LPUSH footplate:handoff:me:queue:a s1");
    assert_eq!(store.sweep_handoffs().await.unwrap(), 2);
    let dead = until("it is an orphan", async || {
        let orphans = orphans(&store).await;
        (!orphans.is_empty()).then_some(orphans)
    })
    .await;
    assert_eq!(dead, ["me"]);
    let step = store.recover("me", 10, 1 << 20, 3, poisoned_as_it_is).await;
    assert_eq!(step.unwrap().requeued, 2);
    assert_eq!(waiting(&server, "a"), ["t1"]);
    assert_eq!(server.queue("a"), ["s1"]);
}

#[tokio::test]
async fn due_members_go_to_the_back_of_their_own_queues() {
    let server = Server::start();
    let store = store(&server).await;
    server.run::<u32>("ZADD tickets:later 1 t1 2 t2 3 t3");
    enqueue(&server, "a", &["t0"]);
    let seen = store.due("tickets:later", 10, 1 << 20).await.unwrap();
    assert_eq!(seen.members.len(), 3);
    let queue = line("a");
    let promotions: Vec<_> = seen.members.iter().map(|it| due(it, &queue)).collect();
    for moved in [true, false] {
        let kept = store.promote("tickets:later", &promotions).await.unwrap();
        assert_eq!(kept, [moved; 3]);
    }
    assert_eq!(waiting(&server, "a"), ["t0", "t1", "t2", "t3"]);
    assert_eq!(server.run::<u32>("EXISTS queue:a queues"), 0);
}

#[tokio::test]
async fn pausing_one_does_not_pause_the_other() {
    let server = Server::start();
    let store = store(&server).await;
    server.push("a", &["s1"]);
    enqueue(&server, "a", &["t1"]);
    let queues = [line("a"), queue_of("a")];
    server.run::<u32>("SADD paused a");
    let claims = store.claim(&claim(1, 9, &queues)).await.unwrap();
    assert_eq!(payloads(&claims), ["t1"]);
    server.run::<u32>("SADD paused tickets:line:a");
    enqueue(&server, "a", &["t2"]);
    server.run::<u32>("SREM paused a");
    let claims = store.claim(&claim(2, 9, &queues)).await.unwrap();
    assert_eq!(payloads(&claims), ["s1"]);
}
