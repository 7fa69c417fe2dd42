//! Payloads of which a few fill a claim.

use footplate::store::Claim;

use crate::support::{LONG, Server, calls, claim, queues};

/// Popped only to be pushed back, a few hundred of them would keep Redis busy for longer than anybody waits, and
/// might not fit into its memory a second time.
#[tokio::test]
async fn a_claim_pops_no_more_big_jobs_than_it_takes() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    let big = "x".repeat(1 << 20);
    server.push("a", &vec![big.as_str(); 24]);
    server.run::<()>("CONFIG RESETSTAT");
    for (number, left) in [(1, 20), (2, 16), (3, 12)] {
        let bounded = Claim {
            byte_limit: 4 << 20,
            startable: 1,
            ..claim(number, 100, &names)
        };
        assert_eq!(store.claim(&bounded).await.unwrap().len(), 4);
        assert_eq!(server.run::<u64>("LLEN queue:a"), left);
    }
    assert_eq!(calls(&server, "rpush"), 0);
}

/// One that is larger than a whole claim may be comes alone.
#[tokio::test]
async fn jobs_of_ten_megabytes_are_claimed_one_at_a_time() {
    let (server, names) = (Server::start(), queues(&["a"]));
    let store = server.store().await;
    store.take_lease("me", LONG).await.unwrap();
    let big = "x".repeat(10 << 20);
    server.push("a", &[big.as_str(), &big, &big]);
    server.run::<()>("CONFIG RESETSTAT");
    for number in 1..=3 {
        let bounded = Claim {
            byte_limit: 4 << 20,
            startable: 1,
            ..claim(number, 100, &names)
        };
        let jobs = store.claim(&bounded).await.unwrap();
        assert_eq!(jobs.len(), 1);
        assert_eq!(jobs[0].payload.len(), big.len());
    }
    assert_eq!(calls(&server, "rpush"), 0);
}
