//! The executor on a fake driver: every rule of what follows what, and what survives a kill.

mod crash;
mod limits;
mod migrate;
mod parallel;
mod recovery;
mod rollback;
mod stop;
mod triggers;
mod world;
