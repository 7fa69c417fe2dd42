use footplate::store::Promotion;
use std::time::Duration;

use crate::support::{Server, bury, drop_it, push, shortest_script};

fn pushed(member: &str, queue: &str) -> Promotion {
    let payload = format!("{member} pushed");
    push(member.as_bytes(), queue, payload.as_bytes())
}

#[tokio::test]
async fn what_is_due_comes_by_the_servers_clock() {
    let server = Server::start();
    let store = server.store().await;
    let empty = store.due("schedule", 10, 1000).await.unwrap();
    assert_eq!((empty.members.len(), empty.next_in), (0, None));
    let [now, _]: [u64; 2] = server.run("TIME");
    server.run::<()>(&format!(
        "ZADD schedule {} second {} first {}.5 later",
        now - 5,
        now - 9,
        now + 100
    ));
    let due = store.due("schedule", 10, 1000).await.unwrap();
    assert_eq!(due.members, [b"first".to_vec(), b"second".to_vec()]);
    let wait = due.next_in.unwrap();
    assert!(
        wait > Duration::from_secs(90) && wait < Duration::from_secs(102),
        "{wait:?}"
    );
    assert_eq!(server.run::<u64>("ZCARD schedule"), 3);
    server.run::<()>("ZADD retry inf never");
    let never = store.due("retry", 10, 1000).await.unwrap();
    assert_eq!(
        (never.members.len(), never.next_in),
        (0, Some(Duration::from_secs(86_400)))
    );
}

#[tokio::test]
async fn what_is_due_is_bounded_in_number_and_bytes() {
    let server = Server::start();
    let store = server.store().await;
    for n in 0..250 {
        server.run::<()>(&format!("ZADD retry {n} member{n:03}"));
    }
    let due = store.due("retry", 230, 1 << 20).await.unwrap();
    assert_eq!(
        (due.members.len(), due.next_in),
        (230, Some(Duration::ZERO))
    );
    assert_eq!(due.members[229], b"member229");
    let due = store.due("retry", 1000, 95).await.unwrap();
    assert_eq!((due.members.len(), due.next_in), (10, Some(Duration::ZERO)));
    let due = store.due("retry", 1000, 1).await.unwrap();
    assert_eq!(due.members.len(), 1);
    let due = store.due("retry", 1000, 1 << 20).await.unwrap();
    assert_eq!((due.members.len(), due.next_in), (250, None));
}

#[tokio::test]
async fn of_what_is_large_no_more_is_read_than_is_returned() {
    let server = Server::start();
    let store = server.store().await;
    let large = "x".repeat(1 << 20);
    for n in 0..60 {
        server.run::<()>(&format!("ZADD retry {n} {n:02}{large}"));
    }
    let due = || store.due("retry", 200, 4 << 20);
    assert_eq!(due().await.unwrap().members.len(), 3);
    let few = shortest_script(&server, due).await;
    let all = shortest_script(&server, || store.due("retry", 200, 60 << 20)).await;
    assert!(few * 4 < all, "{few} of {all} µs");
}

#[tokio::test]
async fn a_member_is_promoted_once() {
    let server = Server::start();
    let (store, other) = (server.store().await, server.store().await);
    server.run::<()>("ZADD schedule 1 one 2 two 3 veto 4 broken 5 stays");
    let promotions = [
        pushed("one", "a"),
        pushed("two", "b"),
        drop_it(b"veto"),
        bury(b"broken"),
        pushed("missing", "a"),
    ];
    let (mine, theirs) = tokio::join!(
        store.promote("schedule", &promotions),
        other.promote("schedule", &promotions),
    );
    for (n, (mine, theirs)) in mine.unwrap().into_iter().zip(theirs.unwrap()).enumerate() {
        assert_eq!(mine ^ theirs, n < 4, "member {n}");
    }
    assert_eq!(server.queue("a"), ["one pushed"]);
    assert_eq!(server.queue("b"), ["two pushed"]);
    assert_eq!(server.run::<Vec<String>>("ZRANGE schedule 0 -1"), ["stays"]);
    assert_eq!(server.run::<Vec<String>>("ZRANGE dead 0 -1"), ["broken"]);
    let mut known: Vec<String> = server.run("SMEMBERS queues");
    known.sort();
    assert_eq!(known, ["a", "b"]);
}

#[tokio::test]
async fn what_is_held_is_due_for_nobody_else_and_moves_all_the_same() {
    let server = Server::start();
    let store = server.store().await;
    server.run::<()>("ZADD schedule 1 a 2 b");
    let hold = Duration::from_secs(30);
    let held = store.hold_due("schedule", 10, 1000, hold).await.unwrap();
    assert_eq!(held.members, [b"a".to_vec(), b"b".to_vec()]);
    let other = store.due("schedule", 10, 1000).await.unwrap();
    assert_eq!(other.members, [b""; 0]);
    let wait = other.next_in.unwrap();
    assert!(wait > Duration::from_secs(25) && wait <= hold, "{wait:?}");
    let moved = [push(b"a", "q", b"A")];
    assert_eq!(store.promote("schedule", &moved).await.unwrap(), [true]);
    assert_eq!(server.queue("q"), ["A"]);
    assert_eq!(server.run::<Vec<String>>("ZRANGE schedule 0 -1"), ["b"]);
}

#[tokio::test]
async fn a_queue_that_cannot_be_pushed_to_keeps_no_other_due_job_waiting() {
    let server = Server::start();
    let store = server.store().await;
    server.run::<String>("SET queue:broken 1");
    server.run::<u32>("ZADD schedule 1 first 2 second");
    let promotions = [pushed("first", "broken"), pushed("second", "a")];
    assert!(store.promote("schedule", &promotions).await.is_err());
    assert_eq!(server.queue("a"), ["second pushed"]);
    assert_eq!(server.run::<Vec<String>>("SMEMBERS queues"), ["a"]);
    // Still there, and not due for a while.
    assert_eq!(server.run::<Vec<String>>("ZRANGE schedule 0 -1"), ["first"]);
    assert!(
        store
            .due("schedule", 5, 1 << 20)
            .await
            .unwrap()
            .members
            .is_empty()
    );
}
