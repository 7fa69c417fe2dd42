//! Every key name, once.

/// Builds key names, under the namespace of `redis-namespace` (6.4) if there is one.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    prefix: String,
}
