//! When Redis cannot be worked with: said once when it begins, and once when it is over, however many tasks run
//! into it and however often; what lacks a right, or meets a key of a wrong type, is said of each. Reads may go on
//! working while writes fail, so an outage is over only when everything that failed has worked again, or is not tried
//! any more.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::{Discriminant, discriminant};
use std::time::Instant;

use super::control::Control;
use super::shared::Shared;
use super::sync::lock;
use crate::store::StoreError;

/// The outages of one engine.
#[derive(Default)]
pub(super) struct Outages {
    current: Option<Outage>,
    /// How many [`Attempts`] have ever failed.
    numbered: u64,
}

/// The present outage.
struct Outage {
    since: Instant,
    /// Which attempts failed when they were last made, and whether Redis was out of reach for them.
    failing: BTreeMap<u64, bool>,
    /// In which ways it was said that Redis is out of reach. A refusal may last, and must not hide that; nor may a
    /// Redis that was away for a while hide that it now wants another password.
    out_of_reach: Vec<Discriminant<StoreError>>,
    /// What was said to fail. What differs in nothing but an address or a number says nothing new.
    said: BTreeSet<&'static str>,
}

/// Something that is tried again until it works, or until whoever tries gives up and drops this: what nobody tries
/// any more keeps no outage open.
pub(super) struct Attempts<'a> {
    shared: &'a Shared,
    what: &'static str,
    /// Under which it is among those that fail.
    number: Option<u64>,
}

impl Shared {
    /// `what` is in the infinitive.
    pub(super) fn attempts(&self, what: &'static str) -> Attempts<'_> {
        Attempts {
            shared: self,
            what,
            number: None,
        }
    }
}

impl Attempts<'_> {
    /// It could not be done now, and is tried again.
    pub(super) fn failed(&mut self, error: &StoreError) {
        let what = self.what;
        let out_of_reach = matches!(error, StoreError::Unavailable(_) | StoreError::Denied(_));
        let mut outages = lock(&self.shared.outages);
        let number = *self.number.get_or_insert_with(|| {
            outages.numbered += 1;
            outages.numbered
        });
        let first = outages.current.is_none();
        let outage = outages.current.get_or_insert_with(Outage::begin);
        let worse = out_of_reach && !outage.out_of_reach.contains(&discriminant(error));
        if worse {
            if outage.out_of_reach.is_empty() {
                outage.since = Instant::now();
            }
            outage.out_of_reach.push(discriminant(error));
        }
        outage.failing.insert(number, out_of_reach);
        let new = outage.said.insert(what);
        drop(outages);
        if first || worse || new && is_particular(error) {
            tracing::error!("cannot {what}: {error}; trying again");
            self.shared.control.send(Control::Outage(error.to_string()));
        } else if new {
            tracing::debug!("cannot {what} either: {error}");
        }
    }

    /// It was done, or there is nothing to do any more.
    pub(super) fn worked(&mut self) {
        let number = self.number.take();
        let mut outages = lock(&self.shared.outages);
        let Some(outage) = outages.current.as_mut() else {
            return;
        };
        outage.forget(number);
        let seconds = outage.since.elapsed().as_secs_f64();
        if outage.failing.is_empty() {
            outages.current = None;
            drop(outages);
            tracing::info!("Redis is online, {seconds:.3} sec downtime");
        } else if !outage.out_of_reach.is_empty() && !outage.failing.values().any(|it| *it) {
            outage.out_of_reach.clear();
            drop(outages);
            tracing::info!(
                "Redis answers again after {seconds:.3} sec, but still refuses something"
            );
        }
    }
}

/// Whether it is about this one thing, so that another's failure does not say it too.
fn is_particular(error: &StoreError) -> bool {
    match error {
        StoreError::Refused(why) => why.starts_with("NOPERM"),
        other => matches!(other, StoreError::Unexpected(_)),
    }
}

impl Drop for Attempts<'_> {
    /// Whether the outage is over, what works next tells.
    fn drop(&mut self) {
        if self.number.is_some()
            && let Some(outage) = lock(&self.shared.outages).current.as_mut()
        {
            outage.forget(self.number);
        }
    }
}

impl Outage {
    fn begin() -> Self {
        Self {
            since: Instant::now(),
            failing: BTreeMap::new(),
            out_of_reach: Vec::new(),
            said: BTreeSet::new(),
        }
    }

