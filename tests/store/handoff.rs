use footplate::store::{Adoption, ClientId, Handoff, MayWait, Store, StoreError};
use std::sync::Arc;

use crate::support::{
    LONG, Server, claim, orphans, payloads, poisoned_as_it_is, queue, queue_of, queues, success,
    until,
};

const LIST: &str = "footplate:handoff:me:queue:a";
const TOKEN: u64 = 1 << 52;

async fn place(server: &Server) -> (Store, Handoff, ClientId) {
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    let mut place = store.handoff(queue_of("a"));
    let client = place.connect().await.unwrap();
    (store, place, client)
}

async fn somebody_waits(server: &Server) {
    until("a client waits", async || {
        let info: String = server.run("INFO clients");
        info.contains("blocked_clients:1\r\n").then_some(())
    })
    .await;
}

/// A job in the list of which its holder knows nothing.
fn strand(server: &Server, payload: &str) {
    server.push("a", &[payload]);
    server.run::<String>(&format!("LMOVE queue:a {LIST} RIGHT LEFT"));
}

fn fields(server: &Server) -> Vec<String> {
    let mut fields: Vec<String> = server.run("HKEYS footplate:inflight:me");
    fields.retain(|field| !field.starts_with('#'));
    fields
}

async fn recovered(store: &Store) -> usize {
    let step = store
        .recover("me", 100, 1 << 20, 3, poisoned_as_it_is)
        .await
        .unwrap();
    assert!(step.done);
    step.requeued
}

#[tokio::test]
async fn a_job_comes_with_the_wake_up_and_is_adopted_once() {
    let server = Server::start();
    let (store, mut place, _) = place(&server).await;
    assert_eq!(place.may_wait("me").await.unwrap(), MayWait::Free);
    let waiting = tokio::spawn(async move { (place.wait("me").await, place) });
    somebody_waits(&server).await;
    server.push("a", &["1", "2"]);
    let (job, mut place) = waiting.await.unwrap();
    assert_eq!(job.unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(server.queue("a"), ["2"]);
    for _ in 0..2 {
        assert_eq!(
            store.adopt("me", queue("a"), TOKEN, b"1").await.unwrap(),
            Adoption::Held
        );
    }
    assert_eq!(fields(&server), [format!("{TOKEN}:queue:a")]);
    assert_eq!(server.run::<u32>(&format!("EXISTS {LIST}")), 0);
    assert_eq!(store.release_lease("me").await.unwrap(), 1);
    assert_eq!(
        store
            .acknowledge("me", &[(TOKEN, queue("a"))], &success())
            .await
            .unwrap(),
        1
    );
    // A late copy of the call must not take the next job under the old name.
    assert_eq!(place.wait("me").await.unwrap().as_deref(), Some(&b"2"[..]));
    assert_eq!(
        store.adopt("me", queue("a"), TOKEN, b"1").await.unwrap(),
        Adoption::Held
    );
    assert_eq!(
        server.run::<Vec<String>>(&format!("LRANGE {LIST} 0 -1")),
        ["2"]
    );
    assert_eq!(
        store
            .adopt("me", queue("a"), TOKEN + 1, b"2")
            .await
            .unwrap(),
        Adoption::Held
    );
    assert_eq!(
        store
            .acknowledge("me", &[(TOKEN + 1, queue("a"))], &success())
            .await
            .unwrap(),
        1
    );
    assert_eq!(store.release_lease("me").await.unwrap(), 0);
}

/// Here the runtime has one thread: while that is not given back, only the peek can have the reply.
#[tokio::test]
async fn a_reply_may_be_taken_before_it_is_read_and_only_once() {
    let server = Server::start();
    let (_, mut place, _) = place(&server).await;
    let peek = Arc::clone(place.peek().unwrap());
    assert_eq!(peek.take(), None);
    for job in ["first", "second"] {
        assert_eq!(place.may_wait("me").await.unwrap(), MayWait::Free);
        let waiting = tokio::spawn(async move { (place.wait("me").await, place) });
        somebody_waits(&server).await;
        assert_eq!(peek.take(), None);
        server.push("a", &[job]);
        if job == "first" {
            let taken = std::iter::repeat_with(|| peek.take()).flatten().next();
            assert_eq!(taken.as_deref(), Some(job.as_bytes()));
            assert_eq!(peek.take(), None);
        }
        let (read, same) = waiting.await.unwrap();
        place = same;
        assert_eq!(read.unwrap().as_deref(), Some(job.as_bytes()));
        assert_eq!(peek.take(), None);
        server.run::<u32>(&format!("DEL {LIST}"));
    }
}

#[tokio::test]
async fn waiting_ends_when_asked() {
    let server = Server::start();
    let (store, mut place, client) = place(&server).await;
    assert_eq!(place.may_wait("me").await.unwrap(), MayWait::Free);
    let waiting = tokio::spawn(async move { place.wait("me").await });
    somebody_waits(&server).await;
    store.unblock(client).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), None);
}

