//! A random walk over everything that moves a job, with calls repeated as after a lost reply: each job
//! is in exactly one place after each step, or was finished exactly once.

use footplate::job::{Outcome, Parcel, Queue};
use footplate::store::{Claim, Store};
use std::collections::BTreeMap;

use crate::support::{
    LONG, Server, moved, parcel_contents, payloads, poisoned_as_it_is, push, queue, queues,
    settlement, success,
};

/// A small generator: the same walk for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

struct Held {
    token: u64,
    parcel: Option<Parcel>,
    queue: String,
    payload: Vec<u8>,
}

#[derive(Default)]
struct Process {
    holder: String,
    claims: u64,
    held: Vec<Held>,
}

/// Where each payload is now.
pub(crate) fn census(server: &Server) -> BTreeMap<String, u32> {
    let mut places = BTreeMap::new();
    let mut count = |payloads: Vec<String>| {
        for payload in payloads {
            *places.entry(payload).or_default() += 1;
        }
    };
    for queue in ["a", "b"] {
        count(server.queue(queue));
    }
    for list in server.run::<Vec<String>>("KEYS footplate:handoff:*") {
        count(server.run(&format!("LRANGE {list} 0 -1")));
    }
    for set in ["schedule", "retry", "dead"] {
        count(server.run(&format!("ZRANGE {set} 0 -1")));
    }
    for table in server.run::<Vec<String>>("KEYS footplate:inflight:*") {
        let fields: Vec<(String, Vec<u8>)> = server.run(&format!("HGETALL {table}"));
        for (field, value) in fields.iter().filter(|(field, _)| !field.starts_with('#')) {
            count(if field.contains('+') {
                parcel_contents(value)
            } else if value.is_empty() {
                let list = large_list(&table, field);
                server.run(&format!("LRANGE {list} 0 -1"))
            } else {
                vec![String::from_utf8(value.clone()).unwrap()]
            });
        }
    }
    places
}

/// No payload that lies beside a table is forgotten there.
pub(crate) fn check_large(server: &Server, when: &str) {
    assert_eq!(large_lists(server), large_fields(server), "{when}");
}

fn large_list(table: &str, field: &str) -> String {
    let holder = table.strip_prefix("footplate:inflight:").unwrap();
    let token = field.split_once(':').unwrap().0;
    format!("footplate:large:{holder}:{token}")
}

fn large_lists(server: &Server) -> usize {
    server.run::<Vec<String>>("KEYS footplate:large:*").len()
}

/// How many large jobs there are in all tables.
fn large_fields(server: &Server) -> usize {
    let tables: Vec<String> = server.run("KEYS footplate:inflight:*");
    let empty = |table: &String| {
        let values: Vec<Vec<u8>> = server.run(&format!("HVALS {table}"));
        values.iter().filter(|value| value.is_empty()).count()
    };
    tables.iter().map(empty).sum()
}

/// How many of them the tables count.
fn large_counted(server: &Server) -> usize {
    let tables: Vec<String> = server.run("KEYS footplate:inflight:*");
    let count = |table: &String| {
        let count: Option<usize> = server.run(&format!("HGET {table} #large"));
        count.unwrap_or(0)
    };
    tables.iter().map(count).sum()
}

fn parcels(held: &[Held]) -> Vec<(Parcel, &'static Queue)> {
    let mut parcels: Vec<_> = held
        .iter()
        .filter_map(|job| Some((job.parcel?, queue(&job.queue))))
        .collect();
    parcels.dedup();
    parcels
}

async fn open_parcels(store: &Store, process: &mut Process) {
    for _ in 0..2 {
        store
            .open_parcels(&process.holder, &parcels(&process.held))
            .await
            .unwrap();
    }
    for job in &mut process.held {
        job.parcel = None;
    }
}

/// Says how many jobs there were in all parcels, which it acknowledges as a whole.
async fn acknowledge_parcels(store: &Store, process: &mut Process) -> usize {
    let (holder, before) = (process.holder.clone(), process.held.len());
    let parcels = parcels(&process.held);
    let counters = success();
    let acknowledge = || store.acknowledge_parcels(&holder, &parcels, &counters);
    let counted = acknowledge().await.unwrap();
    assert_eq!(acknowledge().await.unwrap(), 0);
    process.held.retain(|job| job.parcel.is_none());
    assert_eq!(counted, before - process.held.len());
    counted
}

