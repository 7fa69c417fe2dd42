use std::path::Path;
use std::process::{Child, Command, Stdio};

use footplate::store::address::RedisSettings;
use footplate::store::{Store, StoreError};

use crate::support::{
    LONG, Scratch, Server, claim, eventually, layout, payloads, queues, sidekiq, until,
};

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

struct Sentinel(Child);

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn sentinel(dir: &Path, port: u16, master: u16) -> Sentinel {
    let config = dir.join("sentinel.conf");
    let text = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor main 127.0.0.1 {master} 1\n\
         sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n",
        dir.display()
    );
    std::fs::write(&config, text).unwrap();
    let binary = std::env::var("FOOTPLATE_TEST_REDIS_SERVER");
    let child = Command::new(binary.as_deref().unwrap_or("redis-server"))
        .arg(&config)
        .arg("--sentinel")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    Sentinel(child)
}

#[tokio::test]
async fn a_failover_is_followed() {
    let names = queues(&["a"]);
    let (first, second, watcher) = (free_port(), free_port(), free_port());
    let start = |port: u16| Server::with(Scratch::new(), &["--port", &port.to_string()]);
    let (mut master, replica) = (start(first), start(second));
    replica.run::<()>(&format!("REPLICAOF 127.0.0.1 {first}"));
    eventually("the replica follows", || {
        replica
            .run::<String>("INFO replication")
            .contains("master_link_status:up")
            .then_some(())
    });
    let dir = Scratch::new();
    let _sentinel = sentinel(&dir.0, watcher, first);
    let asked = redis::Client::open(format!("redis://127.0.0.1:{watcher}")).unwrap();
    eventually("the sentinel knows the replica", || {
        let mut connection = asked.get_connection().ok()?;
        let masters: redis::Value = redis::cmd("SENTINEL")
            .arg("replicas")
            .arg("main")
            .query(&mut connection)
            .ok()?;
        format!("{masters:?}")
            .contains(&second.to_string())
            .then_some(())
    });

    let json = format!(
        r#"{{"name":"main","response_timeout":0.5,"connect_timeout":1,
            "sentinels":[{{"host":"127.0.0.1","port":1}},{{"host":"127.0.0.1","port":{watcher}}}]}}"#
    );
    let settings = RedisSettings::from_json(&json).unwrap();
    let (store, _touched) = Store::open(&settings, layout(&[sidekiq()])).await.unwrap();
    store.take_lease("me", LONG).await.unwrap();
    master.push("a", &["1", "2"]);
    assert_eq!(
        payloads(&store.claim(&claim(1, 1, &names)).await.unwrap()),
        ["1"]
    );
    // WAIT is about the writes of its own connection: what was written before this one is replicated with it.
    let mut connection = master.client().get_connection().unwrap();
    let (replicas,): (u64,) = redis::pipe()
        .cmd("SET")
        .arg("last")
        .arg(1)
        .ignore()
        .cmd("WAIT")
        .arg(1)
        .arg(5_000)
        .query(&mut connection)
        .unwrap();
    assert_eq!(replicas, 1);
    master.kill();
    let jobs = until("the new master answers", async || {
        match store.claim(&claim(2, 1, &names)).await {
            Ok(jobs) => Some(jobs),
            Err(error) => {
                assert!(error.is_temporary(), "{error}");
                None
            }
        }
    })
    .await;
    assert_eq!(payloads(&jobs), ["2"]);
    assert_eq!(replica.in_flight("me"), 2);

    let mut wrong = settings.clone();
    wrong.name = Some("other".to_owned());
    let error = Store::open(&wrong, layout(&[sidekiq()]))
        .await
        .err()
        .unwrap();
    assert!(
        matches!(&error, StoreError::Unavailable(why) if why.contains("no master named other")),
        "{error}"
    );
}
