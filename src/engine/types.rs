//! Logs which of the shared keys in Redis hold something other than jobs need, at the start and when it happens later.
//! Jobs run all the same, as far as they can.

use std::sync::Arc;
use std::time::Duration;

use crate::dialect::Dialect;
use crate::engine::state::Shared;
use crate::engine::state::control::Control;
use crate::store::{Store, WrongType};

const LOOK: Duration = Duration::from_secs(60);

/// Looks as long as the engine runs. Errors are left to the tasks that need the keys: they report what else is wrong
/// with Redis.
pub(super) async fn watch(shared: Arc<Shared>, store: Store) {
    let mut said = Vec::new();
    loop {
        let keys = shared.settings.dialects.iter().flat_map(Dialect::types);
        if let Ok(wrong) = store.wrong_types(keys.collect()).await {
            for it in new(&said, &wrong) {
                // Straight to the control thread: at the start nothing may listen to `tracing` yet.
                shared.control.send(Control::Log {
                    level: "error",
                    message: it.to_string(),
                });
            }
            said = wrong;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What was not wrong at the last look.
fn new<'a>(said: &[WrongType], found: &'a [WrongType]) -> impl Iterator<Item = &'a WrongType> {
    found.iter().filter(|it| !said.contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_said_once_as_long_as_it_lasts() {
        let [paused, dead] = ["paused", "dead"].map(|key| WrongType {
            key: key.to_owned(),
            found: "string".to_owned(),
            wanted: "set",
        });
        let looks = [vec![&paused], vec![&paused, &dead], vec![], vec![&paused]];
        let looks = looks.map(|look| look.into_iter().cloned().collect::<Vec<_>>());
        let mut said = Vec::new();
        let told = looks.map(|found| {
            let told: Vec<_> = new(&said, &found).map(|it| it.key.clone()).collect();
            said = found;
            told
        });
        assert_eq!(told, [vec!["paused"], vec!["dead"], vec![], vec!["paused"]]);
    }
}
