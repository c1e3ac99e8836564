//! The executor on a fake driver: the order of steps, and recovery after a kill.

mod crash;
mod limits;
mod migrate;
mod parallel;
mod recovery;
mod rollback;
mod stop;
mod triggers;
mod world;
