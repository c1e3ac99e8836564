//! `clock`.

use bindings::driver::hostler::driver::clock::Host;
use capability::clock;

use super::{Answer, answer};
use crate::sandbox::State;

impl Host for State {
    async fn wall_ms(&mut self) -> wasmtime::Result<u64> {
        Ok(clock::wall_ms())
    }

    async fn boot_ms(&mut self) -> wasmtime::Result<u64> {
        Ok(clock::boot_ms())
    }

    async fn sleep_ms(&mut self, duration: u64) -> Answer<()> {
        answer(clock::sleep_ms(&self.scope, duration).await)
    }
}