#[tokio::test]
async fn nobody_waits_at_a_paused_queue_or_while_jobs_are_on_trial() {
    let server = Server::start();
    let (_, place, _) = place(&server).await;
    for (key, value) in [("paused", "a"), ("footplate:trials", "x")] {
        server.run::<u32>(&format!("SADD {key} {value}"));
        assert_eq!(place.may_wait("me").await.unwrap(), MayWait::Refused);
        server.run::<u32>(&format!("DEL {key}"));
    }
    server.run::<String>("SET footplate:suspects 1");
    assert_eq!(place.may_wait("me").await.unwrap(), MayWait::Refused);
    server.run::<u32>("DEL footplate:suspects");
    assert_eq!(place.may_wait("me").await.unwrap(), MayWait::Free);
    let refused = place.may_wait("stranger").await;
    assert!(matches!(refused, Err(StoreError::LeaseLost)), "{refused:?}");
}

#[tokio::test]
async fn a_job_whose_reply_was_lost_is_found_by_the_holder() {
    let server = Server::start();
    let (store, place, _) = place(&server).await;
    strand(&server, "1");
    for _ in 0..2 {
        assert_eq!(
            place.may_wait("me").await.unwrap(),
            MayWait::Stranded(b"1".to_vec())
        );
    }
    assert_eq!(
        store.adopt("me", queue("a"), TOKEN, b"1").await.unwrap(),
        Adoption::Held
    );
    assert_eq!(place.may_wait("me").await.unwrap(), MayWait::Free);
}

#[tokio::test]
async fn what_comes_to_a_dead_holder_is_recovered_however_late() {
    let server = Server::start();
    let (store, place, _) = place(&server).await;
    let names = queues(&["a"]);
    place.may_wait("me").await.unwrap();
    server.push("a", &["claimed"]);
    assert_eq!(
        payloads(&store.claim(&claim(1, 1, &names)).await.unwrap()),
        ["claimed"]
    );
    strand(&server, "handed over");
    // Alive: its own affair.
    assert_eq!(store.sweep_handoffs().await.unwrap(), 0);
    store.abandon("me").await.unwrap();
    assert_eq!(store.sweep_handoffs().await.unwrap(), 1);
    assert_eq!(recovered(&store).await, 2);
    assert_eq!(server.queue("a"), ["claimed", "handed over"]);
    server.run::<u32>("DEL queue:a");
    strand(&server, "late");
    assert_eq!(store.sweep_handoffs().await.unwrap(), 1);
    assert_eq!(orphans(&store).await, ["me"]);
    assert_eq!(recovered(&store).await, 1);
    assert_eq!(server.queue("a"), ["late"]);
}

/// It does not know of the job, and would keep it in its table for as long as it lives.
#[tokio::test]
async fn a_holder_for_whom_a_job_was_swept_up_lives_on_only_under_another_name() {
    let server = Server::start();
    let (store, place, _) = place(&server).await;
    place.may_wait("me").await.unwrap();
    strand(&server, "1");
    server.run::<u32>("ZADD footplate:leases 1 me");
    assert_eq!(orphans(&store).await, ["me"]);
    assert_eq!(store.sweep_handoffs().await.unwrap(), 1);
    // Awake again, before anybody has recovered the job.
    assert_eq!(
        store.adopt("me", queue("a"), TOKEN, b"1").await.unwrap(),
        Adoption::Gone
    );
    assert!(!store.renew_lease("me", LONG).await.unwrap());
    assert_eq!(recovered(&store).await, 1);
    assert_eq!(server.queue("a"), ["1"]);
}

