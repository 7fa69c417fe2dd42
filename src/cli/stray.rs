//! Words that belong to no flag. `sidekiq` ignores them, which hides that a queue is not served; here they are
//! refused, with a hint at what was probably meant.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Commands with which other programs of this kind are started.
const COMMANDS: [&str; 8] = [
    "start", "run", "work", "worker", "jobs", "server", "sidekiq", "restart",
];
const ENVIRONMENTS: [&str; 4] = ["production", "development", "staging", "test"];

/// The sentence for a stray word, if that is what stopped clap and clap has no better suggestion.
pub(super) fn sentence(error: &clap::Error, argv: &[OsString]) -> Option<String> {
    let kind = match error.kind() {
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        _ => return None,
    };
    let Some(ContextValue::String(word)) = error.get(kind) else {
        return None;
    };
    if word.starts_with('-') || error.get(ContextKind::SuggestedSubcommand).is_some() {
        return None;
    }
    let words: Vec<_> = argv.iter().map(|it| it.to_string_lossy()).collect();
    let place = words.iter().position(|it| it == word)?;
    Some(match meant(word, &words[..place]) {
        Some(meant) => without_secrets(format!("`{word}` belongs to no flag; {meant}"), argv),
        None => {
            "a URL belongs to no flag; put that of Redis into the variable REDIS_URL".to_owned()
        }
    })
}

/// `None` for a URL, which must not be repeated: it may contain a password.
fn meant(word: &str, before: &[impl AsRef<str>]) -> Option<String> {
    let before: Vec<&str> = before.iter().map(AsRef::as_ref).collect();
    let ends = |endings: &[&str]| endings.iter().any(|it| word.ends_with(it));
    Some(match word {
        _ if word.contains("://") => return None,
        _ if word.contains('=') => format!("write a variable before the command: {word} footplate"),
        _ if ends(&[".yml", ".yaml", ".erb"]) => format!("a settings file is given with -C {word}"),
        _ if ends(&[".rb"]) || word.contains('/') => {
            format!("an application is given with -r {word}")
        }
        _ if follows_a_queue(&before) => format!("each queue has a flag of its own: -q {word}"),
        _ if word.bytes().all(|it| it.is_ascii_digit()) => {
            format!("the number of threads is given with -c {word}")
        }
        _ if ENVIRONMENTS.contains(&word) => format!("the environment is given with -e {word}"),
        _ if COMMANDS.contains(&word) => {
            "to run the jobs takes no command: leave it out".to_owned()
        }
        _ => format!("for a queue write -q {word}"),
    })
}

/// Whether the words end with a queue, perhaps followed by other stray words.
fn follows_a_queue(before: &[&str]) -> bool {
    let flag = before.iter().rposition(|it| it.starts_with('-'));
    flag.is_some_and(|place| {
        let name = before[place];
        name.starts_with("-q") || (name.starts_with("--q") && "--queue".starts_with(name))
    })
}

/// `text`, which may repeat words of the command line, without what comes before the `@` of a URL.
pub(super) fn without_secrets(text: String, argv: &[OsString]) -> String {
    argv.iter().fold(text, |text, word| {
        let word = word.to_string_lossy();
        let start = word.find("://").map(|it| it + 3);
        let start = start.or_else(|| word.find(':').map(|it| it + 1));
        match (start, word.rfind('@')) {
            (Some(start), Some(end)) if start < end => text.replace(&word[start..end], "REDACTED"),
            _ => text,
        }
    })
}
