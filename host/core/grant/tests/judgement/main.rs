//! Who may do what: requests, keywords, both policies, an operation, and the line that allows it or the one who refuses.

mod case;
mod network;
mod policies;
mod programs;
mod storage;
mod web;
