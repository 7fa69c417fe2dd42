//! A step that stops halfway is safe to repeat: whatever command of its script fails, for want of a right or for a key of
//! a wrong type, each job is in exactly one place afterwards, and once that is mended the step goes through.

use std::collections::BTreeSet;

use footplate::store::address::Secret;

use crate::conservation::{census, check_large};
use footplate::job::{Outcome, Parcel, Queue, Token};
use footplate::store::{Claim, Store, StoreError};

use crate::support::{
    LONG, Server, bury, claim, layout, moved, poisoned_as_it_is, push, queue, queues, settlement,
    sidekiq, success,
};

const TOKEN: u64 = 1 << 52;

/// Everything that moves a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Claim,
    ClaimParcel,
    ClaimLarge,
    ClaimTrial,
    ClaimDrained,
    ClaimAgain,
    Adopt,
    AdoptBehind,
    Sweep,
    Acknowledge,
    AcknowledgeParcel,
    OpenParcel,
    Settle,
    SettleLarge,
    Recover,
    RecoverParcel,
    Bury,
    Promote,
    HoldDue,
}

const STEPS: [Step; 19] = [
    Step::Claim,
    Step::ClaimParcel,
    Step::ClaimLarge,
    Step::ClaimTrial,
    Step::ClaimDrained,
    Step::ClaimAgain,
    Step::Adopt,
    Step::AdoptBehind,
    Step::Sweep,
    Step::Acknowledge,
    Step::AcknowledgeParcel,
    Step::OpenParcel,
    Step::Settle,
    Step::SettleLarge,
    Step::Recover,
    Step::RecoverParcel,
    Step::Bury,
    Step::Promote,
    Step::HoldDue,
];

macro_rules! script {
    ($name:literal) => {
        include_str!(concat!("../../src/store/scripts/", $name, ".lua"))
    };
}

