//! The store against Redis servers that the tests own. `FOOTPLATE_TEST_REDIS_SERVER` names the
//! binary, `redis-server` by default.

#![allow(clippy::unwrap_used, missing_docs)]

mod big;
mod claim;
mod conservation;
mod dialects;
mod halfway;
mod handoff;
mod large;
mod lease;
mod link;
mod parcel;
mod pulse;
mod registry;
mod rights;
mod schedule;
mod secure;
mod sentinel;
mod settle;
mod support;
mod trial;
mod trouble;
