//! The store against a real etcd: the suite of every engine, and what happens when members are paused, killed, wiped, restored,
//! full, or not ours.

mod data_file;
mod engine;
mod full;
mod history;
mod members;
mod outage;
mod suite;
mod tls;
