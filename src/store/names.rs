//! Footplate's own keys. The keys of a dialect are the dialect's business.

use std::fmt::Display;

use crate::dialect::Namespace;

/// Builds key names, under the namespace of `redis-namespace` (6.4) if there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    namespace: Namespace,
}

impl Names {
    /// Keys as they are, or each as `<namespace>:<key>`. An empty namespace counts as none.
    pub fn new(namespace: Option<&str>) -> Self {
        Self {
            namespace: Namespace::new(namespace),
        }
    }

    /// The prefix of every key: empty, or the namespace and a colon.
    pub fn prefix(&self) -> &str {
        self.namespace.prefix()
    }

    fn key(&self, name: impl Display) -> String {
        self.namespace.key(format_args!("footplate:{name}"))
    }

    /// Sorted set of holders by the Redis time at which their lease ends.
    pub fn leases(&self) -> String {
        self.key("leases")
    }

    /// Sorted set of holders whose lease ended with jobs left to recover.
    pub fn orphans(&self) -> String {
        self.key("orphans")
    }

    /// Hash of the jobs that a holder has claimed and not settled: `token:<key of the queue>`, or a parcel
    /// (parcel.lua).
    pub fn inflight(&self, holder: &str) -> String {
        self.key(format_args!("inflight:{holder}"))
    }

    /// List of the one payload, usually a large one, that a holder has claimed under this token.
    pub fn large(&self, holder: &str, token: u64) -> String {
        self.key(format_args!("large:{holder}:{token}"))
    }

    /// List through which BLMOVE hands a job of a queue to a holder.
    pub fn handoff(&self, holder: &str, queue_key: &str) -> String {
        self.key(format_args!("handoff:{holder}:{queue_key}"))
    }

    /// The common prefix of all such lists.
    pub fn handoff_prefix(&self) -> String {
        self.key("handoff:")
    }

    /// Sorted set of these lists, `holder\nkey of the queue`, by the time at which somebody last waited there.
    pub fn handoffs(&self) -> String {
        self.key("handoffs")
    }

    /// Exists for a while after jobs of a dead process were recovered.
    pub fn suspects(&self) -> String {
        self.key("suspects")
    }

    /// Set of the digests of jobs that are to be claimed one at a time.
    pub fn trials(&self) -> String {
        self.key("trials")
    }

    /// Counts how often the payload with this digest was recovered.
    pub fn recovered(&self, sha: &str) -> String {
        self.key(format_args!("recovered:{sha}"))
    }

    /// One key of every kind.
    pub fn samples(&self, identity: &str) -> Vec<String> {
        vec![
            self.leases(),
            self.orphans(),
            self.suspects(),
            self.trials(),
            self.recovered("0"),
            self.inflight(identity),
            self.large(identity, 0),
            self.handoff(identity, "0"),
            self.handoffs(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_begin_alike_under_a_namespace_too() {
        let names = Names::default();
        assert_eq!(names.inflight("h"), "footplate:inflight:h");
        assert_eq!(names.large("h", 7), "footplate:large:h:7");
        let spaced = Names::new(Some("app"));
        assert_eq!(spaced.prefix(), "app:");
        assert_eq!(
            spaced.handoff("h", "app:queue:low"),
            "app:footplate:handoff:h:app:queue:low"
        );
        assert_eq!(Names::new(Some("")), names);
        assert!(
            spaced
                .samples("h")
                .iter()
                .all(|it| it.starts_with("app:footplate:"))
        );
    }
}