    fn forget(&mut self, number: Option<u64>) {
        if let Some(number) = number {
            self.failing.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config::Config;
    use crate::engine::Mail;

    fn shared() -> Shared {
        let config = serde_json::json!({
            "hostname": "web-1", "pid": 7, "nonce": "0123456789ab", "started_at": 0.5,
            "redis": {}, "capsules": [{"name": "default", "concurrency": 1, "mode": "strict", "queues": [{"name": "low", "weight": 0}]}],
            "dead_max_jobs": 1, "dead_timeout_in_seconds": 1, "max_retries": 1,
            "client_middleware": false, "log": {}
        });
        let config = Config::from_json(&config.to_string()).unwrap();
        Shared::new(config.into_settings().unwrap())
    }

    fn gone() -> StoreError {
        StoreError::Unavailable("gone".to_owned())
    }

    fn refused() -> StoreError {
        StoreError::Refused("not now".to_owned())
    }

    impl Shared {
        /// How many outages have been said to begin since the last question.
        fn said(&self) -> usize {
            std::iter::from_fn(|| match self.control.read() {
                Mail::Message(it) => Some(it),
                _ => None,
            })
            .filter(|it| matches!(it, Control::Outage(_)))
            .count()
        }

        fn is_in_trouble(&self) -> bool {
            lock(&self.outages).current.is_some()
        }
    }

    #[test]
    fn an_outage_is_said_once_and_is_over_when_all_that_failed_works() {
        let shared = shared();
        let (mut claims, mut lease) = (shared.attempts("claim"), shared.attempts("renew"));
        for _ in 0..3 {
            claims.failed(&gone());
            lease.failed(&gone());
        }
        assert_eq!(shared.said(), 1);
        claims.worked();
        assert!(shared.is_in_trouble());
        lease.worked();
        assert!(!shared.is_in_trouble());
        lease.failed(&gone());
        assert_eq!(shared.said(), 1);
    }

    #[test]
    fn another_password_is_said_though_redis_was_away_before_and_once_though_it_comes_and_goes() {
        let shared = shared();
        let mut claims = shared.attempts("claim");
        for _ in 0..3 {
            claims.failed(&gone());
            claims.failed(&StoreError::Denied("WRONGPASS".to_owned()));
        }
        assert_eq!(shared.said(), 2);
        claims.worked();
        claims.failed(&StoreError::Denied("WRONGPASS".to_owned()));
        assert_eq!(shared.said(), 1);
    }

    #[test]
    fn what_nobody_tries_any_more_keeps_no_outage_open() {
        let shared = shared();
        let mut lease = shared.attempts("renew");
        let mut given_up = shared.attempts("recover");
        given_up.failed(&gone());
        lease.failed(&gone());
        lease.worked();
        assert!(shared.is_in_trouble());
        drop(given_up);
        // Nothing has worked since.
        assert!(shared.is_in_trouble());
        lease.worked();
        assert!(!shared.is_in_trouble());
        assert_eq!(shared.said(), 1);
    }

    #[test]
    fn one_of_two_that_try_the_same_does_not_speak_for_the_other() {
        let shared = shared();
        let (mut one, mut other) = (shared.attempts("move"), shared.attempts("move"));
        for _ in 0..3 {
            one.failed(&refused());
            other.worked();
        }
        assert_eq!(shared.said(), 1);
        assert!(shared.is_in_trouble());
    }

    #[test]
    fn each_thing_that_lacks_a_right_is_said() {
        let shared = shared();
        let denied = StoreError::Refused("NOPERM no right".to_owned());
        let (mut heartbeat, mut due) = (shared.attempts("beat"), shared.attempts("move"));
        for _ in 0..2 {
            heartbeat.failed(&denied);
            due.failed(&denied);
        }
        assert_eq!(shared.said(), 2);
    }

    #[test]
    fn a_refusal_that_lasts_hides_no_outage() {
        let shared = shared();
        let (mut refusing, mut lease) = (shared.attempts("measure"), shared.attempts("renew"));
        refusing.failed(&refused());
        for _ in 0..2 {
            lease.failed(&gone());
            refusing.failed(&gone());
            lease.worked();
            refusing.failed(&refused());
            lease.worked();
        }
        assert_eq!(shared.said(), 3);
        refusing.worked();
        assert!(!shared.is_in_trouble());
    }
}
