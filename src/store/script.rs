//! The Lua scripts, and how a call to one is assembled.

use std::sync::OnceLock;

use redis::{Cmd, Script, ToRedisArgs};

/// A script, with the hash that Redis knows it by.
pub(super) struct Lua {
    pub(super) source: &'static str,
    hash: OnceLock<String>,
}

impl Lua {
    const fn new(source: &'static str) -> Self {
        Self {
            source,
            hash: OnceLock::new(),
        }
    }

    /// By hash, the way it is nearly always sent.
    pub(super) fn by_hash(&self, call: &Call) -> Cmd {
        let hash = self
            .hash
            .get_or_init(|| Script::new(self.source).get_hash().to_owned());
        call.command("EVALSHA", hash)
    }

    /// By source: Redis runs it and remembers it, in one step.
    pub(super) fn by_source(&self, call: &Call) -> Cmd {
        call.command("EVAL", self.source)
    }
}

/// KEYS and ARGV of a call.
#[derive(Default)]
pub(super) struct Call {
    keys: Vec<String>,
    arguments: Cmd,
}

impl Call {
    pub(super) fn keys<I: IntoIterator<Item = String>>(keys: I) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            arguments: Cmd::new(),
        }
    }

    /// Adds a key unless it is there already, and returns its index in KEYS.
    pub(super) fn key(&mut self, key: &str) -> usize {
        // Calls that name the same few keys repeatedly name them last.
        if let Some(at) = self.keys.iter().rposition(|known| known == key) {
            return at + 1;
        }
        self.keys.push(key.to_owned());
        self.keys.len()
    }

    pub(super) fn push_key(&mut self, key: String) {
        self.keys.push(key);
    }

    pub(super) fn arg<T: ToRedisArgs>(&mut self, argument: T) -> &mut Self {
        self.arguments.arg(argument);
        self
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = Cmd::new();
        command
            .arg(name)
            .arg(script)
            .arg(self.keys.len())
            .arg(&self.keys);
        for argument in self.arguments.args_iter() {
            if let redis::Arg::Simple(bytes) = argument {
                command.arg(bytes);
            }
        }
        command
    }
}

macro_rules! scripts {
    ($($name:ident = $($file:literal)+),* $(,)?) => {
        $(pub(super) static $name: Lua =
            Lua::new(concat!($(include_str!(concat!("scripts/", $file))),+));)*
    };
}

scripts! {
    CLAIM =
        "preflight.lua" "member.lua" "large.lua" "parcel.lua" "queue.lua" "claim.lua" "plain.lua",
    CAREFUL =
        "preflight.lua" "member.lua" "large.lua" "parcel.lua" "trial.lua" "queue.lua" "claim.lua" "careful.lua",
    ACKNOWLEDGE = "large.lua" "acknowledge.lua",
    OPEN = "preflight.lua" "parcel.lua" "open.lua",
    MAY_WAIT = "member.lua" "may_wait.lua",
    LEAVE = "leave.lua",
    ADOPT = "preflight.lua" "member.lua" "large.lua" "trial.lua" "adopt.lua",
    SWEEP = "sweep.lua",
    SETTLE = "preflight.lua" "large.lua" "trim.lua" "writes.lua" "settle.lua",
    LEASE = "lease.lua",
    EXPIRE = "expire.lua",
    RECOVER = "preflight.lua" "large.lua" "parcel.lua" "recover.lua",
    TRIM = "trim.lua" "dead.lua",
    DUE = "due.lua",
    PROMOTE = "preflight.lua" "trim.lua" "writes.lua" "promote.lua",
    BEAT = "beat.lua",
    PRUNE = "prune.lua",
    METRICS = "metrics.lua",
    PROBE = "probe.lua",
    MOVE_UNREAD = "queue.lua" "move_unread.lua",
}
