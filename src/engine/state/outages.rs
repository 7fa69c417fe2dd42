//! Outages of Redis: each is logged once when it begins and once when it is over, however many tasks run into it and
//! however often; a missing permission, or a key of a wrong type, is logged separately for each operation. Reads may go
//! on working while writes fail, so an outage is over only when everything that failed has worked again or is no longer
//! tried.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;
use std::time::Instant;

use super::control::Control;
use super::mailbox::Mailbox;
use crate::engine::backoff::Backoff;
use crate::engine::sync::{Mutex, lock};
use crate::store::StoreError;

/// The outages of one engine.
pub(in crate::engine) struct Outages {
    known: Mutex<Known>,
    /// Where they are reported.
    control: Arc<Mailbox<Control>>,
}

#[derive(Default)]
struct Known {
    current: Option<Outage>,
    /// How many [`Attempts`] have ever failed.
    numbered: u64,
}

/// The present outage.
struct Outage {
    since: Instant,
    /// The attempts whose last call failed, and for each whether Redis was out of reach.
    failing: BTreeMap<u64, bool>,
    /// The ways in which Redis was reported to be out of reach. A refusal may last, and must not hide an unreachable
    /// server; nor may an earlier unreachable server hide that it now wants another password.
    out_of_reach: Vec<Discriminant<StoreError>>,
    /// The operations already reported as failing. An error that differs only in an address or a number says nothing
    /// new.
    said: BTreeSet<&'static str>,
}

/// Something that is retried until it works, or until the caller gives up and drops this: what is no longer tried keeps
/// no outage open.
pub(in crate::engine) struct Attempts<'a> {
    outages: &'a Outages,
    what: &'static str,
    /// Its key among those that fail.
    number: Option<u64>,
}

impl Outages {
    pub(super) fn told_to(control: &Arc<Mailbox<Control>>) -> Self {
        Self {
            known: Mutex::default(),
            control: Arc::clone(control),
        }
    }

    /// `what` is in the infinitive.
    pub(in crate::engine) fn attempts(&self, what: &'static str) -> Attempts<'_> {
        Attempts {
            outages: self,
            what,
            number: None,
        }
    }

    /// Repeats `call` until it succeeds. Errors are reported once per outage, not once per attempt.
    pub(in crate::engine) async fn retry_until_ok<T, F>(
        &self,
        what: &'static str,
        mut call: impl FnMut() -> F,
    ) -> T
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut attempts = self.attempts(what);
        let mut backoff = Backoff::default();
        loop {
            match call().await {
                Ok(value) => {
                    attempts.worked();
                    return value;
                }
                Err(error) => {
                    attempts.failed(&error);
                    backoff.wait().await;
                }
            }
        }
    }
}

impl Attempts<'_> {
    /// It could not be done now, and will be retried.
    pub(in crate::engine) fn failed(&mut self, error: &StoreError) {
        let what = self.what;
        let out_of_reach = matches!(error, StoreError::Unavailable(_) | StoreError::Denied(_));
        let mut outages = lock(&self.outages.known);
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
            self.outages
                .control
                .send(Control::Outage(error.to_string()));
        } else if new {
            tracing::debug!("cannot {what} either: {error}");
        }
    }

    /// It was done, or there is nothing left to do.
    pub(in crate::engine) fn worked(&mut self) {
        let number = self.number.take();
        let mut outages = lock(&self.outages.known);
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

/// Whether the error is about this one operation, so that it must be reported even if another's failure has been.
fn is_particular(error: &StoreError) -> bool {
    match error {
        StoreError::Refused(why) => why.starts_with("NOPERM"),
        other => matches!(other, StoreError::Unexpected(_)),
    }
}

impl Drop for Attempts<'_> {
    /// Whether the outage is over is decided by what works next.
    fn drop(&mut self) {
        if self.number.is_some()
            && let Some(outage) = lock(&self.outages.known).current.as_mut()
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
    use crate::engine::Mail;

    fn outages() -> Outages {
        Outages::told_to(&Arc::new(Mailbox::new(10)))
    }

    fn gone() -> StoreError {
        StoreError::Unavailable("gone".to_owned())
    }

    fn refused() -> StoreError {
        StoreError::Refused("not now".to_owned())
    }

    impl Outages {
        /// How many outages have been reported to begin since the last call.
        fn said(&self) -> usize {
            std::iter::from_fn(|| match self.control.read() {
                Mail::Message(it) => Some(it),
                _ => None,
            })
            .filter(|it| matches!(it, Control::Outage(_)))
            .count()
        }

        fn is_in_trouble(&self) -> bool {
            lock(&self.known).current.is_some()
        }
    }

    #[test]
    fn an_outage_is_said_once_and_is_over_when_all_that_failed_works() {
        let outages = outages();
        let (mut claims, mut lease) = (outages.attempts("claim"), outages.attempts("renew"));
        for _ in 0..3 {
            claims.failed(&gone());
            lease.failed(&gone());
        }
        assert_eq!(outages.said(), 1);
        claims.worked();
        assert!(outages.is_in_trouble());
        lease.worked();
        assert!(!outages.is_in_trouble());
        lease.failed(&gone());
        assert_eq!(outages.said(), 1);
    }

    #[test]
    fn another_password_is_said_though_redis_was_away_before_and_once_though_it_comes_and_goes() {
        let outages = outages();
        let mut claims = outages.attempts("claim");
        for _ in 0..3 {
            claims.failed(&gone());
            claims.failed(&StoreError::Denied("WRONGPASS".to_owned()));
        }
        assert_eq!(outages.said(), 2);
        claims.worked();
        claims.failed(&StoreError::Denied("WRONGPASS".to_owned()));
        assert_eq!(outages.said(), 1);
    }

    #[test]
    fn what_nobody_tries_any_more_keeps_no_outage_open() {
        let outages = outages();
        let mut lease = outages.attempts("renew");
        let mut given_up = outages.attempts("recover");
        given_up.failed(&gone());
        lease.failed(&gone());
        lease.worked();
        assert!(outages.is_in_trouble());
        drop(given_up);
        // Nothing has worked since.
        assert!(outages.is_in_trouble());
        lease.worked();
        assert!(!outages.is_in_trouble());
        assert_eq!(outages.said(), 1);
    }

    #[test]
    fn one_of_two_that_try_the_same_does_not_speak_for_the_other() {
        let outages = outages();
        let (mut one, mut other) = (outages.attempts("move"), outages.attempts("move"));
        for _ in 0..3 {
            one.failed(&refused());
            other.worked();
        }
        assert_eq!(outages.said(), 1);
        assert!(outages.is_in_trouble());
    }

    #[test]
    fn each_thing_that_lacks_a_right_is_said() {
        let outages = outages();
        let denied = StoreError::Refused("NOPERM no right".to_owned());
        let (mut heartbeat, mut due) = (outages.attempts("beat"), outages.attempts("move"));
        for _ in 0..2 {
            heartbeat.failed(&denied);
            due.failed(&denied);
        }
        assert_eq!(outages.said(), 2);
    }

    #[test]
    fn a_refusal_that_lasts_hides_no_outage() {
        let outages = outages();
        let (mut refusing, mut lease) = (outages.attempts("measure"), outages.attempts("renew"));
        refusing.failed(&refused());
        for _ in 0..2 {
            lease.failed(&gone());
            refusing.failed(&gone());
            lease.worked();
            refusing.failed(&refused());
            lease.worked();
        }
        assert_eq!(outages.said(), 3);
        refusing.worked();
        assert!(!outages.is_in_trouble());
    }
}
