//! Stand-in for the dialect's key names until they are merged.

/// Builds key names, under a namespace if there is one.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    prefix: String,
}

macro_rules! fixed {
    ($($name:ident = $key:literal),* $(,)?) => {
        $(#[doc = concat!("`", $key, "`")]
        pub fn $name(&self) -> String {
            format!("{}{}", self.prefix, $key)
        })*
    };
}

macro_rules! built {
    ($($name:ident($argument:ident) = $key:literal),* $(,)?) => {
        $(#[doc = concat!("`", $key, "`")]
        pub fn $name(&self, $argument: &str) -> String {
            format!(concat!("{}", $key), self.prefix, $argument = $argument)
        })*
    };
}

impl Keys {
    /// Key names, under `namespace:` if given.
    pub fn new(namespace: Option<&str>) -> Self {
        Self {
            prefix: namespace.map_or_else(String::new, |name| format!("{name}:")),
        }
    }

    /// What stands before every key.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    fixed! {
        queues = "queues",
        schedule = "schedule",
        retry = "retry",
        dead = "dead",
        processes = "processes",
        paused = "paused",
        process_cleanup = "process_cleanup",
        leases = "footplate:leases",
        orphans = "footplate:orphans",
    }

    built! {
        queue(name) = "queue:{name}",
        process(identity) = "{identity}",
        work(identity) = "{identity}:work",
        workers(identity) = "{identity}:workers",
        signals(identity) = "{identity}-signals",
        inflight(holder) = "footplate:inflight:{holder}",
        recovered(sha) = "footplate:recovered:{sha}",
    }

    /// `stat:processed` or `stat:failed`, with a day `stat:processed:YYYY-MM-DD`.
    pub fn stat(&self, name: &str, day: Option<&str>) -> String {
        match day {
            Some(day) => format!("{}stat:{name}:{day}", self.prefix),
            None => format!("{}stat:{name}", self.prefix),
        }
    }
}
