//! From the queues to the ready queue of a capsule.
//!
//! 1. `fetcher` decides when to claim and how much, using `pace`, `idle`, `stale`, `large` and `unreadable`.
//! 2. `attempt` is one claim until Redis has answered; `pipeline` keeps several under way.
//! 3. `blocking_pop` waits on a queue while there is nothing to claim; `direct_take` lets a worker take what arrives
//!    there.

mod attempt;
pub(super) mod blocking_pop;
mod direct_take;
mod fetcher;
mod idle;
mod large;
mod pace;
mod pipeline;
mod stale;
mod unreadable;

pub(super) use self::attempt::ClaimSequence;
pub(super) use self::fetcher::Fetcher;
pub(super) use self::idle::Idle;
pub(super) use self::large::LargeIn;
pub(super) use self::pace::Pace;
pub(super) use self::stale::Stale;
pub(super) use self::unreadable::Unreadable;
