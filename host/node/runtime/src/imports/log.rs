//! `wit/log.wit`: log lines.

use bindings::driver::hostler::driver::log::Host;

use crate::sandbox::GuestState;

impl Host for GuestState {
    async fn log(&mut self, level: String, text: String) -> wasmtime::Result<()> {
        capability::log::log(&self.scope, &level, &text);
        Ok(())
    }
}
