use std::process::Command;

use footplate::store::address::{RedisSettings, Secret, TlsSettings};
use footplate::store::{Claim, Store, StoreError};

use crate::support::{LONG, Scratch, Server, claim, layout, presence, queues, sidekiq};

async fn refused(settings: &RedisSettings) -> StoreError {
    Store::open(settings, layout(&[sidekiq()]))
        .await
        .err()
        .expect("no access")
}

#[tokio::test]
async fn a_wrong_password_is_said_clearly() {
    let server = Server::start();
    server.run::<()>("ACL SETUSER footplate on >right ~* &* +@all");
    let mut settings = server.settings();
    settings.username = Some("footplate".to_owned());
    settings.password = Some(Secret("wrong".to_owned()));
    let error = refused(&settings).await;
    assert!(matches!(error, StoreError::Denied(_)), "{error:?}");
    assert!(error.is_about_login(), "{error:?}");
    assert!(
        error.to_string().contains("check user, password and ACL"),
        "{error}"
    );
    assert!(!error.to_string().contains("wrong\""), "{error}");
    settings.password = Some(Secret("right".to_owned()));
    let (store, _) = Store::open(&settings, layout(&[sidekiq()])).await.unwrap();
    // The password changes while the process runs.
    server.run::<()>("ACL SETUSER footplate resetpass >other");
    server.run::<()>("CLIENT KILL TYPE normal SKIPME yes");
    let error = loop {
        match store.ping().await.unwrap_err() {
            StoreError::Unavailable(_) => {}
            error => break error,
        }
    };
    assert!(matches!(error, StoreError::Denied(_)), "{error:?}");
    assert!(error.is_about_login(), "{error:?}");
}

#[tokio::test]
async fn a_server_that_wants_a_password_is_denied_without_one() {
    let server = Server::start();
    let settings = server.settings();
    server.run::<()>("CONFIG SET requirepass secret");
    let error = refused(&settings).await;
    assert!(matches!(error, StoreError::Denied(_)), "{error:?}");
    assert!(error.is_about_login(), "{error:?}");
}

#[tokio::test]
async fn a_user_without_tracking_polls() {
    let (server, names) = (Server::start(), queues(&["a"]));
    server.run::<()>("ACL SETUSER footplate on >pw ~* &* +@all -client -info -role");
    let mut settings = server.settings();
    settings.username = Some("footplate".to_owned());
    settings.password = Some(Secret("pw".to_owned()));
    let (store, _touched) = Store::open(&settings, layout(&[sidekiq()])).await.unwrap();
    let facts = store.server();
    assert!(!facts.tracking && facts.version.is_none(), "{facts:?}");
    store.watch("me-signals".to_owned()).await.unwrap();
    store.take_lease("me", LONG).await.unwrap();
    server.push("a", &["1"]);
    assert_eq!(store.claim(&claim(1, 1, &names)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_without_hello_is_spoken_to_in_the_old_protocol() {
    let names = queues(&["a"]);
    let options = ["--port", "0", "--rename-command", "HELLO", "hidden"];
    let server = Server::with(Scratch::new(), &options);
    server.push("a", &["1", "2"]);
    let (store, _touched) = server.open().await;
    assert!(!store.server().tracking);
    assert!(store.server().version.is_some());
    store.take_lease("me", LONG).await.unwrap();
    assert_eq!(store.claim(&claim(1, 2, &names)).await.unwrap().len(), 2);
    assert_eq!(store.claim(&claim(1, 2, &names)).await.unwrap().len(), 2);
    let error = store
        .claim(&Claim {
            holder: "other",
            ..claim(1, 2, &names)
        })
        .await;
    assert!(matches!(error, Err(StoreError::LeaseLost)), "{error:?}");
    store.lengths(&["queue:a".to_owned()]).await.unwrap();
    store.clear_process("me", &presence("me")).await.unwrap();
    store.prune_processes(presence).await.unwrap();
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_named() {
    let server = Server::start();
    let mut settings = server.settings();
    settings.db = 99;
    let error = refused(&settings).await.to_string();
    assert!(error.starts_with("redis.db: "), "{error}");
}

/// A private authority, and a server and a client certificate signed by it.
fn certificates() -> Scratch {
    let dir = Scratch::new();
    let script = "
        set -e
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
          -keyout ca.key -out ca.crt -subj /CN=authority
        for name in server client; do
          openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
            -keyout $name.key -out $name.csr -subj /CN=$name
          printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\\n' > $name.ext
          openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial \
            -days 2 -out $name.crt -extfile $name.ext
        done";
    let output = Command::new("sh")
        .args(["-c", script])
        .current_dir(&dir.0)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    dir
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[tokio::test]
async fn tls_with_a_private_authority_and_a_client_certificate() {
    let dir = certificates();
    let path = |name: &str| dir.0.join(name);
    let (ca_file, cert_file, key_file) = (path("ca.crt"), path("client.crt"), path("client.key"));
    let port = free_port();
    let options = format!(
        "--port 0 --tls-port {port} --tls-cert-file {0}/server.crt --tls-key-file {0}/server.key \
         --tls-ca-cert-file {0}/ca.crt --tls-auth-clients yes",
        dir.0.display()
    );
    let server = Server::with(dir, &options.split_whitespace().collect::<Vec<_>>());
    let mut settings = RedisSettings {
        host: Some("localhost".to_owned()),
        port: Some(port),
        response_timeout: Some(5.0),
        ..RedisSettings::default()
    };

    settings.tls = Some(TlsSettings {
        ca_file: Some(ca_file.clone()),
        cert_file: Some(cert_file.clone()),
        key_file: Some(key_file.clone()),
        verify: None,
    });
    let (store, _touched) = Store::open(&settings, layout(&[sidekiq()])).await.unwrap();
    assert!(store.server().tracking);
    store.take_lease("me", LONG).await.unwrap();

    // Not trusted by the system.
    settings.tls = Some(TlsSettings {
        cert_file: Some(cert_file.clone()),
        key_file: Some(key_file.clone()),
        ..TlsSettings::default()
    });
    let error = refused(&settings).await;
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert!(error.to_string().contains("ertificate"), "{error}");

    // Unless nobody looks.
    settings.tls.as_mut().unwrap().verify = Some(false);
    Store::open(&settings, layout(&[sidekiq()])).await.unwrap();

    // The server wants to see a certificate.
    settings.tls = Some(TlsSettings {
        ca_file: Some(ca_file),
        ..TlsSettings::default()
    });
    let error = refused(&settings).await;
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");

    settings.tls.as_mut().unwrap().ca_file = Some("/nowhere/ca.crt".into());
    let error = refused(&settings).await.to_string();
    assert!(
        error.starts_with("redis.tls.ca_file: cannot read /nowhere/ca.crt"),
        "{error}"
    );
    drop(server);
}

/// The redis gem 4 sends the password alone to a server that does not know the user.
#[tokio::test]
async fn the_user_who_lacks_a_right_is_the_one_who_connected() {
    let server = Server::start();
    server.run::<()>("ACL SETUSER default >pw -zadd");
    let mut settings = server.settings();
    settings.username = Some("nobody".to_owned());
    settings.password = Some(Secret("pw".to_owned()));
    settings.password_alone = true;
    let (store, _) = Store::open(&settings, layout(&[sidekiq()])).await.unwrap();
    let error = store.check_rights(&[]).await.unwrap_err().to_string();
    assert!(error.contains("the Redis user default may not"), "{error}");
    assert!(error.ends_with("ACL SETUSER default +zadd"), "{error}");
}
