//! The command line exactly as typed.
