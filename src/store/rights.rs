//! What the user of the connection may not do. Tried out rather than asked for: few users may ask (`ACL DRYRUN` is for
//! administrators, and servers older than Redis 7 do not know it), and an attempt means the same everywhere.

use redis::Value;

use super::error::{classify, is_about_rights};
use super::script::{Call, PROBE};
use super::{Names, Store, StoreError, reply};

/// The hash of no script. Calling it shows whether the user may: a server checks permissions first.
const NO_SCRIPT: &str = "0000000000000000000000000000000000000000";

impl Store {
    /// Makes sure that this user may run every command of the scripts and touch every key of `samples` (one for every
    /// kind of key that is used). Leaves nothing behind. Anything else that keeps the server from writing is an error
    /// too.
    pub async fn check_rights(&self, samples: &[String]) -> Result<(), StoreError> {
        let probe = Call::keys([self
            .names
            .inflight(&format!("probe:{}", std::process::id()))]);
        let mut attempts = redis::pipe();
        attempts.ignore_errors();
        attempts.cmd("EVAL").arg("return 1").arg(0);
        attempts.cmd("EVALSHA").arg(NO_SCRIPT).arg(0);
        attempts.add_command(PROBE.by_source(&probe));
        for key in samples {
            attempts.cmd("EVALSHA").arg(NO_SCRIPT).arg(1).arg(key);
        }
        let mut replies = self.link.pipeline(&attempts).await?.into_iter();
        let mut next = || replies.next().unwrap_or(Value::Nil);

        let mut missing = Vec::new();
        for command in ["eval", "evalsha"] {
            if is_refused(&next()) {
                missing.push(format!("+{command}"));
            }
        }
        let may_run_scripts = missing.is_empty();
        match next() {
            // Of the scripts or of the key, which are checked separately.
            refused if is_refused(&refused) => {}
            Value::ServerError(error) => return Err(classify(&error.into()).0),
            commands => {
                let commands = reply::texts(commands)?;
                missing.extend(commands.iter().map(|it| format!("+{it}")));
            }
        }
        if may_run_scripts {
            let refused = samples.iter().filter(|_| is_refused(&next()));
            missing.extend(refused.map(|key| format!("~{}", pattern(&self.names, key))));
        }
        // Many keys share a pattern, and are adjacent.
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        Err(StoreError::Forbidden {
            user: self.link.user(),
            missing: missing.join(" "),
        })
    }
}

fn is_refused(reply: &Value) -> bool {
    matches!(reply, Value::ServerError(error) if is_about_rights(&error.clone().into()))
}

/// The pattern by which an ACL allows a key and all its kind: `queue:*` for `queue:mail`.
fn pattern(names: &Names, key: &str) -> String {
    let start = names.prefix().len();
    match key[start..].find([':', '|']) {
        Some(end) => format!("{}*", &key[..=start + end]),
        None => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_a_kind_of_keys() {
        let plain = Names::default();
        assert_eq!(pattern(&plain, "queue:mail:slow"), "queue:*");
        assert_eq!(pattern(&plain, "j|260304|8:45"), "j|*");
        assert_eq!(pattern(&plain, "retry"), "retry");
        let spaced = Names::new(Some("shop"));
        assert_eq!(pattern(&spaced, "shop:stat:failed"), "shop:stat:*");
        assert_eq!(pattern(&spaced, "shop:dead"), "shop:dead");
    }
}
