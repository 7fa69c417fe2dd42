//! Whether shared keys hold what they must.

use redis::Value;

use super::{Store, StoreError, reply};

/// A key that holds something other than what jobs need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongType {
    /// Its name, in the namespace if there is one.
    pub key: String,
    /// What it holds, as Redis names the type.
    pub found: String,
    /// What it should hold.
    pub wanted: &'static str,
}

impl std::fmt::Display for WrongType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { key, found, wanted } = self;
        write!(
            f,
            "the key {key} in Redis holds a {found}, and jobs need a {wanted} there; rename or delete that key"
        )
    }
}

impl Store {
    /// Those of `keys`, each given with the type it must have, that exist and have a wrong one. None where the user may
    /// not ask.
    pub async fn wrong_types(
        &self,
        keys: Vec<(String, &'static str)>,
    ) -> Result<Vec<WrongType>, StoreError> {
        let mut questions = redis::pipe();
        questions.ignore_errors();
        for (key, _) in &keys {
            questions.cmd("TYPE").arg(key);
        }
        let answers = self.link.pipeline(&questions).await?;
        let mut wrong = Vec::new();
        for ((key, wanted), answer) in keys.into_iter().zip(answers) {
            if matches!(answer, Value::ServerError(_)) {
                continue;
            }
            let found = reply::text(answer)?;
            if found != "none" && found != wanted {
                wrong.push(WrongType { key, found, wanted });
            }
        }
        Ok(wrong)
    }
}