impl Step {
    /// Of which its script is made.
    fn sources(self) -> Vec<&'static str> {
        let mut sources = vec![script!("preflight"), script!("member"), script!("large")];
        sources.extend(match self {
            Self::Claim | Self::ClaimParcel | Self::ClaimLarge | Self::ClaimAgain => {
                vec![
                    script!("parcel"),
                    script!("queue"),
                    script!("claim"),
                    script!("plain"),
                ]
            }
            Self::ClaimTrial | Self::ClaimDrained => {
                vec![
                    script!("trial"),
                    script!("queue"),
                    script!("claim"),
                    script!("careful"),
                ]
            }
            Self::Adopt | Self::AdoptBehind => vec![script!("trial"), script!("adopt")],
            Self::Sweep => vec![script!("sweep")],
            Self::Acknowledge | Self::AcknowledgeParcel => {
                vec![script!("acknowledge")]
            }
            Self::OpenParcel => vec![script!("parcel"), script!("open")],
            Self::Settle | Self::SettleLarge => {
                vec![script!("trim"), script!("writes"), script!("settle")]
            }
            Self::Recover | Self::RecoverParcel => vec![script!("parcel"), script!("recover")],
            Self::Bury => vec![
                script!("recover"),
                script!("trim"),
                script!("writes"),
                script!("settle"),
            ],
            Self::Promote => vec![script!("trim"), script!("writes"), script!("promote")],
            Self::HoldDue => vec![script!("due")],
        });
        sources
    }

    fn commands(self) -> BTreeSet<String> {
        let mut commands = BTreeSet::new();
        for source in self.sources() {
            for (at, _) in source.match_indices("call('") {
                let name = source[at + 6..].split('\'').next().unwrap();
                commands.insert(name.to_lowercase());
            }
        }
        commands
    }

    /// How many jobs there are, and how many of them the step finishes.
    fn jobs(self) -> (usize, usize) {
        match self {
            Self::Acknowledge | Self::AcknowledgeParcel => (4, 4),
            Self::Settle | Self::SettleLarge => (7, 1),
            _ => (4, 0),
        }
    }

    async fn prepare(self, server: &Server, store: &Store) {
        let jobs: Vec<String> = (1..=self.jobs().0).map(|n| format!("j{n}")).collect();
        let jobs: Vec<&str> = jobs.iter().map(String::as_str).collect();
        store.take_lease("me", LONG).await.unwrap();
        match self {
            Self::Promote | Self::HoldDue => {
                for job in jobs {
                    server.run::<u32>(&format!("ZADD schedule 1 {job}"));
                }
            }
            Self::Adopt | Self::AdoptBehind | Self::Sweep => {
                server.push("a", &jobs);
                server.run::<u32>("ZADD footplate:handoffs 1 me\na");
                for _ in 0..2 {
                    server.run::<String>("LMOVE queue:a footplate:handoff:me:queue:a RIGHT LEFT");
                }
                if self == Self::Sweep {
                    store.abandon("me").await.unwrap();
                    server.run::<u32>("ZREM footplate:leases me");
                } else {
                    suspect(server, "j2");
                }
            }
            _ => {
                server.push("a", &jobs);
                self.claimed(server, store).await;
            }
        }
    }

    /// What is to happen first to jobs that lie in a queue.
    async fn claimed(self, server: &Server, store: &Store) {
        let names = queues(&["a"]);
        let all = claim(1, 50, &names);
        let (large, parcel) = match self {
            Self::SettleLarge => (1, 0),
            Self::AcknowledgeParcel | Self::OpenParcel | Self::RecoverParcel => (0, 8),
            _ => (0, 0),
        };
        match self {
            Self::Claim | Self::ClaimParcel | Self::ClaimLarge => {}
            Self::ClaimTrial => ["j1", "j3"].iter().for_each(|it| suspect(server, it)),
            Self::ClaimDrained => {
                suspect(server, "j2");
                let one = store.claim(&claim(1, 1, &names)).await.unwrap();
                assert_eq!(store.claim(&claim(2, 9, &names)).await.unwrap().len(), 0);
                let back = moved(one[0].token, "a", b"j1", "b");
                store.settle("me", &[back]).await.unwrap();
            }
            Self::ClaimAgain => {
                let parcel = Claim { parcel: 8, ..all };
                store.claim(&parcel).await.unwrap();
            }
            Self::Bury => {
                server.run::<String>("RPOP queue:a");
                server.run::<u32>("LPUSH queue:b j1");
                suspect(server, "j2");
                store.claim(&claim(1, 1, &names)).await.unwrap();
                store.abandon("me").await.unwrap();
            }
            _ => {
                let large_in = [0];
                let all = Claim {
                    large,
                    large_in: if large > 0 { &large_in } else { &[] },
                    parcel,
                    ..all
                };
                store.claim(&all).await.unwrap();
                if matches!(self, Self::Recover | Self::RecoverParcel) {
                    store.abandon("me").await.unwrap();
                }
            }
        }
    }

    async fn run(self, store: &Store) -> Result<(), StoreError> {
        let names = queues(&["a"]);
        let all = claim(1, 50, &names);
        match self {
            Self::Claim => store
                .claim(&Claim {
                    byte_limit: 3,
                    ..all
                })
                .await
                .map(drop),
            Self::ClaimParcel => store.claim(&Claim { parcel: 8, ..all }).await.map(drop),
            Self::ClaimLarge => store
                .claim(&Claim {
                    large: 1,
                    large_in: &[0],
                    ..all
                })
                .await
                .map(drop),
            Self::ClaimTrial | Self::ClaimAgain => store.claim(&all).await.map(drop),
            Self::ClaimDrained => store.claim(&claim(3, 50, &names)).await.map(drop),
            Self::Adopt => store.adopt("me", queue("a"), TOKEN, b"j1").await.map(drop),
            Self::AdoptBehind => store.adopt("me", queue("a"), TOKEN, b"j2").await.map(drop),
            Self::Sweep => store.sweep_handoffs().await.map(drop),
            Self::Acknowledge => {
                let tokens = [10_000, 10_001, 10_002, 10_003].map(|token| (token, queue("a")));
                store.acknowledge("me", &tokens, &success()).await.map(drop)
            }
            Self::AcknowledgeParcel => store
                .acknowledge_parcels("me", &parcel(), &success())
                .await
                .map(drop),
            Self::OpenParcel => store.open_parcels("me", &parcel()).await,
            Self::Settle | Self::SettleLarge => settle(store).await,
            Self::Recover | Self::RecoverParcel | Self::Bury => loop {
                let step = store
                    .recover("me", 2, 1 << 20, 3, poisoned_as_it_is)
                    .await?;
                if step.done {
                    return Ok(());
                }
            },
            Self::Promote => promote(store).await,
            Self::HoldDue => store
                .hold_due("schedule", 10, 1 << 20, LONG)
                .await
                .map(drop),
        }
    }
}

