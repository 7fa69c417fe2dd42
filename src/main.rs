//! The standalone executable.
fn main() {}
