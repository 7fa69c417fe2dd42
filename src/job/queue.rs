//! The queue from which a job comes.

/// An end of a list in Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Where LPUSH and LPOP work.
    Left,
    /// Where RPUSH and RPOP work.
    Right,
}

impl End {
    /// The other one.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    /// As BLMOVE spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Left => "LEFT",
            Self::Right => "RIGHT",
        }
    }

    /// As the scripts spell it.
    pub fn letter(self) -> char {
        match self {
            Self::Left => 'L',
            Self::Right => 'R',
        }
    }
}

/// A queue that this process serves. One object for all jobs that come from it. Two dialects may each have a queue of
/// the same name, but never of the same key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Queue {
    /// The dialect to which it belongs, as an index into the dialects of the process.
    pub dialect: usize,
    /// Its bare name, as people write it.
    pub name: String,
    /// Its list in Redis, the namespace included.
    pub key: String,
    /// The end from which jobs are popped. New ones come in at the other end.
    pub pop: End,
    /// Its name in the set of paused queues.
    pub paused_as: String,
}

#[cfg(test)]
impl Queue {
    /// One of Sidekiq's.
    pub(crate) fn named(name: &str) -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self {
            dialect: 0,
            name: name.to_owned(),
            key: format!("queue:{name}"),
            pop: End::Right,
            paused_as: name.to_owned(),
        })
    }
}