fn parcel() -> [(Parcel, &'static Queue); 1] {
    let parcel = Parcel {
        first: Token(10_000),
        count: 4,
    };
    [(parcel, queue("a"))]
}

fn suspect(server: &Server, payload: &str) {
    let hash = sha1_smol::Sha1::from(payload).digest();
    server.run::<u32>(&format!("SADD footplate:trials {hash}"));
}

/// One of each outcome.
async fn settle(store: &Store) -> Result<(), StoreError> {
    let payload = |n: u32| format!("j{n}").into_bytes();
    let outcomes = [
        Outcome::Retry {
            at: 1.0,
            payload: payload(1),
        },
        Outcome::Dead {
            payload: payload(2),
        },
        Outcome::Interrupted,
        Outcome::Malformed,
        Outcome::Requeued {
            payload: payload(5),
        },
        Outcome::Failed,
        Outcome::Returned,
    ];
    let settlements: Vec<_> = (10_000..)
        .zip(outcomes)
        .map(|(token, outcome)| settlement(token, "a", &outcome))
        .collect();
    store.settle("me", &settlements).await.map(drop)
}

async fn promote(store: &Store) -> Result<(), StoreError> {
    let promotion = |n: u32| {
        let member = format!("j{n}").into_bytes();
        if n == 4 {
            bury(&member)
        } else {
            push(&member, "a", &member)
        }
    };
    let promotions: Vec<_> = (1..=4).map(promotion).collect();
    store.promote("schedule", &promotions).await.map(drop)
}

/// A user whose rights the test changes while he is connected.
async fn connect(server: &Server) -> Store {
    server.run::<()>("ACL SETUSER shop reset on >pw ~* &* +@all");
    let mut settings = server.settings();
    settings.username = Some("shop".to_owned());
    settings.password = Some(Secret("pw".to_owned()));
    Store::open(&settings, layout(&[sidekiq()]))
        .await
        .unwrap()
        .0
}

/// Nothing is twice, and nothing is gone.
fn check(server: &Server, step: Step, finished: bool, what: &str) {
    let places = census(server);
    let doubled: Vec<_> = places.iter().filter(|(_, count)| **count != 1).collect();
    assert!(doubled.is_empty(), "{what}: {doubled:?}");
    let (jobs, gone) = step.jobs();
    let least = jobs - gone;
    assert!(
        places.len() <= jobs && places.len() >= least && (!finished || places.len() == least),
        "{what}: {places:?}"
    );
}

/// Fails as long as `hurt` lasts, twice, and goes through after `heal`.
async fn hurt_and_heal(server: &Server, store: &Store, step: Step, hurt: &str, heal: &str) {
    let what = format!("{step:?}, {hurt}");
    server.run::<()>("FLUSHALL");
    step.prepare(server, store).await;
    check(server, step, false, &what);
    for line in hurt.split("; ") {
        server.run::<redis::Value>(line);
    }
    for _ in 0..2 {
        let _failed = step.run(store).await;
    }
    server.run::<redis::Value>(heal);
    check(server, step, false, &what);
    for _ in 0..2 {
        step.run(store)
            .await
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        check(server, step, true, &what);
    }
    check_large(server, &what);
}

#[tokio::test]
async fn any_command_may_be_forbidden() {
    let server = Server::start();
    let store = connect(&server).await;
    for step in STEPS {
        for command in step.commands() {
            let [hurt, heal] = ['-', '+'].map(|sign| format!("ACL SETUSER shop {sign}{command}"));
            hurt_and_heal(&server, &store, step, &hurt, &heal).await;
        }
    }
}

/// But for those that hold the jobs.
#[tokio::test]
async fn any_key_may_be_of_a_wrong_type() {
    let server = Server::start();
    let store = connect(&server).await;
    let keys = [
        "queue:b",
        "queues",
        "paused",
        "retry",
        "dead",
        "stat:processed",
        "stat:failed",
        "stat:processed:2026-03-04",
        "footplate:suspects",
        "footplate:trials",
        "footplate:orphans",
    ];
    for step in STEPS {
        for key in keys {
            // A string is a counter's type.
            let hurt = if key.starts_with("stat:") || key == "footplate:suspects" {
                format!("DEL {key}; LPUSH {key} x")
            } else {
                format!("DEL {key}; SET {key} x")
            };
            let heal = format!("DEL {key}");
            // What it holds is the step's own, and would be lost with it.
            if holds(step, key) {
                continue;
            }
            hurt_and_heal(&server, &store, step, &hurt, &heal).await;
        }
    }
}

fn holds(step: Step, key: &str) -> bool {
    match step {
        Step::Recover | Step::RecoverParcel | Step::Sweep => key == "footplate:orphans",
        Step::Bury => matches!(key, "footplate:orphans" | "queue:b"),
        Step::ClaimDrained => key == "queue:b",
        _ => false,
    }
}
