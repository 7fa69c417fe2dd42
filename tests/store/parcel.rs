use footplate::job::{Outcome, Parcel, Token};
use footplate::store::{Claim, Claimed, Store};

use crate::support::{
    LONG, Server, claim, parcel_contents, payloads, poisoned_as_it_is, queue, queues, settlement,
    success,
};

const TABLE: &str = "footplate:inflight:me";

/// Claims everything in the queues `a` and `b:c`, in parcels.
async fn claimed(server: &Server, number: u64) -> (Store, Vec<Claimed>) {
    let (store, names) = (server.store().await, queues(&["a", "b:c"]));
    store.take_lease("me", LONG).await.unwrap();
    let request = Claim {
        parcel: 128,
        ..claim(number, 1_000, &names)
    };
    let claims = store.claim(&request).await.unwrap();
    (store, claims.jobs)
}

fn fields(server: &Server) -> Vec<String> {
    let mut fields: Vec<String> = server.run(&format!("HKEYS {TABLE}"));
    fields.retain(|field| !field.starts_with('#'));
    fields.sort();
    fields
}

fn parcel(first: u64, count: u32) -> Parcel {
    let first = Token(first);
    Parcel { first, count }
}

#[tokio::test]
async fn jobs_of_one_queue_share_a_field_and_keep_their_bytes_and_order() {
    let server = Server::start();
    let long = "x".repeat(70_000);
    server.push(
        "a",
        &["1", "", &long, "12345678901234567890123456789012345"],
    );
    server.push("b:c", &["7", "8"]);
    let (_, jobs) = claimed(&server, 1).await;
    let expected = [
        "1",
        "",
        &long,
        "12345678901234567890123456789012345",
        "7",
        "8",
    ];
    assert_eq!(payloads(&jobs), expected);
    assert_eq!(jobs[3].parcel, Some(parcel(10_000, 4)));
    assert_eq!(jobs[5].parcel, Some(parcel(10_004, 2)));
    assert_eq!(
        (jobs[3].token, jobs[5].token, jobs[5].queue),
        (10_003, 10_005, 1)
    );
    assert_eq!(fields(&server), ["10000+4:queue:a", "10004+2:queue:b:c"]);
    let packed: Vec<u8> = server.run(&format!("HGET {TABLE} 10000+4:queue:a"));
    assert_eq!(parcel_contents(&packed), expected[..4]);
}

#[tokio::test]
async fn one_job_alone_is_no_parcel() {
    let server = Server::start();
    server.push("a", &["1"]);
    let (_, jobs) = claimed(&server, 1).await;
    assert_eq!(
        (jobs[0].parcel, fields(&server)),
        (None, vec!["10000:queue:a".to_owned()])
    );
}

#[tokio::test]
async fn a_big_claim_makes_parcels_of_at_most_128() {
    let server = Server::start();
    let all: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    server.push("a", &all.iter().map(String::as_str).collect::<Vec<_>>());
    let (store, jobs) = claimed(&server, 1).await;
    assert_eq!(payloads(&jobs), all);
    let mut parcels: Vec<_> = jobs
        .iter()
        .filter_map(|job| Some((job.parcel?, queue("a"))))
        .collect();
    parcels.dedup();
    assert!(parcels.iter().all(|(parcel, _)| parcel.count <= 128));
    assert_eq!(
        parcels.iter().map(|(parcel, _)| parcel.count).sum::<u32>(),
        300
    );
    assert_eq!(
        store
            .acknowledge_parcels("me", &parcels, &success())
            .await
            .unwrap(),
        300
    );
    assert_eq!(
        store
            .acknowledge_parcels("me", &parcels, &success())
            .await
            .unwrap(),
        0
    );
    assert_eq!(server.run::<u32>("GET stat:processed"), 300);
    assert!(fields(&server).is_empty());
    assert_eq!(store.release_lease("me").await.unwrap(), 0);
}

#[tokio::test]
async fn an_opened_parcel_is_settled_job_by_job_or_still_as_a_whole() {
    let server = Server::start();
    server.push("b:c", &["1", "2", "3"]);
    let (store, _) = claimed(&server, 1).await;
    let whole = [(parcel(10_000, 3), queue("b:c"))];
    assert_eq!(store.release_lease("me").await.unwrap(), 1);
    store.open_parcels("me", &whole).await.unwrap();
    store.open_parcels("me", &whole).await.unwrap();
    assert_eq!(
        fields(&server),
        ["10000:queue:b:c", "10001:queue:b:c", "10002:queue:b:c"]
    );
    let back = settlement(10_001, "b:c", &Outcome::Returned);
    assert_eq!(store.settle("me", &[back]).await.unwrap(), [true]);
    assert_eq!(server.queue("b:c"), ["2"]);
    assert_eq!(
        store
            .acknowledge_parcels("me", &whole, &success())
            .await
            .unwrap(),
        2
    );
    assert_eq!(store.release_lease("me").await.unwrap(), 0);
}

#[tokio::test]
async fn a_repeated_claim_finds_its_jobs_in_parcels_too() {
    let server = Server::start();
    server.push("a", &["1", "2"]);
    server.push("b:c", &["3", "4", "5"]);
    let (_, first) = claimed(&server, 1).await;
    let (store, again) = claimed(&server, 1).await;
    assert_eq!(payloads(&again), payloads(&first));
    assert!(again.iter().all(|job| job.parcel.is_none()));
    assert_eq!(
        store
            .acknowledge("me", &[(10_004, queue("b:c"))], &success())
            .await
            .unwrap(),
        1
    );
}

#[tokio::test]
async fn recovery_puts_the_jobs_of_parcels_back_in_order() {
    let server = Server::start();
    server.push("a", &["1", "2", "3"]);
    server.push("b:c", &["7", "8"]);
    let (store, _) = claimed(&server, 1).await;
    server.push("a", &["4"]);
    assert!(store.abandon("me").await.unwrap());
    let mut requeued = 0;
    loop {
        let part = store
            .recover("me", 2, 1 << 20, 3, poisoned_as_it_is)
            .await
            .unwrap();
        requeued += part.requeued;
        if part.done {
            break;
        }
    }
    assert_eq!(requeued, 5);
    assert_eq!(server.queue("a"), ["1", "2", "3", "4"]);
    assert_eq!(server.queue("b:c"), ["7", "8"]);
    assert_eq!(server.run::<u32>(&format!("EXISTS {TABLE}")), 0);
}
