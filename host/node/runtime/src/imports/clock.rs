//! `wit/clock.wit`: time.

use bindings::driver::hostler::driver::clock::Host;
use capability::clock;

use super::{ImportAnswer, answer};
use crate::sandbox::GuestState;

impl Host for GuestState {
    async fn wall_ms(&mut self) -> wasmtime::Result<u64> {
        Ok(clock::wall_ms())
    }

    async fn boot_ms(&mut self) -> wasmtime::Result<u64> {
        Ok(clock::boot_ms())
    }

    async fn sleep_ms(&mut self, duration: u64) -> ImportAnswer<()> {
        answer(clock::sleep_ms(&self.scope, duration).await)
    }
}