async fn walk(seed: u64) {
    let (server, names) = (Server::start(), queues(&["a", "b"]));
    let stores: [Store; 2] = [server.store().await, server.store().await];
    let mut dice = Dice(seed);
    let mut processes: Vec<Process> = Vec::new();
    let (mut pushed, mut finished, mut born) = (0_u64, 0_usize, 0);
    for step in 0..400 {
        while processes.len() < 2 {
            born += 1;
            let holder = format!("holder{born}");
            assert!(stores[0].take_lease(&holder, LONG).await.unwrap());
            processes.push(Process {
                holder,
                ..Process::default()
            });
        }
        let store = &stores[usize::try_from(dice.roll(2)).unwrap()];
        let which = usize::try_from(dice.roll(2)).unwrap();
        let process = &mut processes[which];
        match dice.roll(8) {
            0 | 1 => {
                let queue = if dice.roll(2) == 0 { "a" } else { "b" };
                server.push(
                    queue,
                    &[&format!("job{pushed}"), &format!("job{}", pushed + 1)],
                );
                pushed += 2;
            }
            2 | 3 => {
                // Of a number that was never executed nothing comes when it is sent after all.
                let skipped = dice.roll(4) == 0;
                process.claims += 1 + u64::from(skipped);
                let shares = [(1, 1), (0, 2), (1, 2)];
                let shares = &shares[..usize::try_from(dice.roll(4)).unwrap()];
                let claim = Claim {
                    holder: &process.holder,
                    number: process.claims,
                    first_token: process.claims * 100,
                    limit: usize::try_from(1 + dice.roll(5)).unwrap(),
                    byte_limit: usize::try_from(1 + dice.roll(30)).unwrap(),
                    startable: 1,
                    parcel: usize::try_from(dice.roll(2) * 8).unwrap(),
                    // Of 0: none is; of 5: those from `job10` on.
                    large: usize::try_from(dice.roll(2) * 5).unwrap(),
                    large_in: &[0, 1][..usize::try_from(dice.roll(3)).unwrap()],
                    queues: &names,
                    shares,
                };
                let jobs = store.claim(&claim).await.unwrap();
                if dice.roll(2) == 0 {
                    let again = store.claim(&claim).await.unwrap();
                    assert_eq!(payloads(&again), payloads(&jobs));
                    assert!(again.iter().all(|job| job.parcel.is_none()));
                }
                let late = Claim {
                    number: process.claims - 1,
                    first_token: (process.claims - 1) * 100,
                    limit: 100,
                    ..claim
                };
                let kept = store.claim(&late).await.unwrap();
                let held = process.held.iter();
                let expected = held.filter(|job| job.token / 100 == late.number);
                assert!(
                    kept.late
                        && kept
                            .iter()
                            .map(|job| job.token)
                            .eq(expected.map(|job| job.token))
                );
                assert!(!skipped || kept.is_empty());
                process.held.extend(jobs.into_iter().map(|job| Held {
                    token: job.token,
                    parcel: job.parcel,
                    queue: names[job.queue].name.clone(),
                    payload: job.payload,
                }));
            }
            4 if dice.roll(2) == 0 => finished += acknowledge_parcels(store, process).await,
            4 => {
                open_parcels(store, process).await;
                let done: Vec<_> = process.held.drain(..process.held.len() / 2).collect();
                let name = |job: &Held| (job.token, queue(&job.queue));
                let tokens: Vec<_> = done.iter().map(name).collect();
                let counted = store
                    .acknowledge(&process.holder, &tokens, &success())
                    .await
                    .unwrap();
                assert_eq!(counted, done.len());
                assert_eq!(
                    store
                        .acknowledge(&process.holder, &tokens, &success())
                        .await
                        .unwrap(),
                    0
                );
                finished += counted;
            }
            5 => {
                open_parcels(store, process).await;
                let held: Vec<_> = process.held.drain(..).collect();
                let settlements: Vec<_> = held
                    .iter()
                    .map(|job| {
                        let payload = job.payload.clone();
                        let outcome = match dice.roll(7) {
                            0 => Outcome::Retry {
                                at: dice.roll(1000) as f64,
                                payload,
                            },
                            1 => Outcome::Dead { payload },
                            2 => Outcome::Interrupted,
                            3 => Outcome::Malformed,
                            4 => Outcome::Requeued { payload },
                            5 => return moved(job.token, &job.queue, &payload, "b"),
                            _ => Outcome::Returned,
                        };
                        settlement(job.token, &job.queue, &outcome)
                    })
                    .collect();
                for expected in [true, false] {
                    let mine = store.settle(&process.holder, &settlements).await.unwrap();
                    assert_eq!(mine, vec![expected; settlements.len()]);
                }
            }
            6 => {
                // Killed: others recover what it held, both at once.
                let dead = processes.remove(which);
                store.abandon(&dead.holder).await.unwrap();
                loop {
                    let recover = |store: &Store| {
                        let (store, holder) = (store.clone(), dead.holder.clone());
                        async move {
                            store
                                .recover(&holder, 2, 1 << 20, 3, poisoned_as_it_is)
                                .await
                                .unwrap()
                        }
                    };
                    let (one, two) = tokio::join!(recover(&stores[0]), recover(&stores[1]));
                    if one.done || two.done {
                        break;
                    }
                }
            }
            _ => {
                let due = store.due("retry", 5, 1 << 20).await.unwrap();
                let promotions: Vec<_> = due
                    .members
                    .into_iter()
                    .map(|member| push(&member, "a", &member))
                    .collect();
                store.promote("retry", &promotions).await.unwrap();
                let again = store.promote("retry", &promotions).await.unwrap();
                assert_eq!(again, vec![false; promotions.len()]);
            }
        }
        let places = census(&server);
        check_large(&server, &format!("seed {seed}, step {step}"));
        assert_eq!(large_fields(&server), large_counted(&server));
        let doubled: Vec<_> = places.iter().filter(|(_, count)| **count != 1).collect();
        assert!(doubled.is_empty(), "seed {seed}, step {step}: {doubled:?}");
        assert_eq!(
            places.len() as u64 + finished as u64,
            pushed,
            "seed {seed}, step {step}"
        );
    }
    assert!(finished > 0);
}

#[tokio::test]
async fn each_job_is_in_one_place() {
    for seed in [1, 2026, 987_654_321] {
        walk(seed).await;
    }
}