#[tokio::test]
async fn of_any_number_of_lists_all_are_swept() {
    let server = Server::start();
    let store = server.store().await;
    let mut connection = server.client().get_connection().unwrap();
    let mut lists = redis::cmd("ZADD");
    lists.arg("footplate:handoffs");
    for n in 0..3_000 {
        lists
            .arg(4_000_000_000_u64)
            .arg(format!("dead{n}\nqueue:a"));
    }
    lists.query::<()>(&mut connection).unwrap();
    for n in [0, 1_500, 2_999] {
        server.run::<u32>(&format!("LPUSH footplate:handoff:dead{n}:queue:a {n}"));
    }
    assert_eq!(store.sweep_handoffs().await.unwrap(), 3);
    assert_eq!(orphans(&store).await.len(), 3);
}

#[tokio::test]
async fn who_leaves_is_forgotten_unless_a_job_has_come() {
    let server = Server::start();
    let (_store, place, _) = place(&server).await;
    place.may_wait("me").await.unwrap();
    strand(&server, "1");
    place.leave("me").await.unwrap();
    assert_eq!(server.run::<u32>("ZCARD footplate:handoffs"), 1);
    server.run::<u32>(&format!("DEL {LIST}"));
    place.leave("me").await.unwrap();
    assert_eq!(server.run::<u32>("EXISTS footplate:handoffs"), 0);
}

/// As recovery leaves a job that has brought down two processes.
fn must_be_tried(server: &Server, payload: &str) {
    let hash = sha1_smol::Sha1::from(payload).digest();
    server.run::<u32>(&format!("SADD footplate:trials {hash}"));
}

fn on_trial(server: &Server) -> Option<String> {
    server.run("HGET footplate:inflight:me #trial")
}

#[tokio::test]
async fn a_job_that_must_be_tried_is_on_trial_however_it_came() {
    let server = Server::start();
    let (store, place, _) = place(&server).await;
    place.may_wait("me").await.unwrap();
    must_be_tried(&server, "1");
    strand(&server, "1");
    assert_eq!(
        store.adopt("me", queue("a"), TOKEN, b"1").await.unwrap(),
        Adoption::Held
    );
    assert_eq!(on_trial(&server).as_deref(), Some(&*fields(&server)[0]));
    store.abandon("me").await.unwrap();
    let step = store.recover("me", 100, 1 << 20, 3, poisoned_as_it_is);
    assert_eq!(step.await.unwrap().buried.len(), 1);
}

/// Nobody has run it: a connection of the dead holder's got it.
#[tokio::test]
async fn what_comes_to_a_dead_holder_is_not_convicted() {
    for adopted in [false, true] {
        let server = Server::start();
        let (store, place, _) = place(&server).await;
        place.may_wait("me").await.unwrap();
        must_be_tried(&server, "1");
        strand(&server, "1");
        store.abandon("me").await.unwrap();
        store.release_lease("me").await.unwrap();
        if adopted {
            assert_eq!(
                store.adopt("me", queue("a"), TOKEN, b"1").await.unwrap(),
                Adoption::Orphaned
            );
        } else {
            assert_eq!(store.sweep_handoffs().await.unwrap(), 1);
        }
        assert_eq!(on_trial(&server), None);
        assert_eq!(recovered(&store).await, 1);
        assert_eq!(server.queue("a"), ["1"]);
    }
}

