//! Jobs in queues that no process serves: a misspelt name, or a framework that enqueues into a queue of its own
//! (Rails's mails go to `mailers`). Checked once, at the start; what it reads is bounded, and it is never a reason not
//! to start.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use crate::dialect::Dialect;
use crate::engine::settings::Settings;
use crate::engine::state::Shared;
use crate::engine::state::control::Control;
use crate::store::{Store, StoreError};

/// The most queues that are looked at.
const MOST_QUEUES: usize = 10_000;
/// The most queues that are named, and the most of each name.
const NAMED: usize = 10;
const NAME_CHARS: usize = 60;

/// Queues that have jobs and no process, with their lengths, the longest first.
#[derive(Debug, PartialEq, Eq)]
pub struct Unserved(Vec<(String, u64)>);

/// `None` where every queue is served, or where that cannot be told.
pub(super) async fn find(
    settings: &Settings,
    store: &Store,
) -> Result<Option<Unserved>, StoreError> {
    let mut waiting = Vec::new();
    for (index, dialect) in settings.dialects.iter().enumerate() {
        waiting.extend(unserved_of(settings, store, index, dialect).await?);
    }
    waiting.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Ok((!waiting.is_empty()).then_some(Unserved(waiting)))
}

async fn unserved_of(
    settings: &Settings,
    store: &Store,
    index: usize,
    dialect: &Dialect,
) -> Result<Vec<(String, u64)>, StoreError> {
    let specs = settings.capsules.iter().flat_map(|it| &it.queues);
    let ours = specs.filter(|it| it.queue.dialect == index);
    let ours: HashSet<&str> = ours.map(|it| it.queue.name.as_str()).collect();
    let mut others = store
        .members(&dialect.family().registry, MOST_QUEUES)
        .await?;
    others.retain(|name| !ours.contains(name.as_str()));
    let lists: Vec<String> = others
        .iter()
        .map(|name| dialect.queue(index, name).key)
        .collect();
    let sizes = store.lengths(&lists).await?;
    let mut waiting: Vec<(String, u64)> = others.into_iter().zip(sizes).collect();
    waiting.retain(|(_, size)| *size > 0);
    if waiting.is_empty() {
        return Ok(waiting);
    }
    let presence = |identity: &str| dialect.presence(identity);
    let Some(infos) = store.process_infos(presence).await? else {
        return Ok(Vec::new());
    };
    let served = infos.iter().flat_map(|it| dialect.served_queues(it));
    let served: HashSet<String> = served.collect();
    waiting.retain(|(name, _)| !served.contains(name));
    Ok(waiting)
}

/// Logs them. Straight to the control thread: at this moment nothing may listen to `tracing` yet.
pub(super) async fn warn(shared: Arc<Shared>, store: Store) {
    let (level, message) = match find(&shared.settings, &store).await {
        Ok(None) => return,
        Ok(Some(unserved)) => ("warn", unserved.to_string()),
        Err(error) => (
            "debug",
            format!("cannot tell which queues nobody serves: {error}"),
        ),
    };
    shared.control.send(Control::Log { level, message });
}

impl fmt::Display for Unserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jobs: u64 = self.0.iter().map(|it| it.1).sum();
        let one = self.0.len() == 1;
        write!(
            f,
            "{jobs} {} in {} that no process serves: ",
            if jobs == 1 { "job waits" } else { "jobs wait" },
            if one { "a queue" } else { "queues" },
        )?;
        for (at, (name, size)) in self.0.iter().take(NAMED).enumerate() {
            write!(
                f,
                "{}{} ({size})",
                if at > 0 { ", " } else { "" },
                Name(name)
            )?;
        }
        if let Some(more @ 1..) = self.0.len().checked_sub(NAMED) {
            write!(f, " and {more} more")?;
        }
        let them = if one { "it" } else { "them" };
        write!(
            f,
            ". To serve {them}, name each queue with -q or under queues in a settings file."
        )
    }
}

/// A name as it may appear in a log line: anybody who pushes a job chooses it.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, char) in self.0.chars().enumerate() {
            if at == NAME_CHARS {
                return f.write_str("…");
            }
            if char.is_control() {
                write!(f, "{}", char.escape_default())?;
            } else {
                write!(f, "{char}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Unserved;

    fn said(queues: &[(&str, u64)]) -> String {
        let queues = queues.iter().map(|it| (it.0.to_owned(), it.1)).collect();
        Unserved(queues).to_string()
    }

    #[test]
    fn one_queue_and_several() {
        assert_eq!(
            said(&[("mailers", 7)]),
            "7 jobs wait in a queue that no process serves: mailers (7). To serve it, name each queue with -q or \
             under queues in a settings file."
        );
        let several = said(&[("mailers", 1), ("low", 1)]);
        assert!(
            several.starts_with("2 jobs wait in queues that "),
            "{several}"
        );
        assert!(said(&[("mailers", 1)]).starts_with("1 job waits in a queue that "));
    }

    #[test]
    fn the_line_stays_a_line() {
        let name = format!("a\nb{}", "x".repeat(100_000));
        let line = said(&vec![(name.as_str(), 1); 1000]);
        assert!(
            line.contains(r"a\nbxx") && line.contains(" and 990 more. "),
            "{line}"
        );
        assert!(line.len() < 1000 && !line.contains('\n'));
    }
}
