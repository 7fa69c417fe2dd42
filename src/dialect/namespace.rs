//! The namespace of `redis-namespace` (Sidekiq 6.4), under which all keys of an application stand.

use std::fmt::Display;

/// What stands before every key: nothing, or the namespace and a colon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace(String);

impl Namespace {
    /// Keys as they are, or each as `<namespace>:<key>`. An empty namespace counts as none.
    pub fn new(namespace: Option<&str>) -> Self {
        Self(match namespace {
            None | Some("") => String::new(),
            Some(namespace) => format!("{namespace}:"),
        })
    }

    /// Empty, or the namespace and a colon.
    pub fn prefix(&self) -> &str {
        &self.0
    }

    /// The full key of this name.
    pub fn key(&self, name: impl Display) -> String {
        format!("{}{name}", self.0)
    }
}