/// The first went to a connection of which only the client knows that it is lost.
#[tokio::test]
async fn the_job_that_is_adopted_is_the_one_that_came() {
    let server = Server::start();
    let (store, place, _) = place(&server).await;
    place.may_wait("me").await.unwrap();
    for job in ["1", "3", "2", "4"] {
        strand(&server, job);
    }
    assert_eq!(
        store.adopt("me", queue("a"), TOKEN, b"2").await.unwrap(),
        Adoption::Held
    );
    let kept: String = server.run(&format!("HGET footplate:inflight:me {TOKEN}:queue:a"));
    assert_eq!(kept, "2");
    let list: Vec<String> = server.run(&format!("LRANGE {LIST} 0 -1"));
    assert_eq!(list, ["4", "3", "1"]);
    assert_eq!(
        place.may_wait("me").await.unwrap(),
        MayWait::Stranded(b"1".to_vec())
    );
    assert_eq!(
        store
            .adopt("me", queue("a"), TOKEN + 1, b"2")
            .await
            .unwrap(),
        Adoption::Gone
    );
}

#[tokio::test]
async fn of_two_that_must_be_tried_and_came_at_once_none_is_blamed() {
    let server = Server::start();
    let (store, place, _) = place(&server).await;
    place.may_wait("me").await.unwrap();
    for (payload, token) in [("1", TOKEN), ("2", TOKEN + 1)] {
        must_be_tried(&server, payload);
        strand(&server, payload);
        let adopted = store
            .adopt("me", queue("a"), token, payload.as_bytes())
            .await;
        assert_eq!(adopted.unwrap(), Adoption::Held);
    }
    assert_eq!(on_trial(&server), None);
    store.abandon("me").await.unwrap();
    assert_eq!(recovered(&store).await, 2);
}

#[tokio::test]
async fn an_adoption_after_the_lease_leaves_the_job_to_recovery() {
    let server = Server::start();
    let (store, place, _) = place(&server).await;
    place.may_wait("me").await.unwrap();
    strand(&server, "1");
    store.release_lease("me").await.unwrap();
    // Also for a holder that did not hear it the first time.
    for _ in 0..2 {
        assert_eq!(
            store.adopt("me", queue("a"), TOKEN, b"1").await.unwrap(),
            Adoption::Orphaned
        );
    }
    assert_eq!(orphans(&store).await, ["me"]);
    assert_eq!(recovered(&store).await, 1);
    assert_eq!(
        store
            .adopt("me", queue("a"), TOKEN + 1, b"2")
            .await
            .unwrap(),
        Adoption::Gone
    );
    assert_eq!(server.queue("a"), ["1"]);
}

#[tokio::test]
async fn lists_are_remembered_while_somebody_may_wait_and_then_forgotten() {
    let server = Server::start();
    let (store, place, _) = place(&server).await;
    place.may_wait("me").await.unwrap();
    store.release_lease("me").await.unwrap();
    store.sweep_handoffs().await.unwrap();
    assert_eq!(server.run::<u32>("ZCARD footplate:handoffs"), 1);
    let member: Vec<String> = server.run("ZRANGE footplate:handoffs 0 -1");
    let mut connection = server.client().get_connection().unwrap();
    let old = redis::cmd("ZADD")
        .arg("footplate:handoffs")
        .arg(1)
        .arg(&member)
        .clone();
    old.query::<()>(&mut connection).unwrap();
    store.sweep_handoffs().await.unwrap();
    assert_eq!(server.run::<u32>("EXISTS footplate:handoffs"), 0);
}

/// As after a FLUSHALL: nobody need run the job again, if it is quick.
#[tokio::test]
async fn who_hears_from_an_adoption_that_there_is_no_lease_lives_on() {
    let server = Server::start();
    let (store, place, _) = place(&server).await;
    place.may_wait("me").await.unwrap();
    server.run::<()>("FLUSHALL");
    strand(&server, "1");
    let adopted = store.adopt("me", queue("a"), TOKEN, b"1").await.unwrap();
    assert_eq!(adopted, Adoption::Orphaned);
    assert!(store.renew_lease("me", LONG).await.unwrap());
    assert!(orphans(&store).await.is_empty());
    let names = [(TOKEN, queue("a"))];
    assert_eq!(
        store.acknowledge("me", &names, &success()).await.unwrap(),
        1
    );
}
