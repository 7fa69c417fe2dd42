use footplate::dialect::MetricsWrite;
use footplate::store::{Beat, StoreError};

use crate::support::{LONG, Server, presence};

fn beat(work: &[(&str, &str)]) -> Beat {
    Beat {
        presence: presence("host:1:abc"),
        identity: "host:1:abc".to_owned(),
        fields: vec![
            ("info".to_owned(), "{}".to_owned()),
            ("busy".to_owned(), "1".to_owned()),
        ],
        work: work
            .iter()
            .map(|(tid, job)| ((*tid).to_owned(), job.as_bytes().to_vec()))
            .collect(),
        ttl: LONG,
    }
}

#[tokio::test]
async fn a_beat_shows_the_process_and_fetches_its_commands() {
    let server = Server::start();
    let store = server.store().await;
    let first = store
        .beat(&beat(&[("t1", "job1"), ("t2", "job2")]))
        .await
        .unwrap();
    assert!(!first.known && first.signals.is_empty());
    for key in ["host:1:abc:work", "host:1:abc:workers"] {
        assert_eq!(server.run::<u64>(&format!("HLEN {key}")), 2);
        assert!((1..=60).contains(&server.run::<i64>(&format!("TTL {key}"))));
    }
    assert!((1..=60).contains(&server.run::<i64>("TTL host:1:abc")));
    assert_eq!(
        server.run::<Vec<String>>("SMEMBERS processes"),
        ["host:1:abc"]
    );
    server.run::<()>("LPUSH host:1:abc-signals TSTP");
    server.run::<()>("LPUSH host:1:abc-signals TERM");
    let second = store.beat(&beat(&[("t3", "job3")])).await.unwrap();
    assert!(second.known);
    assert_eq!(second.signals, ["TSTP", "TERM"]);
    assert_eq!(server.run::<Vec<String>>("HKEYS host:1:abc:work"), ["t3"]);
    store.beat(&beat(&[])).await.unwrap();
    assert_eq!(server.run::<u64>("EXISTS host:1:abc:work"), 0);
    store
        .clear_process("host:1:abc", &presence("host:1:abc"))
        .await
        .unwrap();
    assert_eq!(server.run::<u64>("SCARD processes"), 0);
    assert_eq!(server.run::<u64>("EXISTS host:1:abc"), 1);
}

#[tokio::test]
async fn dead_processes_are_pruned_once_a_minute() {
    let server = Server::start();
    let store = server.store().await;
    store.beat(&beat(&[])).await.unwrap();
    server.run::<()>("SADD processes gone:1 gone:2");
    assert_eq!(store.prune_processes(presence).await.unwrap(), 2);
    server.run::<()>("SADD processes gone:3");
    assert_eq!(store.prune_processes(presence).await.unwrap(), 0);
    server.run::<()>("DEL process_cleanup");
    assert_eq!(store.prune_processes(presence).await.unwrap(), 1);
    assert_eq!(
        server.run::<Vec<String>>("SMEMBERS processes"),
        ["host:1:abc"]
    );
}

#[tokio::test]
async fn what_the_running_processes_told_is_read_unless_they_are_too_many() {
    let server = Server::start();
    let store = server.store().await;
    store.beat(&beat(&[])).await.unwrap();
    server.run::<()>("SADD processes gone:1 strange:1");
    server.run::<()>("SET strange:1 text");
    let told = store.process_infos(presence).await.unwrap();
    assert_eq!(told, Some(vec![b"{}".to_vec()]));
    let many: Vec<String> = (0..6_000).map(|it| format!("many:{it}")).collect();
    server.run::<()>(&format!("SADD processes {}", many.join(" ")));
    assert_eq!(store.process_infos(presence).await.unwrap(), None);
}

#[tokio::test]
async fn a_flush_of_metrics_is_written_once() {
    let server = Server::start();
    let store = server.store().await;
    let minute = || "j|260304|8:45".to_owned();
    let increment = |field: &str, by| MetricsWrite::HashIncrement {
        key: minute(),
        field: field.to_owned(),
        by,
    };
    let mut bucket_counts = [0; 26];
    bucket_counts[0] = 2;
    bucket_counts[25] = 70_000;
    let writes = [
        increment("Job|p", 3),
        increment("Job|ms", 120),
        MetricsWrite::Expire {
            key: minute(),
            seconds: 28_800,
        },
        MetricsWrite::Histogram {
            key: "h|Job-4-8:45".to_owned(),
            bucket_counts,
        },
    ];
    let early = store.apply_metrics("me", 1, &writes).await;
    assert!(matches!(early, Err(StoreError::LeaseLost)), "{early:?}");
    store.take_lease("me", LONG).await.unwrap();
    assert!(store.apply_metrics("me", 1, &writes).await.unwrap());
    assert!(!store.apply_metrics("me", 1, &writes).await.unwrap());
    assert!(store.apply_metrics("me", 2, &writes).await.unwrap());
    let fields: Vec<u64> = server.run("HMGET j|260304|8:45 Job|p Job|ms");
    assert_eq!(fields, [6, 240]);
    let counts: Vec<u64> = server.run("BITFIELD h|Job-4-8:45 GET u16 #0 GET u16 #25");
    assert_eq!(counts, [4, 65_535]);
    assert!(server.run::<i64>("TTL j|260304|8:45") > 28_000);
    assert_eq!(store.release_lease("me").await.unwrap(), 0);
    assert_eq!(server.run::<Vec<String>>("KEYS footplate:*"), [""; 0]);
}
