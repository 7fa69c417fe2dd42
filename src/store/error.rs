//! What can go wrong with Redis, classified by what the caller can do about it.

use redis::{ErrorKind, RedisError};

use super::address::SettingsError;

/// Why a call was not carried out, or may not have been.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection, or no reply in time. The command may or may not have run: repeat it later.
    #[error("Redis cannot be reached ({0}); nothing is lost, it is tried again until it answers")]
    Unavailable(String),
    /// The server answered that it will not do this now. Nothing changed: repeat it later.
    #[error("Redis refused a command ({0}); nothing was changed, it is tried again")]
    Refused(String),
    /// Wrong password, or a user who may not even connect.
    #[error("Redis denies access ({0}); check user, password and ACL of the Redis connection")]
    Denied(String),
    /// The user lacks permissions that jobs need.
    #[error(
        "the Redis user {user} may not do all that jobs need; an administrator grants the rest with: ACL SETUSER {user} {missing}"
    )]
    Forbidden {
        /// The user that connects.
        user: String,
        /// What is missing, as `ACL SETUSER` takes it: `+hset ~queue:*`.
        missing: String,
    },
    /// Another process took over what this holder held. Call `abandon` for the old name all the same: in that case it
    /// does nothing more, and it saves the jobs when the lease is gone for another reason.
    #[error("the lease on claimed jobs was lost; the process must go on under a new holder name")]
    LeaseLost,
    /// The server is older than what the engine needs.
    #[error("{flavour} {found} is too old; Footplate needs Redis 6.2 or newer, or Valkey")]
    TooOld {
        /// The server's product name.
        flavour: String,
        /// Its version.
        found: String,
    },
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A reply that makes no sense, or a key of a wrong type.
    #[error("Redis gave an answer that Footplate cannot use ({0}); please report it")]
    Unexpected(String),
}

/// Whether the connection can be used after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aftermath {
    Keep,
    /// Gone, silent, or to a server that is no longer the master.
    Drop,
}

/// How scripts are told that they lack a permission, from Redis 7.2 on and before, in place of NOPERM.
const NO_RIGHT: [&str; 2] = [
    "ACL failure in script",
    "The user executing the script can't",
];

/// The error of redis-rs's parser for a reply whose rest will never come.
const CUT_OFF: &str = "Unexpected end of input";

/// Code and text of a server error, whether or not it came out of a script: Redis 6.2 wraps those.
fn code_of(error: &RedisError) -> (String, String) {
    let code = error.code().unwrap_or_default();
    let detail = error.detail().unwrap_or_default();
    if NO_RIGHT.iter().any(|it| detail.contains(it)) {
        return ("NOPERM".to_owned(), detail.to_owned());
    }
    if code == "ERR"
        && detail.contains("@user_script")
        && let Some((_, inner)) = detail.split_once(": -")
        && let Some((code, rest)) = inner.split_once(' ')
        && !code.is_empty()
        && code.bytes().all(|byte| byte.is_ascii_uppercase())
    {
        return (code.to_owned(), rest.to_owned());
    }
    (code.to_owned(), detail.to_owned())
}

pub(super) fn classify(error: &RedisError) -> (StoreError, Aftermath) {
    match error.kind() {
        ErrorKind::Io
        | ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::ClusterConnectionNotFound => {
            return (StoreError::Unavailable(error.to_string()), Aftermath::Drop);
        }
        ErrorKind::AuthenticationFailed => {
            return (StoreError::Denied(error.to_string()), Aftermath::Drop);
        }
        ErrorKind::Parse if error.to_string().contains(CUT_OFF) => {
            let why = "the connection ended in the middle of a reply";
            return (StoreError::unavailable(why), Aftermath::Drop);
        }
        // The position in the stream is unknown after this.
        ErrorKind::Parse => return (StoreError::Unexpected(error.to_string()), Aftermath::Drop),
        _ => {}
    }
    let (code, detail) = code_of(error);
    let text = format!("{code} {detail}");
    match code.as_str() {
        "LEASELOST" => (StoreError::LeaseLost, Aftermath::Keep),
        "READONLY" | "MASTERDOWN" | "UNBLOCKED" => (StoreError::Refused(text), Aftermath::Drop),
        "OOM" | "NOREPLICAS" | "LOADING" | "MISCONF" | "BUSY" | "TRYAGAIN" | "CLUSTERDOWN"
        | "NOPERM" | "NOTBUSY" => (StoreError::Refused(text), Aftermath::Keep),
        "WRONGPASS" | "NOAUTH" => (StoreError::Denied(text), Aftermath::Drop),
        _ if detail.contains("max number of clients") => {
            (StoreError::Unavailable(text), Aftermath::Drop)
        }
        _ => (StoreError::Unexpected(error.to_string()), Aftermath::Keep),
    }
}

