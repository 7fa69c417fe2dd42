//! Goes on trimming the dead set where a burial left more to trim than one step may (see store/dead.rs).

use std::sync::Arc;

use crate::engine::state::Shared;
use crate::store::Store;

/// Runs until the engine's runtime ends.
pub(super) async fn trim(shared: Arc<Shared>, store: Store) {
    loop {
        store.dead_set_overfull().await;
        for dialect in &shared.settings.dialects {
            let trim = dialect.trim(shared.clock.now());
            let step = || store.trim_dead_set(&trim);
            while shared
                .outages
                .retry_until_ok("trim the dead set", step)
                .await
            {}
        }
    }
}
