//! Errors on their way to Ruby: `Footplate::Error` for what a user can act on.

use std::fmt::Display;

use magnus::{Error, ExceptionClass, RModule, Ruby, prelude::*};

/// A `Footplate::Error` with this message.
pub(super) fn runtime(ruby: &Ruby, message: impl Display) -> Error {
    let class = ruby
        .class_object()
        .const_get::<_, RModule>("Footplate")
        .and_then(|it| it.const_get::<_, ExceptionClass>("Error"))
        .unwrap_or_else(|_| ruby.exception_runtime_error());
    Error::new(class, message.to_string())
}
