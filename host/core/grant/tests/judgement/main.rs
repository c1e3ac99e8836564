//! Permissions: requests, keywords, both policies, an operation, and the line that allows it or the reason for its refusal.

mod case;
mod held;
mod network;
mod policies;
mod programs;
mod storage;
mod web;