/// Whether it was an ACL that forbade the call.
pub(super) fn is_about_rights(error: &RedisError) -> bool {
    code_of(error).0 == "NOPERM"
}

impl StoreError {
    pub(super) fn unavailable(reason: impl ToString) -> Self {
        Self::Unavailable(reason.to_string())
    }

    pub(super) fn unexpected(what: impl std::fmt::Debug) -> Self {
        Self::Unexpected(format!("{what:?}").chars().take(200).collect())
    }

    /// Whether the error was about who connects, rather than about what the user may do.
    pub fn is_about_login(&self) -> bool {
        // The last one is redis-rs's own wording, which withholds the server's.
        let words = ["NOAUTH", "WRONGPASS", "authentication failed"];
        matches!(self, Self::Denied(why) if words.iter().any(|it| why.contains(it)))
    }

    /// Whether the same call can succeed later without anybody changing anything here. A password or a permission that
    /// was taken away may come back.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_) | Self::Refused(_) | Self::Denied(_)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classified(code: &str, detail: &str) -> (StoreError, Aftermath) {
        classify(&redis::make_extension_error(
            code.to_owned(),
            Some(detail.to_owned()),
        ))
    }

    #[test]
    fn an_error_out_of_a_script_of_redis_6_is_read() {
        let detail = "Error running script (call to f_6f1a): @user_script:30: @user_script: 30: \
                      -READONLY You can't write against a read only replica.";
        let (error, aftermath) = classified("ERR", detail);
        assert!(matches!(error, StoreError::Refused(why) if why.starts_with("READONLY You")));
        assert_eq!(aftermath, Aftermath::Drop);
    }

    #[test]
    fn a_missing_right_is_known_in_the_words_of_every_version() {
        for (code, detail) in [
            (
                "NOPERM",
                "User u has no permissions to run the 'hset' command",
            ),
            (
                "ERR",
                "ACL failure in script: User u has no permissions to run the 'hset' command script: f_6f1a",
            ),
            (
                "ERR",
                "The user executing the script can't run this command or subcommand script: f_6f1a",
            ),
            (
                "ERR",
                "Error running script (call to f_6f1a): @user_script:1: @user_script: 1: -NOPERM The user \
                     executing the script can't run this command or subcommand",
            ),
        ] {
            let (error, _) = classified(code, detail);
            assert!(
                matches!(&error, StoreError::Refused(why) if why.starts_with("NOPERM ")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_reply_that_is_cut_off_is_a_lost_connection() {
        let error = redis::parse_redis_value(b"*3\r\n:1\r\n$10\r\nabc").expect_err("more to come");
        let (error, aftermath) = classify(&error);
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        assert_eq!(aftermath, Aftermath::Drop);
        let error = redis::parse_redis_value(b"?nonsense\r\n").expect_err("nonsense");
        assert!(matches!(classify(&error).0, StoreError::Unexpected(_)));
    }

    #[test]
    fn what_is_refused_for_now_keeps_the_connection() {
        for code in ["OOM", "NOREPLICAS", "LOADING", "MISCONF", "BUSY"] {
            let (error, aftermath) = classified(code, "not now");
            assert!(error.is_temporary(), "{error}");
            assert_eq!(aftermath, Aftermath::Keep);
        }
    }
}
